"""Where the machines of a derived cluster stand: LANs, addresses, who serves what, and what of
it is assumed.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

from harness.check.facts import Reading
from harness.errors import HarnessError
from harness.topology.checks import Check
from harness.topology.local import LocalService
from harness.topology.services import Destination, VirtualService
from harness.topology.vrrp import VrrpInstance

LAST_HOST_OF_DIRECTORS = 4
"""Directors get addresses from the end of a subnet, this far before its broadcast address,
going up.
"""


@dataclass(frozen=True)
class Assumption:
    """What the configurations do not say: ``--set key=value`` corrects it."""

    key: str
    value: str
    why: str

    def __str__(self) -> str:
        return f"{self.key}={self.value}  ({self.why})"


@dataclass
class Segment:
    """One LAN: named by the interface that leads there. It has an IPv6 subnet where somebody
    has an address of one.
    """

    name: str
    subnet: IPv4Network
    taken: set[IPv4Address | IPv6Address] = field(default_factory=set)
    subnet6: IPv6Network | None = None

    def has(self, address: str) -> bool:
        """Whether an address of either family is in one of its subnets."""
        known = ip_address(address)
        return known in self.subnet or (self.subnet6 is not None and known in self.subnet6)

    def free(self, from_end: bool = False) -> IPv4Address:
        """An address that nobody has yet, which is taken by that."""
        first, last = int(self.subnet.network_address) + 1, int(self.subnet.broadcast_address) - 1
        start = max(first, last - LAST_HOST_OF_DIRECTORS) if from_end else first
        for number in itertools.chain(range(start, last + 1), range(first, start)):
            if (address := IPv4Address(number)) not in self.taken:
                self.taken.add(address)
                return address
        raise HarnessError(
            f"{self.name}: {self.subnet} has no address left; --set {self.name}=A LARGER SUBNET"
        )

    def free6(self, number: int) -> str | None:
        """An IPv6 address that nobody has yet, from host ``number`` on; None on a LAN without."""
        if self.subnet6 is None:
            return None
        first, last = int(self.subnet6.network_address) + 1, int(self.subnet6.broadcast_address)
        start = int(self.subnet6.network_address) + number
        if start > last:  # a subnet of a few addresses
            start = max(first, last - LAST_HOST_OF_DIRECTORS)
        for candidate in itertools.chain(range(start, last + 1), range(first, start)):
            if (address := IPv6Address(candidate)) not in self.taken:
                self.taken.add(address)
                return str(address)
        raise HarnessError(
            f"{self.name}: {self.subnet6} has no address left; --set {self.name}.6=A LARGER SUBNET"
        )


@dataclass(frozen=True)
class DirectorMachine:
    """A director: its address on each wire. ``reading`` names wires, of which ``called`` has those
    that the director's own interface is called otherwise than; ``instances`` are as it has them
    itself. ``local`` is what runs there for each of its scripts. ``replaced`` are scripts that fail
    here, in whose place is one that succeeds. ``serves`` are the services of which it is a real
    server itself, and as which.
    """

    name: str
    reading: Reading
    addresses: dict[str, str]
    called: dict[str, str]
    instances: tuple[VrrpInstance, ...]
    local: Mapping[str, tuple[LocalService, ...]] = field(default_factory=dict)
    addresses6: Mapping[str, str] = field(default_factory=dict)
    replaced: tuple[str, ...] = ()
    serves: tuple[tuple[VirtualService, Destination], ...] = ()

    @property
    def rip(self) -> str:
        """The address at which it is known as a real server: that of its first wire."""
        return next(iter(self.addresses.values()))


@dataclass(frozen=True)
class ServerMachine:
    """A real server: where it is, and which services of which directors it serves under which port
    and method.

    ``asked`` are the checkers of others that ask it. ``gateway`` is where it sends what leaves its
    LAN. One that is asked over IPv6 has ``address6``, and ``address`` only because every machine
    has one; so has another one ``unasked6`` on a LAN of both families.
    """

    name: str
    address: str
    segment: str
    serves: tuple[tuple[VirtualService, Destination], ...]
    sorry_for: tuple[VirtualService, ...] = ()
    gateway: str = ""
    address6: str | None = None
    unasked6: str | None = None
    gateway6: str | None = None
    asked: tuple[tuple[VirtualService, Check], ...] = ()

    @property
    def rip(self) -> str:
        """The address at which directors know it."""
        return self.address6 or self.address


@dataclass(frozen=True)
class Layout:
    """The whole: ``segments`` by name; ``static_vips`` are those that no VRRP instance holds.

    ``left_out`` is not emulated, by name; ``changed`` is what the directors are given instead of
    their own. ``routed``: whether clients are behind a router, which has the addresses of
    ``client`` then. ``outside`` are VIPs on no LAN, by the LAN that routers are taken to send them
    to. ``links_pidof``: whether pidof is a link to killall5 on the directors.
    """

    segments: dict[str, Segment]
    directors: tuple[DirectorMachine, ...]
    servers: tuple[ServerMachine, ...]
    client: dict[str, str]
    assumptions: tuple[Assumption, ...]
    static_vips: dict[str, str]
    left_out: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    links_pidof: bool = False
    client6: Mapping[str, str] = field(default_factory=dict)
    routed: bool = False
    outside: Mapping[str, str] = field(default_factory=dict)
