"""A director and a phantom router on one LAN: what a director does with one packet that anybody
might send.
"""

from typing import Any

from mininet.topo import Topo

from harness.topology import Client, Director, PhantomRouter, VrrpInstance

VIP, VIP6 = "172.16.10.50", "fe80::50"
PRIORITY, PHANTOM_PRIORITY = 100, 200


class PhantomPair(Topo):
    """The director at .11, the phantom router at .12, the client at .100; both routers say they are
    VRID 51's.
    """

    def build(
        self,
        phantom_priority: int = PHANTOM_PRIORITY,
        truthful: bool = False,
        vrid: int = 51,
        by: str = "keepalived",
        **vrrp: Any,
    ) -> None:
        """``vrrp`` is both routers' instance, without a password unless it has one; ``by`` is the
        director's implementation. ``truthful``: the phantom router tells no lie; ``vrid`` is the
        director's: both for controls.
        """
        vrrp = {"vip": VIP, "auth_pass": None, "priority": PRIORITY, **vrrp}
        lan = self.addSwitch("lan", subnet="172.16.10.0/24", subnet6="fd00:10::/64", dpid="1")
        director = self.addHost(
            "director1",
            cls=Director,
            ip="172.16.10.11/24",
            by=by,
            vrrp=VrrpInstance(vrid=vrid, **vrrp),
        )
        phantom = self.addHost(
            "phantom",
            cls=PhantomRouter,
            ip="172.16.10.12/24",
            vrrp=VrrpInstance(vrid=51, **{**vrrp, "priority": phantom_priority}),
            truthful=truthful,
        )
        for host in (director, phantom, self.addHost("client", cls=Client, ip="172.16.10.100/24")):
            self.addLink(lan, host)


topos = {"phantom_pair": PhantomPair}
