"""One director that balances by every scheduler, each on a port of its own, over three real
servers.
"""

from collections.abc import Sequence

from mininet.topo import Topo

from harness.topology import Client, Director, RealServer, VirtualService, VrrpInstance
from harness.topology.services import SCHEDULER_FLAGS, SCHEDULERS

NET = "172.16.10"
VIPS = tuple(f"{NET}.{host}" for host in range(50, 56))
SOURCES = tuple(f"{NET}.{host}" for host in range(101, 109))
WEIGHTS = (1, 2, 3)
BY_DESTINATION = ("dh", "lblc", "lblcr")
"""The schedulers that look at the VIP: their services are one for all VIPs, by firewall mark."""
FIRST_PORT = 8001


class Schedulers(Topo):
    """``weights`` are the real servers'; with ``only``, that scheduler balances in place of every
    other one. ``flags`` are each scheduler's as far as it has them: ``port`` or ``fallback``.
    """

    def build(
        self,
        weights: Sequence[int] = WEIGHTS,
        only: str | None = None,
        flags: Sequence[str] = (),
    ) -> None:
        lan = self.addSwitch("lan", subnet=f"{NET}.0/24", dpid="1")
        services = [
            VirtualService(
                VIPS[0],
                port=port_of(scheduler),
                scheduler=only or scheduler,
                flags=tuple(f"{scheduler}-{flag}" for flag in flags)
                if scheduler in SCHEDULER_FLAGS and only is None
                else (),
                weight=tuple(weights),
                group=tuple((vip, port_of(scheduler)) for vip in VIPS[1:])
                if scheduler in BY_DESTINATION
                else (),
                fwmark=port_of(scheduler) if scheduler in BY_DESTINATION else None,
            )
            for scheduler in SCHEDULERS
        ]
        vrrp = VrrpInstance(vrid=51, vip=VIPS)
        director = self.addHost(
            "director1",
            cls=Director,
            ip=f"{NET}.11/24",
            vrrp=vrrp,
            services=services,
            sysctl={"net.ipv4.icmp_ratelimit": 0},  # every refusal is told, not one a second
        )
        self.addLink(lan, director)
        for number in range(1, len(weights) + 1):
            server = self.addHost(
                f"web{number}",
                cls=RealServer,
                ip=f"{NET}.{20 + number}/24",
                serves=services,
                workers=8,
            )
            self.addLink(lan, server)
        self.addLink(lan, self.addHost("client", cls=Client, ip=f"{NET}.100/24", sources=SOURCES))


def port_of(scheduler: str) -> int:
    """The port of the service that a scheduler balances."""
    return FIRST_PORT + SCHEDULERS.index(scheduler)


topos = {"schedulers": Schedulers}
