"""A pair of directors whose VRRP runs on other interfaces than a bare wire: bond, VLAN, bridge,
macvlan, ipvlan, VRF, vxlan.
"""

from typing import Any

from mininet.topo import Topo

from harness.topology import (
    Bond,
    Bridge,
    Client,
    Director,
    Dummy,
    HttpGet,
    Ipvlan,
    Macvlan,
    RealServer,
    VirtualService,
    Vlan,
    Vrf,
    VrrpInstance,
    Vxlan,
)

VIP, OVERLAY_VIP = "172.16.10.50", "10.10.0.50"
BALANCING = ("bond", "lacp", "vlan", "vlan on bond", "bridge", "macvlan", "ipvlan")
"""The kinds with which the cluster also balances: in the others the election is all that there is.
"""
KINDS = (*BALANCING, "dummy", "vrf", "vxlan")
TAGGED = ("vlan", "vlan on bond")


def devices(kind: str, number: int) -> tuple[Any, ...]:
    """The devices of the director that is ``number``."""
    bond, lacp = (
        Bond("bond0", below=("eth0", "eth1")),
        Bond("bond0", below=("eth0", "eth1"), mode="802.3ad"),
    )
    return {
        "bond": (bond,),
        "lacp": (lacp,),
        "vlan": (Vlan("eth0.10", below="eth0", id=10),),
        "vlan on bond": (bond, Vlan("bond0.10", below="bond0", id=10)),
        "bridge": (Bridge("br0", below=("eth0",)),),
        "macvlan": (Macvlan("mv0", below="eth0"),),
        "ipvlan": (Ipvlan("ipvl0", below="eth0"),),
        "dummy": (Dummy("dummy0"),),
        "vrf": (Vrf("vrf10", below=("eth0",), table=10),),
        "vxlan": (Vxlan("vx10", below="eth0", id=10, addresses=(f"10.10.0.{10 + number}/24",)),),
    }[kind]


class Devices(Topo):
    """Directors at .11 and .12, real servers at .21 and .22, the client at .100, with the same VLAN
    if there is one.
    """

    def build(self, kind: str = "bond", vlan: int = 10, wires: int = 2) -> None:
        """``vlan`` is the one of real servers and client. With a bond each director has so many
        ``wires``.
        """
        lan = self.addSwitch("lan", subnet="172.16.10.0/24", dpid="1")
        vip = OVERLAY_VIP if kind == "vxlan" else VIP
        check = HttpGet(connect_timeout=2, delay_before_retry=1, warmup=0)
        services = [VirtualService(vip, delay_loop=2, check=check)] if kind in BALANCING else []
        for number, priority in enumerate((100, 90), start=1):
            links = devices(kind, number)
            device = {"dummy": "eth0", "vrf": "eth0"}.get(kind, links[-1].name)
            vrrp = VrrpInstance(
                vrid=51, vip=vip, priority=priority, interface=device,
                elsewhere=((vip, "dummy0"),) if kind == "dummy" else (),
            )  # fmt: skip
            ip = f"172.16.10.{10 + number}/24"
            director = self.addHost(
                f"director{number}", cls=Director, ip=ip, links=links, vrrp=vrrp, services=services
            )
            for _ in range(wires if isinstance(links[0], Bond) else 1):
                self.addLink(lan, director)
        others: dict[str, Any] = (
            {"links": (Vlan("eth0.10", below="eth0", id=vlan),)} if kind in TAGGED else {}
        )
        for number in (1, 2) if services else ():
            ip = f"172.16.10.{20 + number}/24"
            self.addLink(
                lan, self.addHost(f"web{number}", cls=RealServer, ip=ip, serves=services, **others)
            )
        self.addLink(lan, self.addHost("client", cls=Client, ip="172.16.10.100/24", **others))


topos = {"devices": Devices}
