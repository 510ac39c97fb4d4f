"""The LANs of a derived cluster: which there are, which subnets they have, which VIPs are on none
of them (pure).
"""

from __future__ import annotations

import ipaddress
import itertools
from collections.abc import Iterable, Iterator, Sequence
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Interface,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import TypeVar

from harness.check import shared_wires
from harness.check.deriving.assuming import Assuming
from harness.check.deriving.wanted import IPAddress, Wanted
from harness.check.layout import Segment
from harness.errors import HarnessError

IPNetwork = IPv4Network | IPv6Network
IPInterface = IPv4Interface | IPv6Interface

_NAMED = 3
LIKELY_PREFIX = 24
LIKELY_PREFIX6 = 64
WIDEST_PREFIX, NARROWEST_PREFIX = 8, 30
WIDEST_PREFIX6, NARROWEST_PREFIX6 = 8, 126


class Lans:
    """The LANs, each named by the interface that leads there."""

    def __init__(self, wanted: Wanted, assuming: Assuming) -> None:
        self._wanted = wanted
        self._assuming = assuming
        self.segments: dict[str, Segment] = {}

    def lay(self) -> None:
        """Give each interface that is named anywhere a LAN with its subnets."""
        for interface in self._wanted.interfaces():
            hints = self._wanted.hints(interface)
            self.add(interface, [hint for hint in hints if ":" not in hint[0]])
            self._add_subnet6(interface, [hint for hint in hints if ":" in hint[0]])
        self._place_the_rest6()

    def take(self) -> None:
        """Keep every address that somebody is configured to have from being given to others."""
        for address in self._wanted.addresses():
            for segment in self.segments.values():
                if segment.has(str(address)):
                    segment.taken.add(address)

    def of(self, address: str) -> str | None:
        """The LAN that an address is on; None if it is on none."""
        for name, segment in self.segments.items():
            if segment.has(address):
                return name
        return None

    def next_interface(self) -> str:
        """A name for one more LAN."""
        return next(
            name for number in itertools.count() if (name := f"eth{number}") not in self.segments
        )

    def add(self, interface: str, hints: Iterable[tuple[str, int]]) -> None:
        """Make a LAN around the addresses known to be on it."""
        known = [ipaddress.ip_interface(f"{address}/{prefix}") for address, prefix in hints]
        told = [one.network for one in known if one.network.prefixlen < 31]
        likely = _cover([one.ip for one in known], told) or _cover_first(known)
        assert likely is None or isinstance(likely, IPv4Network)
        why = "the prefix of a VIP" if likely in told else "around the addresses on it"
        if likely is None or any(likely.overlaps(other.subnet) for other in self.segments.values()):
            why = (
                "nothing is said of it"
                if likely is None
                else f"{likely} is on another interface already"
            )
            likely = self._spare_subnet(interface)
        text = self._assuming.setting(interface, str(likely), why)
        subnet = _subnet(IPv4Network, interface, text, WIDEST_PREFIX, NARROWEST_PREFIX)
        for other in self.segments.values():
            if subnet.overlaps(other.subnet):
                raise HarnessError(
                    f"{interface}: {subnet} overlaps {other.subnet} of {other.name}: an address"
                    f" would be on two wires;"
                    f" say which subnets they are in: --set {interface}=... --set {other.name}=..."
                )
        self.segments[interface] = Segment(interface, subnet)

    def _add_subnet6(self, interface: str, hints: Iterable[tuple[str, int]]) -> None:
        """Give a LAN the IPv6 subnet that has the addresses known to be on it, if there are any."""
        known = [ipaddress.ip_interface(f"{address}/{prefix}") for address, prefix in hints]
        known = [one for one in known if not one.ip.is_link_local]
        told = [one.network for one in known if one.network.prefixlen < 127]
        likely = _cover([one.ip for one in known], told) or _cover_first(known)
        if likely is None:
            return
        key = f"{interface}.6"
        text = self._assuming.setting(
            key, str(likely), "the prefix of a VIP" if told else "around the addresses on it"
        )
        self.segments[interface].subnet6 = _subnet(
            IPv6Network, key, text, WIDEST_PREFIX6, NARROWEST_PREFIX6
        )

    def _place_the_rest6(self) -> None:
        """IPv6 addresses of services that are on no LAN yet are on the first one that has none
        of its own.
        """
        for address in sorted(self._wanted.addresses(), key=str):
            text = str(address)
            if ":" in text and not address.is_link_local and self.of(text) is None:
                free = next(
                    (name for name, segment in self.segments.items() if segment.subnet6 is None),
                    None,
                )
                if free is None:
                    free = self.next_interface()
                    self.add(free, [])
                self._add_subnet6(free, [(text, 128)])

    def _spare_subnet(self, interface: str) -> IPv4Network:
        for net in _spare():
            if not any(net.overlaps(other.subnet) for other in self.segments.values()):
                return net
        raise HarnessError(
            f"{interface}: there are more networks than can be guessed: --set {interface}=SUBNET"
        )

    def outside(self) -> dict[str, str]:
        """The VIPs that are on no LAN, and the LAN that they are reached by: that of their
        interface.
        """
        found: dict[str, str] = {}
        for one in self._wanted.instances():
            for vip in one.held:
                if ip_address(vip.address).is_link_local or self.of(vip.address) is not None:
                    continue
                found[vip.address] = (
                    one.interface if shared_wires.is_virtual(vip.device) else vip.device
                )
        for lan in dict.fromkeys(found.values()):
            vips = [vip for vip, where in found.items() if where == lan]
            more = f" and {len(vips) - _NAMED} more" if len(vips) > _NAMED else ""
            why = (
                "they are on no LAN, so routers are taken to send them to this one; or say"
                " otherwise:"
            )
            value = f"{', '.join(vips[:_NAMED])}{more}"
            key = lan + ".6" * all(":" in vip for vip in vips)
            self._assuming.note(f"{lan}.routed", value, f"{why} {key}=SUBNET")
        return found

    def static_vips(self) -> Iterator[tuple[str, str]]:
        """VIPs of services that no VRRP instance holds: the director has them itself, on the
        first interface.
        """
        held = set(self._wanted.held())
        served = []
        for service in self._wanted.services():
            held.update(server.address for server in service.real_servers)
            served += [address for address, _ in service.endpoints]
        for address in dict.fromkeys(served):
            if address not in held:
                if (interface := self.of(address)) is None:
                    interface = self.next_interface()
                    self.add(interface, [(address, 32)])
                why = (
                    f"no VRRP instance holds it, so {next(iter(self._wanted.readings))} does, alone"
                )
                key = f"vip.{address}"
                if (wanted := self._assuming.setting(key, interface, why)) not in self.segments:
                    known = ", ".join(self.segments)
                    raise HarnessError(
                        f"--set {key}={wanted}: no such interface; there are {known}"
                    )
                yield address, wanted


_Network = TypeVar("_Network", IPv4Network, IPv6Network)


def _subnet(kind: type[_Network], key: str, text: str, widest: int, narrowest: int) -> _Network:
    """The subnet of a LAN that a setting gives. HarnessError if it is none, or no LAN's."""
    try:
        subnet = kind(text)
    except ValueError as problem:
        said = f"no IPv{4 if kind is IPv4Network else 6} subnet"
        raise HarnessError(f"--set {key}={text}: {said}: {problem}") from None
    if not widest <= subnet.prefixlen <= narrowest:
        raise HarnessError(
            f"--set {key}={text}: no subnet of a LAN: give a prefix length from"
            f" {widest} to {narrowest}"
        )
    return subnet


def _cover(addresses: list[IPAddress], told: list[IPNetwork]) -> IPNetwork | None:
    """The likely subnet: the widest that was told, or else a /24 or /64, made wider until it
    has all the addresses.
    """
    if not addresses:
        return None
    likely = LIKELY_PREFIX if addresses[0].version == 4 else LIKELY_PREFIX6
    width = min((net.prefixlen for net in told), default=likely)
    while width >= WIDEST_PREFIX:
        net = ip_network(f"{addresses[0]}/{width}", strict=False)
        if all(address in net for address in addresses):
            return net
        width -= 1
    return None


def _cover_first(known: Sequence[IPInterface]) -> IPNetwork | None:
    """The likely subnet of a LAN whose addresses are of several: that of the first."""
    if not known:
        return None
    nets = [one.network for one in known if known[0].ip in one.network]
    return _cover([known[0].ip], [net for net in nets if net.num_addresses > 2])


def _spare() -> Iterator[IPv4Network]:
    return (
        IPv4Network((int(IPv4Address("10.200.0.0")) + (number << 8), 24)) for number in range(256)
    )
