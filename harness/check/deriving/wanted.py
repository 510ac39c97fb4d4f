"""What the configurations of all directors want, put together: instances, services, addresses
(pure).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

from harness.check import shared_wires
from harness.check.facts import Reading
from harness.errors import HarnessError
from harness.topology.checks import Check, NetworkCheck
from harness.topology.services import VirtualService
from harness.topology.vrrp import VrrpInstance

IPAddress = IPv4Address | IPv6Address


@dataclass(frozen=True)
class Wanted:
    """The readings of all directors, by name, as one."""

    readings: Mapping[str, Reading]

    def instances(self) -> Iterator[VrrpInstance]:
        for reading in self.readings.values():
            yield from reading.instances

    def services(self) -> Iterator[VirtualService]:
        for reading in self.readings.values():
            yield from reading.services

    def held(self) -> list[str]:
        """All VIPs of the instances."""
        return [vip.address for one in self.instances() for vip in one.held]

    def interfaces(self) -> list[str]:
        """Where VRRP runs or a VIP goes; ``lo`` is no wire."""
        named = []
        for one in self.instances():
            named.append(one.interface)
            named += [vip.device for vip in one.held]
        for one in self.instances():
            named += [each.name for each in one.track_interfaces]
        for reading in self.readings.values():
            named += reading.interfaces
        wired = [name for name in named if name and not shared_wires.is_virtual(name)]
        return list(dict.fromkeys(wired)) or ["eth0"]

    def hints(self, interface: str) -> list[tuple[str, int]]:
        """Addresses known to be on an interface, with their prefix lengths."""
        hints: list[tuple[str, int]] = []
        for one in self.instances():
            if one.interface == interface:
                hints += [(address, 32) for address in (one.source, *one.unicast_peers) if address]
            for vip in one.held:
                if (
                    one.interface if shared_wires.is_virtual(vip.device) else vip.device
                ) == interface:
                    hints.append((vip.address, vip.prefix))
        if not list(self.instances()):
            for service in self.services():
                if service.endpoints:
                    return [*hints, (service.endpoints[0][0], 32)]
        return hints

    def addresses(self) -> set[IPAddress]:
        """Every address that somebody is configured to have."""
        texts: list[str | None] = []
        for one in self.instances():
            texts += [vip.address for vip in one.held]
            texts += [one.source, *one.unicast_peers]
        for service in self.services():
            texts += [address for address, _ in service.endpoints]
            texts += [server.address for server in service.real_servers]
            if service.sorry_server:
                texts.append(service.sorry_server.address)
        for checker in checkers(self.services()):
            if isinstance(checker, NetworkCheck):
                texts += [checker.bind, checker.address]
        for reading in self.readings.values():
            texts += [*reading.bfd_sources, *reading.bfd_neighbours]
        return {ip_address(text) for text in texts if text}

    def refuse_strangers(self) -> None:
        """Directors that share neither a virtual router, nor a VIP, nor a service are no
        cluster.
        """
        shares = {name: _what_others_may_have(reading) for name, reading in self.readings.items()}
        if len(shares) > 1 and any(shares.values()) and not set.intersection(*shares.values()):
            lists = {name: ", ".join(sorted(own)) for name, own in shares.items()}
            told = "; ".join(f"{name}: {listed or 'nothing'}" for name, listed in lists.items())
            raise HarnessError(
                f"these directors share no VRID, no VIP and no virtual server, so they are no"
                f" cluster: {told}"
            )

    def refuse_shared_sources(self) -> None:
        sources: dict[str, str] = {}
        for name, reading in self.readings.items():
            for source in {one.source for one in reading.instances if one.source}:
                if (other := sources.setdefault(source, name)) != name:
                    raise HarnessError(
                        f"{other} and {name} both have unicast_src_ip or mcast_src_ip {source},"
                        f" and it can be on one"
                        " machine only; give each director the file that is its own"
                    )


def checkers(services: Iterable[VirtualService]) -> Iterator[Check]:
    for service in services:
        for server in service.real_servers:
            yield from server.checks


def _what_others_may_have(reading: Reading) -> set[str]:
    """By what a director is known to belong to the same cluster as another that has it, too."""
    vrids = {f"VRID {one.vrid}" for one in reading.instances}
    services = {service.called for service in reading.services}
    vips: set[str] = set()
    for one in reading.instances:
        vips.update(vip.address for vip in one.held)
    return vrids | services | vips
