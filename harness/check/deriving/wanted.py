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
        return (instance for reading in self.readings.values() for instance in reading.instances)

    def services(self) -> Iterator[VirtualService]:
        return (service for reading in self.readings.values() for service in reading.services)

    def held(self) -> list[str]:
        """All VIPs of the instances."""
        return [vip.address for one in self.instances() for vip in one.held]

    def interfaces(self) -> list[str]:
        """Where VRRP runs or a VIP goes; ``lo`` is no wire."""
        named = [
            name
            for one in self.instances()
            for name in (one.interface, *(vip.device for vip in one.held))
        ]
        tracked = [each.name for one in self.instances() for each in one.track_interfaces]
        missed = [name for reading in self.readings.values() for name in reading.interfaces]
        wired = [
            name
            for name in dict.fromkeys([*named, *tracked, *missed])
            if name and not shared_wires.is_virtual(name)
        ]
        return wired or ["eth0"]

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
        if not any(True for _ in self.instances()):
            hints += [
                (address, 32) for service in self.services() for address, _ in service.endpoints
            ][:1]
        return hints

    def addresses(self) -> set[IPAddress]:
        """Every address that somebody is configured to have."""
        texts = [vip.address for one in self.instances() for vip in one.held]
        texts += [
            address
            for one in self.instances()
            for address in (one.source, *one.unicast_peers)
            if address
        ]
        texts += [address for service in self.services() for address, _ in service.endpoints]
        texts += [server.address for service in self.services() for server in service.real_servers]
        texts += [
            text
            for checker in checkers(self.services())
            if isinstance(checker, NetworkCheck)
            for text in (checker.bind, checker.address)
            if text
        ]
        texts += [
            service.sorry_server.address for service in self.services() if service.sorry_server
        ]
        texts += [
            each
            for reading in self.readings.values()
            for each in (*reading.bfd_sources, *reading.bfd_neighbours)
        ]
        return {ip_address(text) for text in texts}

    def refuse_strangers(self) -> None:
        """Directors that share neither a virtual router, nor a VIP, nor a service are no
        cluster.
        """
        shares = [
            {f"VRID {one.vrid}" for one in reading.instances}
            | {service.called for service in reading.services}
            | {vip.address for one in reading.instances for vip in one.held}
            for reading in self.readings.values()
        ]
        if len(shares) > 1 and any(shares) and not set.union(*shares[:1]).intersection(*shares[1:]):
            told = "; ".join(
                f"{name}: {', '.join(sorted(own)) or 'nothing'}"
                for name, own in zip(self.readings, shares, strict=True)
            )
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
    return (
        checker
        for service in services
        for server in service.real_servers
        for checker in server.checks
    )
