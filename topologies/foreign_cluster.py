"""Two LVS clusters on one LAN that chose the same VRID, as everybody does who copies a
configuration.
"""

from mininet.topo import Topo

from harness.topology import Client, Director, VrrpInstance

VIP, FOREIGN_VIP = "172.16.10.50", "172.16.10.60"


class ForeignCluster(Topo):
    """Our directors at .11 and .12, the foreign one at .13, the client at .100."""

    def build(self, foreign_vrid: int = 51) -> None:
        """The foreign cluster is one director with a VIP of its own. Each director's Skew_Time is
        0.35 s or more longer than that of the one before, so that they begin in this order and none
        in step with another.
        """
        lan = self.addSwitch("lan", subnet="172.16.10.0/24", dpid="1")
        directors = ((51, VIP, 200), (51, VIP, 100), (foreign_vrid, FOREIGN_VIP, 1))
        for number, (vrid, vip, priority) in enumerate(directors, start=1):
            director = self.addHost(
                f"director{number}",
                cls=Director,
                ip=f"172.16.10.{10 + number}/24",
                vrrp=VrrpInstance(vrid=vrid, vip=vip, priority=priority),
            )
            self.addLink(lan, director)
        self.addLink(lan, self.addHost("client", cls=Client, ip="172.16.10.100/24"))


topos = {"foreign_cluster": ForeignCluster}
