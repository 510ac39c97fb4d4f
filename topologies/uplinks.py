"""A pair of directors, each behind an uplink of its own whose router speaks BFD with it."""

from dataclasses import replace

from mininet.topo import Topo

from harness.keepalived.config.tracking import bfd_instance
from harness.topology import Client, Director, Program, Router, TrackedBfd, VrrpInstance

VIP = "172.16.10.50"
CONFIG = "/etc/keepalived/router.conf"

NEIGHBOUR = TrackedBfd(name="director", neighbour="10.0.1.11")
"""How each router speaks with its director, but for the addresses."""


def session(number: int, weight: int = 0) -> TrackedBfd:
    """What a director tracks: how it speaks with its router."""
    router, own = f"10.0.{number}.1", f"10.0.{number}.11"
    return TrackedBfd(name="uplink", neighbour=router, source=own, weight=weight)


def speaks(number: int) -> Program:
    """The router's part: keepalived too, with a session and nothing else."""
    bfd = replace(NEIGHBOUR, neighbour=f"10.0.{number}.11", source=f"10.0.{number}.1")
    text = "\n".join(bfd_instance(bfd))
    return Program(
        ["keepalived", "-n", "-l", "-D", "-f", CONFIG],
        ready="Starting BFD child process",
        files={CONFIG: f"{text}\n"},
    )


class Uplinks(Topo):
    """Directors at .11 and .12 of the LAN, with an uplink each; the routers are .1 of those."""

    def build(self, tracked: bool = True, weight: int = 0) -> None:
        """``tracked``: a director that loses its router gives the VIP up, or ``weight`` of its
        priority.
        """
        lan = self.addSwitch("lan", subnet="172.16.10.0/24", dpid="1")
        for number, priority in enumerate((100, 90), start=1):
            bfds = (session(number, weight),) if tracked else ()
            vrrp = VrrpInstance(vrid=51, vip=VIP, priority=priority, track_bfds=bfds)
            uplink = self.addSwitch(f"uplink{number}", subnet=f"10.0.{number}.0/24")
            director = self.addHost(f"director{number}", cls=Director, vrrp=vrrp)
            router = self.addHost(f"router{number}", cls=Router, runs=(speaks(number),))
            self.addLink(lan, director, params2={"ip": f"172.16.10.{10 + number}/24"})
            self.addLink(uplink, director, params2={"ip": f"10.0.{number}.11/24"})
            self.addLink(uplink, router, params2={"ip": f"10.0.{number}.1/24"})
        self.addLink(lan, self.addHost("client", cls=Client, ip="172.16.10.100/24"))


topos = {"uplinks": Uplinks}
