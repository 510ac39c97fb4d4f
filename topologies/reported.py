"""What bug reports come down to: directors whose keepalived.conf stands in the scenario, real
servers and a client.
"""

from collections.abc import Sequence

from mininet.topo import Topo

from harness.topology import Client, Director, RealServer, VirtualService
from harness.topology.notification import FIFO

CONFIG = "/etc/keepalived/keepalived.conf"
VIP = "172.16.10.50"
TELLS = f"\nglobal_defs {{\n    notify_fifo {FIFO}\n}}\n"
"""What has keepalived tell of changes where the harness listens."""


class Reported(Topo):
    """Directors at .11, .12, ..., real servers at .21, .22, ... that serve port 80 of the VIP, the
    client at .100.
    """

    def build(
        self,
        configs: Sequence[str] = (),
        real_servers: int = 0,
        read: bool = True,
        tells: bool = False,
    ) -> None:
        """One director for each of ``configs``, the text of its keepalived.conf.

        keepalived reads the texts before anything starts, so the cluster knows its VIPs and its
        master, and a text that is refused is told with its line; not with ``read=False``, which is
        for texts that it reads wrongly. ``tells`` adds a ``notify_fifo`` to each, so that every
        change is a notification on the timeline.
        """
        lan = self.addSwitch("lan", subnet="172.16.10.0/24", dpid="1")
        for number, config in enumerate(configs, start=1):
            ip = f"172.16.10.{10 + number}/24"
            text = config + TELLS if tells else config
            files = {CONFIG: (text.encode(), 0o644)}
            director = self.addHost(
                f"director{number}", cls=Director, ip=ip, files=files, read=read
            )
            self.addLink(lan, director)
        for number in range(1, real_servers + 1):
            ip = f"172.16.10.{20 + number}/24"
            self.addLink(
                lan,
                self.addHost(f"web{number}", cls=RealServer, ip=ip, serves=[VirtualService(VIP)]),
            )
        self.addLink(lan, self.addHost("client", cls=Client, ip="172.16.10.100/24"))


topos = {"reported": Reported}
