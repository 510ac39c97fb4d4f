"""IPVS without keepalived: the kernel's own test ipvs.sh, a node like kube-proxy's, ldirectord,
and a checker of one's own in Python.
"""

import sys

from mininet.topo import Topo

from harness.topology import (
    Client,
    Director,
    Dummy,
    HttpGet,
    Program,
    RealServer,
    TcpCheck,
    VirtualService,
)

VIP = "207.175.44.110"
CLUSTER_IP = "10.96.0.10"


class IpvsSh(Topo):
    """tools/testing/selftests/net/netfilter/ipvs.sh of the kernel: a VIP that is in no LAN, and a
    route to it.
    """

    def build(self, method: str = "DR") -> None:
        web = VirtualService(VIP, method=method)
        for lan, subnet in (("front", "10.0.0.0/24"), ("back", "172.16.0.0/24")):
            self.addSwitch(lan, subnet=subnet, dpid=lan.encode().hex()[:8])
        self.addHost("client", cls=Client, ip="10.0.0.2/24", routes={f"{VIP}/32": "via 10.0.0.1"})
        self.addHost(
            "director1",
            cls=Director,
            ip="10.0.0.1/24",
            by="ipvsadm",
            services=[web],
            sysctl={"net.ipv4.ip_forward": 1},
        )
        gateway = {"defaultRoute": "via 172.16.0.1"} if method == "NAT" else {}
        self.addHost("web1", cls=RealServer, ip="172.16.0.2/24", serves=[web], **gateway)
        self.addLink("front", "client")
        self.addLink("front", "director1")
        self.addLink("back", "director1", params2={"ip": "172.16.0.1/24"})
        self.addLink("back", "web1")
        if method != "NAT":  # the way on which its answers go past the director
            self.addLink("front", "web1", params2={"ip": "10.0.0.3/24"})


class KubeProxy(Topo):
    """A node as kube-proxy's IPVS mode makes it: cluster addresses on a dummy, pods by NAT,
    requests masqueraded. Pods have a way to cluster addresses, and none to clients.
    """

    def build(self, masquerade: bool = True) -> None:
        web = VirtualService(CLUSTER_IP, method="NAT", real_port=8080)
        for lan, subnet in (("nodes", "172.16.10.0/24"), ("pods", "10.244.0.0/24")):
            self.addSwitch(lan, subnet=subnet, dpid=lan.encode().hex()[:8])
        rule = f"-t nat -A POSTROUTING -m ipvs --vaddr {CLUSTER_IP} --vport 80 -j MASQUERADE"
        self.addHost(
            "node1",
            cls=Director,
            ip="172.16.10.11/24",
            by="ipvsadm",
            services=[web],
            links=(Dummy("kube-ipvs0", addresses=(f"{CLUSTER_IP}/32",)),),
            sysctl={"net.ipv4.ip_forward": 1, "net.ipv4.vs.conntrack": 1},
            firewall=(rule,) if masquerade else (),
        )
        self.addLink("nodes", "node1")
        self.addLink("pods", "node1", params2={"ip": "10.244.0.1/24"})
        for number in (1, 2):
            self.addLink(
                "pods",
                self.addHost(
                    f"pod{number}",
                    cls=RealServer,
                    ip=f"10.244.0.1{number}/24",
                    serves=[web],
                    routes={"10.96.0.0/12": "via 10.244.0.1"},
                ),
            )
        routes = {"10.96.0.0/12": "via 172.16.10.11"}
        self.addLink(
            "nodes", self.addHost("client", cls=Client, ip="172.16.10.100/24", routes=routes)
        )


class Ldirectord(Topo):
    """One LAN: ldirectord at .11 checks real servers at .21 and .22; the client is at .100."""

    def build(self, method: str = "DR", delay_loop: float = 2) -> None:
        web = VirtualService(
            "172.16.10.50", method=method, delay_loop=delay_loop, check=HttpGet(connect_timeout=2)
        )
        lan = self.addSwitch("lan", subnet="172.16.10.0/24", dpid="1")
        director = self.addHost(
            "director1", cls=Director, ip="172.16.10.11/24", by="ldirectord", services=[web]
        )
        self.addLink(lan, director)
        for number in (1, 2):
            self.addLink(
                lan,
                self.addHost(
                    f"web{number}", cls=RealServer, ip=f"172.16.10.2{number}", serves=[web]
                ),
            )
        self.addLink(lan, self.addHost("client", cls=Client, ip="172.16.10.100/24"))


OWN_VIP = "172.16.10.50"
OWN_SERVERS = ("172.16.10.21", "172.16.10.22")
OWN_DELAY = 2
CHECKER = f"""\
import contextlib
import socket
import time

from pyroute2 import IPVS, IPVSDest, IPVSService
from pyroute2.netlink.exceptions import NetlinkError

SERVICE = IPVSService(addr="{OWN_VIP}", port=80, protocol=socket.IPPROTO_TCP, sched_name="rr")


def answers(server):
    try:
        socket.create_connection((server, 80), timeout=1).close()
    except OSError:
        return False
    return True


ipvs = IPVS()
with contextlib.suppress(NetlinkError):
    ipvs.service("del", service=SERVICE)
ipvs.service("add", service=SERVICE)
there = set()
print("the virtual service is there", flush=True)
while True:
    for server in {OWN_SERVERS}:
        if answers(server) == (server in there):
            continue
        deed = "del" if server in there else "add"
        ipvs.dest(deed, service=SERVICE, dest=IPVSDest(addr=server, port=80))
        there ^= {{server}}
        print("real servers:", *sorted(there), flush=True)
    time.sleep({OWN_DELAY})
"""
PYTHON = sys.executable
"""The Python that has pyroute2: this one."""


class OwnChecker(Topo):
    """As with ldirectord, and in its place a program of one's own in Python, which tells the kernel
    by netlink (pyroute2) what the table is.
    """

    def build(self) -> None:
        check = TcpCheck(connect_timeout=1, retry=0, warmup=0)
        web = VirtualService(OWN_VIP, delay_loop=OWN_DELAY, check=check)
        program = "/usr/local/bin/checker.py"
        checker = Program(
            [PYTHON, program], ready="is there", files={program: CHECKER}, name="checker"
        )
        lan = self.addSwitch("lan", subnet="172.16.10.0/24", dpid="1")
        director = self.addHost(
            "director1",
            cls=Director,
            ip="172.16.10.11/24",
            by="program",
            services=[web],
            runs=(checker,),
        )
        self.addLink(lan, director)
        for number, ip in enumerate(OWN_SERVERS, start=1):
            self.addLink(lan, self.addHost(f"web{number}", cls=RealServer, ip=ip, serves=[web]))
        self.addLink(lan, self.addHost("client", cls=Client, ip="172.16.10.100/24"))


topos = {
    "ipvs_sh": IpvsSh,
    "kube_proxy": KubeProxy,
    "ldirectord": Ldirectord,
    "own_checker": OwnChecker,
}
