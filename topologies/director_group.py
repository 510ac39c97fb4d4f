"""Directors and a client on one LAN, and no real servers: what elections, tracking and notification
are about.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from mininet.topo import Topo

from harness.topology import Client, Director, VrrpInstance

VIP, SECOND_VIP = "172.16.10.50", "172.16.10.51"


class DirectorGroup(Topo):
    """Directors at .11, .12, ..., the client at .100; the IPv6 addresses have the same host
    numbers.
    """

    def build(
        self,
        priorities: Sequence[int] = (100, 90),
        states: Sequence[str] = (),
        advert_ints: Sequence[float] = (),
        unicast: bool = False,
        mutual: bool = False,
        notify_fifo: bool = False,
        startup_delay: int = 0,
        edits: Mapping[str, tuple[tuple[str, str], ...]] = MappingProxyType({}),
        **vrrp: Any,
    ) -> None:
        """One director for each of ``priorities``, with its own of ``states`` and ``advert_ints``
        where there are any.

        ``unicast`` makes the others its peers; ``vrrp`` is every instance's. ``mutual`` adds a
        second VIP with the priorities in the opposite order, so that of two directors each is the
        other's backup; ``edits``: by director's name, texts of its keepalived.conf and what to
        write instead.
        """
        lan = self.addSwitch("lan", subnet="172.16.10.0/24", subnet6="fd00:10::/64", dpid="1")
        addresses = [f"172.16.10.{10 + number}" for number in range(1, len(priorities) + 1)]
        for number, (address, priority) in enumerate(zip(addresses, priorities, strict=True)):
            own: dict[str, Any] = {"vip": VIP, **vrrp}
            if states:
                own["state"] = states[number]
            if advert_ints:
                own["advert_int"] = advert_ints[number]
            if unicast:
                own["unicast_peers"] = tuple(other for other in addresses if other != address)
            instances = [VrrpInstance(vrid=51, priority=priority, **own)]
            if mutual:
                second = {**own, "vip": SECOND_VIP, "priority": priorities[-1 - number]}
                instances.append(VrrpInstance(name="VI_2", vrid=52, **second))
            director = self.addHost(
                f"director{number + 1}",
                cls=Director,
                ip=f"{address}/24",
                vrrp=tuple(instances),
                notify_fifo=notify_fifo,
                startup_delay=startup_delay,
                edits=tuple(edits.get(f"director{number + 1}", ())),
            )
            self.addLink(lan, director)
        self.addLink(lan, self.addHost("client", cls=Client, ip="172.16.10.100/24"))


topos = {"director_group": DirectorGroup}
