"""What bug reports come down to: directors whose keepalived.conf stands in the scenario, real
servers and a client.
"""

from collections.abc import Sequence

from mininet.topo import Topo

from harness.topology import Client, Director, RealServer, VirtualService

CONFIG = "/etc/keepalived/keepalived.conf"
VIP = "172.16.10.50"


class Reported(Topo):
    """Directors at .11, .12, ..., real servers at .21, .22, ... that serve port 80 of the VIP, the
    client at .100.
    """

    def build(self, configs: Sequence[str] = (), real_servers: int = 0) -> None:
        """One director for each of ``configs``, the text of its keepalived.conf."""
        lan = self.addSwitch("lan", subnet="172.16.10.0/24", dpid="1")
        for number, config in enumerate(configs, start=1):
            ip = f"172.16.10.{10 + number}/24"
            self.addLink(
                lan,
                self.addHost(
                    f"director{number}",
                    cls=Director,
                    ip=ip,
                    files={CONFIG: (config.encode(), 0o644)},
                ),
            )
        for number in range(1, real_servers + 1):
            ip = f"172.16.10.{20 + number}/24"
            self.addLink(
                lan,
                self.addHost(f"web{number}", cls=RealServer, ip=ip, serves=[VirtualService(VIP)]),
            )
        self.addLink(lan, self.addHost("client", cls=Client, ip="172.16.10.100/24"))


topos = {"reported": Reported}
