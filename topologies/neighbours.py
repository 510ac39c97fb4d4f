"""Several LVS clusters on one LAN, each with a VRID, directors, a VIP and real servers of its
own.
"""

from mininet.topo import Topo

from harness.topology import Client, Director, HttpGet, RealServer, VirtualService, VrrpInstance


class Neighbours(Topo):
    """In 172.16.0.0/16, cluster N has 172.16.N.50 as VIP, directors at .11 and .12, real servers
    from .21 on.

    Machines are numbered through: directors 1 and 2 are those of cluster 1. The client is at
    172.16.0.100.
    """

    def build(self, clusters: int = 2, real_servers: int = 2, one_vrid: bool = False) -> None:
        """``real_servers`` of each cluster. ``one_vrid``: all chose the same, which is a
        mistake.
        """
        lan = self.addSwitch("lan", subnet="172.16.0.0/16", dpid="1")
        for cluster in range(1, clusters + 1):
            net = f"172.16.{cluster}"
            check = HttpGet(connect_timeout=2, delay_before_retry=1, warmup=0)
            web = VirtualService(f"{net}.50", port=80, delay_loop=2, check=check)
            for number, priority in ((1, 100), (2, 90)):
                vrrp = VrrpInstance(
                    vrid=51 if one_vrid else 50 + cluster, vip=web.vip, priority=priority
                )
                name, ip = f"director{2 * (cluster - 1) + number}", f"{net}.{10 + number}/16"
                self.addLink(
                    lan, self.addHost(name, cls=Director, ip=ip, vrrp=vrrp, services=[web])
                )
            for number in range(1, real_servers + 1):
                name, ip = f"web{(cluster - 1) * real_servers + number}", f"{net}.{20 + number}/16"
                self.addLink(lan, self.addHost(name, cls=RealServer, ip=ip, serves=[web]))
        self.addLink(lan, self.addHost("client", cls=Client, ip="172.16.0.100/16"))


topos = {"neighbours": Neighbours}
