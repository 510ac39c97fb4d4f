"""A director that forwards by DR and TUN on one LAN, or by NAT between two; IPv4 and IPv6, TCP and
UDP.
"""

from collections.abc import Mapping
from typing import Any

from mininet.topo import Topo

from harness.topology import Client, Director, RealServer, VirtualService, VrrpInstance

VIPS = {
    ("DR", 4): "172.16.10.50",
    ("DR", 6): "fd00:10::50",
    ("TUN", 4): "172.16.10.51",
    ("TUN", 6): "fd00:10::51",
    ("NAT", 4): "172.16.10.50",
    ("NAT", 6): "fd00:10::50",
}
HTTP, DNS, REAL_HTTP = 80, 53, 8080


def services(*methods: str, ops: bool = False) -> list[VirtualService]:
    """HTTP and DNS on each VIP of the methods; NAT sends HTTP to another port. With ``ops`` each
    datagram is scheduled by itself.
    """
    return [
        VirtualService(
            vip,
            port=HTTP if protocol == "TCP" else DNS,
            protocol=protocol,
            method=method,
            real_port=REAL_HTTP if (method, protocol) == ("NAT", "TCP") else None,
            ops=ops and protocol == "UDP",
        )
        for (method, _), vip in VIPS.items()
        if method in methods
        for protocol in ("TCP", "UDP")
    ]


def service_of(method: str, family: int, protocol: str) -> VirtualService:
    """The service that is forwarded by a method, in one version of IP, over TCP or UDP."""
    vip = VIPS[method, family]
    return next(each for each in services(method) if (each.vip, each.protocol) == (vip, protocol))


def vrrp(*methods: str) -> VrrpInstance:
    """The instance that moves all VIPs of the methods."""
    vips = [vip for (method, _), vip in VIPS.items() if method in methods]
    return VrrpInstance(vrid=51, vip=vips[0], excluded_vips=tuple(vips[1:]))


class OneLan(Topo):
    """DR and TUN: the director at .11, real servers at .21 and .22, the client at .100, all on one
    LAN.
    """

    def build(self, server_sysctl: Mapping[str, int] | None = None, ops: bool = False) -> None:
        lan = self.addSwitch("lan", subnet="172.16.10.0/24", subnet6="fd00:10::/64", dpid="1")
        balanced = services("DR", "TUN", ops=ops)
        director = self.addHost(
            "director1",
            cls=Director,
            ip="172.16.10.11/24",
            vrrp=vrrp("DR", "TUN"),
            services=balanced,
        )
        self.addLink(lan, director)
        for number in (1, 2):
            server = self.addHost(
                f"web{number}",
                cls=RealServer,
                ip=f"172.16.10.{20 + number}/24",
                serves=balanced,
                sysctl=server_sysctl or {},
            )
            self.addLink(lan, server)
        self.addLink(lan, self.addHost("client", cls=Client, ip="172.16.10.100/24"))


class TwoLans(Topo):
    """NAT, or DR: the client on the outer LAN, real servers on the inner one, whose gateway is the
    director between them.
    """

    def build(
        self,
        forwards: bool = True,
        gateway: bool = True,
        method: str = "NAT",
        accepts_local: bool = False,
    ) -> None:
        """``forwards``: the director routes packets. ``gateway``: real servers send their answers
        through it; ``accepts_local``: also where these come from addresses of its own.
        """
        outer = self.addSwitch("outer", subnet="172.16.10.0/24", subnet6="fd00:10::/64", dpid="1")
        inner = self.addSwitch("inner", subnet="172.16.11.0/24", subnet6="fd00:11::/64", dpid="2")
        balanced = services(method)
        director = self.addHost(
            "director1",
            cls=Director,
            vrrp=vrrp(method),
            services=balanced,
            sysctl={
                "net.ipv4.conf.all.accept_local": int(accepts_local),
                "net.ipv4.ip_forward": int(forwards),
                "net.ipv6.conf.all.forwarding": int(forwards),
            },
        )
        self.addLink(outer, director, params2={"ip": "172.16.10.11/24"})
        self.addLink(inner, director, params2={"ip": "172.16.11.11/24"})
        routes: dict[str, Any] = {
            "defaultRoute": "via 172.16.11.11",
            "defaultRoute6": "via fd00:11::11",
        }
        for number in (1, 2):
            server = self.addHost(
                f"web{number}",
                cls=RealServer,
                ip=f"172.16.11.{20 + number}/24",
                serves=balanced,
                **(routes if gateway else {}),
            )
            self.addLink(inner, server)
        self.addLink(outer, self.addHost("client", cls=Client, ip="172.16.10.100/24"))


topos = {"one_lan": OneLan, "two_lans": TwoLans}
