"""The smallest LVS-DR cluster that can fail over: one LAN, two directors, two real servers, one
client.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from mininet.topo import Topo

from harness.topology import (
    Client,
    Director,
    HttpGet,
    MailServer,
    RealServer,
    VirtualService,
    VrrpInstance,
)
from harness.topology.tracking import maintenance_switch

VIP = "172.16.10.50"


class DirectorPair(Topo):
    """Addresses count up from ``first``: directors at .11, .12, real servers at .21, .22, the
    client at .100.
    """

    def build(
        self,
        subnet: str = "172.16.10.0/24",
        vip: str = VIP,
        priorities: Sequence[int] = (100, 90),
        scheduler: str = "rr",
        advert_int: float = 1,
        delay_loop: float = 2,
        real_servers: int = 2,
        sync_daemon: bool = False,
        notifications: bool = False,
        configs: Sequence[Path | str | None] = (None, None),
        edits: Mapping[str, tuple[tuple[str, str], ...]] = MappingProxyType({}),
    ) -> None:
        """``configs``: keepalived.conf files of your own, one per director; ``edits``: by
        director's name, texts of its generated one and what to write instead; intervals in seconds.
        With ``notifications`` keepalived's FIFO is on the timeline, and its alerts go to a mail
        server at .25.
        """
        net, _, length = subnet.rpartition(".")
        length = length.partition("/")[2]
        lan = self.addSwitch("lan", subnet=subnet, dpid="1")  # a dpid is for stock Mininet
        check = HttpGet(connect_timeout=2, delay_before_retry=1, warmup=0)
        web = VirtualService(vip, port=80, scheduler=scheduler, delay_loop=delay_loop, check=check)
        for number, (priority, config) in enumerate(zip(priorities, configs, strict=True), start=1):
            vrrp = VrrpInstance(
                vrid=51,
                vip=vip,
                priority=priority,
                advert_int=advert_int,
                track_scripts=(maintenance_switch(),),
            )
            director = self.addHost(
                f"director{number}",
                cls=Director,
                ip=f"{net}.{10 + number}/{length}",
                vrrp=vrrp,
                services=[web],
                sync_daemon=sync_daemon,
                notify_fifo=notifications,
                smtp_alert=notifications,
                config=config,
                edits=tuple(edits.get(f"director{number}", ())),
            )
            self.addLink(lan, director)
        for number in range(1, real_servers + 1):
            self.addLink(
                lan,
                self.addHost(
                    f"web{number}", cls=RealServer, ip=f"{net}.{20 + number}/{length}", serves=[web]
                ),
            )
        if notifications:
            self.addLink(lan, self.addHost("mail", cls=MailServer, ip=f"{net}.25/{length}"))
        self.addLink(lan, self.addHost("client", cls=Client, ip=f"{net}.100/{length}"))


topos = {"director_pair": DirectorPair}
