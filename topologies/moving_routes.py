"""What moves along with a VIP: routes and rules that only the master has, and the network of the
VIP.
"""

from mininet.topo import Topo

from harness.topology import Client, Director, Router, VrrpInstance

VIP = "192.0.2.80"
NEAR, FAR = "192.0.2.100", "10.9.0.100"
TABLE = 100


class MovingRoutes(Topo):
    """Directors at .11 and .12, which have no way out of their LAN. A client ``near`` lives in the
    network of the VIP, on the same wire; one that is ``far`` is behind the router at .1.
    """

    def build(self, routes: bool = True, vip_prefix: int | None = 24) -> None:
        """With ``routes`` the master has a route to the far client, for what it sends from the VIP
        alone. ``vip_prefix``: with which prefix the VIP is held (None: /32).
        """
        lan = self.addSwitch("lan", subnet="172.16.10.0/24", dpid="1")
        far = self.addSwitch("far", subnet="10.9.0.0/24", dpid="2")
        for number, priority in ((1, 100), (2, 90)):
            vrrp = VrrpInstance(
                vrid=51,
                vip=VIP,
                vip_prefix=vip_prefix,
                priority=priority,
                virtual_routes=(f"10.9.0.0/24 via 172.16.10.1 dev eth0 table {TABLE}",) * routes,
                virtual_rules=(f"from {VIP} table {TABLE}",) * routes,
            )
            ip = f"172.16.10.{10 + number}/24"
            self.addLink(lan, self.addHost(f"director{number}", cls=Director, ip=ip, vrrp=vrrp))
        to_vip = {f"{VIP}/32": "dev eth0"}
        router = self.addHost("router", cls=Router, ip="172.16.10.1/24", routes=to_vip)
        near = self.addHost(
            "near", cls=Client, ip="172.16.10.100/24", sources=(NEAR,), routes=to_vip
        )
        self.addLink(lan, router)
        self.addLink(far, router, params2={"ip": "10.9.0.1/24"})
        self.addLink(lan, near)
        self.addLink(
            far, self.addHost("far-client", cls=Client, ip=f"{FAR}/24", defaultRoute="via 10.9.0.1")
        )


topos = {"moving_routes": MovingRoutes}
