"""Two routers of one or of two VRRP implementations on one LAN, without anything behind them."""

from collections.abc import Sequence
from typing import Any

from mininet.topo import Topo

from harness.topology import Client, Director, VrrpInstance

VIP, VIP6 = "172.16.10.50", ("fe80::50", "fd00:10::50")


class SpeakerPair(Topo):
    """Directors at .11 and .12, the client at .100; each director by the implementation that ``by``
    names.
    """

    def build(
        self,
        by: Sequence[str] = ("frr", "frr"),
        priorities: Sequence[int] = (100, 90),
        advert_ints: Sequence[float] = (1, 1),
        passwords: Sequence[str | None] = (None, None),
        versions: Sequence[int] = (3, 3),
        pseudo_headers: Sequence[bool] = (True, True),
        sysctl: Sequence[tuple[str, int]] = (),
        **vrrp: Any,
    ) -> None:
        """``vrrp`` is both routers' instance, ``sysctl`` are settings of both; intervals in
        seconds.
        """
        vrrp = {"vrid": 51, "vip": VIP, **vrrp}
        lan = self.addSwitch("lan", subnet="172.16.10.0/24", subnet6="fd00:10::/64", dpid="1")
        for number, speaker in enumerate(by):
            own = {
                "priority": priorities[number],
                "advert_int": advert_ints[number],
                "auth_pass": passwords[number],
                "version": versions[number],
                "pseudo_header": pseudo_headers[number],
            }
            director = self.addHost(
                f"director{number + 1}",
                cls=Director,
                ip=f"172.16.10.1{number + 1}/24",
                by=speaker,
                vrrp=VrrpInstance(**{**own, **vrrp}),
                sysctl=dict(sysctl),
            )
            self.addLink(lan, director)
        self.addLink(lan, self.addHost("client", cls=Client, ip="172.16.10.100/24"))


topos = {"speaker_pair": SpeakerPair}
