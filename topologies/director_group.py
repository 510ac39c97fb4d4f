"""Directors and a client on one LAN, and no real servers: what elections, tracking and notification are about."""

from collections.abc import Sequence
from typing import Any

from mininet.topo import Topo

from harness.topology import Client, Director, VrrpInstance

VIP = "172.16.10.50"


class DirectorGroup(Topo):
    """Directors at .11, .12, ..., the client at .100; the IPv6 addresses have the same host numbers."""

    def build(
        self,
        priorities: Sequence[int] = (100, 90),
        vip: str | tuple[str, ...] = VIP,
        states: Sequence[str] = (),
        **vrrp: Any,
    ) -> None:
        """One director for each of ``priorities``; ``states`` are BACKUP unless given, ``vrrp`` is every instance's."""
        lan = self.addSwitch("lan", subnet="172.16.10.0/24", subnet6="fd00:10::/64", dpid="1")
        for number, priority in enumerate(priorities, start=1):
            instance = VrrpInstance(
                vrid=51, vip=vip, priority=priority, state=states[number - 1] if states else "BACKUP", **vrrp
            )
            director = self.addHost(f"director{number}", cls=Director, ip=f"172.16.10.{10 + number}/24", vrrp=instance)
            self.addLink(lan, director)
        self.addLink(lan, self.addHost("client", cls=Client, ip="172.16.10.100/24"))


topos = {"director_group": DirectorGroup}
