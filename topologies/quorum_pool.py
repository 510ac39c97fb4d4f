"""One director, three real servers whose pages can fail one by one, and a sorry server: when a pool
is too small.
"""

from dataclasses import replace
from typing import Any

from mininet.topo import Topo

from harness.topology import Client, Director, HttpGet, RealServer, VirtualService, VrrpInstance
from harness.topology.notification import REPORT

VIP = "172.16.10.50"


def _service(port: int, **options: Any) -> VirtualService:
    check = HttpGet(f"/{port}", connect_timeout=0.8, retry=0, warmup=0, fast_recovery=True)
    return VirtualService(VIP, port, check=check, delay_loop=0.6, **options)


LAST = _service(80)
QUORUM = _service(81, quorum=2)
HYSTERESIS = _service(82, quorum=2, hysteresis=1)
WEIGHTS = _service(83, quorum=3, weight=(3, 1, 1))
COMMANDS = _service(84, quorum=3, quorum_up=f"{REPORT} up", quorum_down=f"{REPORT} down")
WITH_SORRY_SERVER = (LAST, QUORUM, HYSTERESIS, WEIGHTS)


class QuorumPool(Topo):
    """The director at .11, real servers from .21 on, the sorry server at .30, the client at
    .100.
    """

    def build(self, quorum: int | None = None, sorry_server: bool = True) -> None:
        """``quorum`` is that of all services, without hysteresis (None: each has its own),
        ``sorry_server`` whether there is one.
        """
        services = tuple(
            service if quorum is None else replace(service, quorum=quorum, hysteresis=0)
            for service in (*WITH_SORRY_SERVER, COMMANDS)
        )
        lan = self.addSwitch(
            "lan", subnet="172.16.10.0/24", dpid="1"
        )  # a dpid is for stock Mininet
        vrrp = VrrpInstance(vrid=51, vip=VIP, priority=255)
        director = self.addHost(
            "director1", cls=Director, ip="172.16.10.11/24", vrrp=vrrp, services=services
        )
        self.addLink(lan, director)
        pages = {f"/{service.port}": "well\n" for service in services}
        for number in (1, 2, 3):
            server = self.addHost(
                f"web{number}",
                cls=RealServer,
                ip=f"172.16.10.{20 + number}/24",
                serves=services,
                pages=pages,
            )
            self.addLink(lan, server)
        if sorry_server:
            sorry = self.addHost(
                "sorry", cls=RealServer, ip="172.16.10.30/24", sorry_for=services[:-1]
            )
            self.addLink(lan, sorry)
        self.addLink(lan, self.addHost("client", cls=Client, ip="172.16.10.100/24"))


topos = {"quorum_pool": QuorumPool}
