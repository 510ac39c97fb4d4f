"""A cluster over several LANs: clients, directors and groups of real servers each on their own, a
router between.
"""

from typing import Any

from mininet.topo import Topo

from harness.topology import (
    Client,
    Director,
    HttpGet,
    RealServer,
    Router,
    VirtualService,
    VrrpInstance,
)

VIP = "10.20.0.50"


class SeveralLans(Topo):
    """Directors at 10.20.0.1 and .2; real servers from .1 on in 10.20.1.0/24 and so on; the client
    at 10.30.0.1.

    The router is .254 of each LAN.
    """

    def build(self, lans: int = 2, real_servers: int = 2, method: str = "TUN") -> None:
        """``lans`` for real servers, with ``real_servers`` on each; DR would want them on the
        directors' LAN.
        """
        check = HttpGet(connect_timeout=2, retry=0, warmup=0)
        web = VirtualService(VIP, port=80, method=method, delay_loop=2, check=check)
        self.addHost("router", cls=Router)
        self._add_lan("outer", "10.30.0", [("client", {"cls": Client})])
        directors = [
            (f"director{number}", {"cls": Director, "vrrp": vrrp, "services": [web]})
            for number, vrrp in enumerate(
                (VrrpInstance(vrid=51, vip=VIP, priority=each) for each in (100, 90)), start=1
            )
        ]
        self._add_lan("front", "10.20.0", directors)
        for lan in range(lans):
            names = [f"web{lan * real_servers + number}" for number in range(1, real_servers + 1)]
            servers = [(name, {"cls": RealServer, "serves": [web]}) for name in names]
            self._add_lan(f"servers{lan + 1}", f"10.20.{lan + 1}", servers)

    def _add_lan(self, name: str, net: str, machines: list[tuple[str, dict[str, Any]]]) -> None:
        switch = self.addSwitch(name, subnet=f"{net}.0/24", dpid=f"{len(self.switches()) + 1:x}")
        self.addLink(switch, "router", params2={"ip": f"{net}.254/24"})
        for number, (machine, options) in enumerate(machines, start=1):
            host = self.addHost(
                machine, ip=f"{net}.{number}/24", defaultRoute=f"via {net}.254", **options
            )
            self.addLink(switch, host)


topos = {"several_lans": SeveralLans}
