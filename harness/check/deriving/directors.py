"""The directors of a derived cluster: at which addresses they are, and what they serve themselves
(pure).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from ipaddress import IPv4Address

from harness.check import local, selves
from harness.check.deriving.assuming import Assuming
from harness.check.deriving.identities import Identities
from harness.check.deriving.lans import Lans
from harness.check.deriving.real_servers import address6
from harness.check.deriving.wanted import Wanted, checkers
from harness.check.facts import Reading
from harness.check.layout import DirectorMachine, Segment
from harness.errors import HarnessError
from harness.topology.checks import NetworkCheck
from harness.topology.local import LocalService
from harness.topology.services import Destination, VirtualService
from harness.topology.vrrp import VrrpInstance

_DIRECTORS6 = 0xFA
"""From which host number on the directors have free IPv6 addresses."""


class Directors:
    """``own_names`` are by director its own interfaces where the others call them otherwise,
    ``instances`` its instances as it has them itself.
    """

    def __init__(
        self,
        wanted: Wanted,
        assuming: Assuming,
        lans: Lans,
        identities: Identities,
        own_names: Mapping[str, dict[str, str]],
        instances: Mapping[str, tuple[VrrpInstance, ...]],
    ) -> None:
        self._wanted = wanted
        self._assuming = assuming
        self._lans = lans
        self._identities = identities
        self._own_names = own_names
        self._instances_of = instances
        self._given: set[str] = set()

    def machine(
        self, name: str, runs: Mapping[str, tuple[LocalService, ...]], replaced: tuple[str, ...]
    ) -> DirectorMachine:
        """A director at its addresses. ``runs`` is by script what runs there for it, ``replaced``
        are scripts in whose place is one that succeeds.
        """
        reading = self._wanted.readings[name]
        addresses = {
            lan: self._address(name, reading, segment)
            for lan, segment in self._lans.segments.items()
        }
        six = self._addresses6(name, reading)
        serves = self._served_by(next(iter(addresses.values())))
        called, instances = self._own_names[name], self._instances_of[name]
        return DirectorMachine(
            name, reading, addresses, called, instances, runs, six, replaced, serves
        )

    def _address(self, name: str, reading: Reading, segment: Segment) -> str:
        """A director's own IPv4 address on a LAN: the one that it speaks from, or else one that is
        assumed.
        """
        here = (one.source for one in reading.instances if one.interface == segment.name)
        own = (
            next(filter(None, here), None)
            or self._identities.said.get(name)
            or self._bound(reading, segment)
            or self._by_bfd(name, segment)
        )
        if own is not None and ":" not in own and IPv4Address(own) in segment.subnet:
            self._given.add(own)
            return own
        likely, why = self._likely_address(name, segment)
        key = f"{name}.{self._own_names[name].get(segment.name, segment.name)}"
        given = self._assuming.setting(key, likely, why)
        try:
            address = IPv4Address(given)
        except ValueError as problem:
            raise HarnessError(f"--set {key}={given}: no IPv4 address: {problem}") from None
        if address not in segment.subnet:
            raise HarnessError(f"--set {key}={given}: it is not in {segment.subnet}")
        return given

    def _served_by(self, address: str) -> tuple[tuple[VirtualService, Destination], ...]:
        """The services of which a director with this address is a real server, each once, and
        as which.
        """
        found: dict[str, tuple[VirtualService, Destination]] = {}
        for service in self._wanted.services():
            for server in service.real_servers:
                if server.address == address:
                    found.setdefault(service.called, (service, server))
        return tuple(found.values())

    def _likely_address(self, name: str, segment: Segment) -> tuple[str, str]:
        """A director's own address on a LAN where it speaks from none, and why that."""
        itself = self._identities.selves.get(name)
        if itself is not None and ":" not in itself and IPv4Address(itself) in segment.subnet:
            return (
                itself,
                "its only real server, where the others have another one, is taken for itself",
            )
        if (peer := self._by_peers(name, segment, six=False)) is not None:
            return peer, "the others have it as their unicast peer"
        return str(segment.free(from_end=True)), f"a free address{self._or_a_server(name, segment)}"

    def _or_a_server(self, director: str, segment: Segment) -> str:
        """How to say that a director is a real server as well, where there may be a machine for
        both.
        """
        names, near = self._identities.names, []
        for service in self._wanted.services():
            for server in service.real_servers if service.method == "DR" else ():
                name = names.get(server.address)
                if name is not None and name not in near and segment.has(server.address):
                    near.append(name)
        number = [*self._wanted.readings].index(director)
        if len(near) != len(self._wanted.readings):
            return ""
        return f"; or {director}={near[number]}, if it is that real server as well"

    def _addresses6(self, name: str, reading: Reading) -> dict[str, str]:
        """A director's own IPv6 addresses, by wire: those that it speaks from, or free ones."""
        found = {}
        for interface, segment in self._lans.segments.items():
            sources = [
                one.source for one in reading.instances if one.interface == interface and one.source
            ]
            own = next(
                (source for source in sources if ":" in source and segment.has(source)), None
            )
            own = own or self._likely_address6(name, segment)
            if own is not None:
                found[interface] = own
        return found

    def _likely_address6(self, name: str, segment: Segment) -> str | None:
        """A director's own IPv6 address on a LAN where it speaks from none; None if the LAN has no
        IPv6.
        """
        likely, why = self._by_peers(name, segment, six=True), "the others have it as their peer"
        if likely is None:
            likely, why = segment.free6(_DIRECTORS6), "a free address"
        if likely is None:
            return None
        key = f"{name}.{segment.name}.6"
        own = address6(key, self._assuming.setting(key, likely, why))
        if not segment.has(own):
            raise HarnessError(f"--set {key}={own}: it is not in {segment.subnet6}")
        return own

    def _by_bfd(self, name: str, segment: Segment) -> str | None:
        """The address that a director speaks BFD from, as itself or the other one says."""
        others = [reading for other, reading in self._wanted.readings.items() if other != name]
        said = self._wanted.readings[name].bfd_sources
        if not said and len(others) == 1:
            said = others[0].bfd_neighbours
        free = (each for each in said if each not in self._given and ":" not in each)
        return next((each for each in free if IPv4Address(each) in segment.subnet), None)

    def _by_peers(self, name: str, segment: Segment, six: bool) -> str | None:
        """The address at which all the others have a director as their unicast peer: one that is
        not its own peer, or, where one list serves all directors, the first that is left.
        """

        def peers(reading: Reading) -> list[str]:
            return [
                peer
                for one in reading.instances
                if one.interface == segment.name
                for peer in one.unicast_peers
                if (":" in peer) == six and segment.has(peer)
            ]

        readings = self._wanted.readings
        others = [peers(reading) for other, reading in readings.items() if other != name]
        sources = {one.source for one in self._wanted.instances()}
        known = [
            peer
            for peer in (others[0] if others else [])
            if all(peer in each for each in others) and peer not in self._given | sources
        ]
        own = peers(readings[name])
        found = next((peer for peer in known if peer not in own), next(iter(known), None))
        if found is not None:
            self._given.add(found)
        return found

    def _bound(self, reading: Reading, segment: Segment) -> str | None:
        """The first address that checkers of a director ask from, on a LAN: its own, unless
        another has it already.
        """
        bound = (
            checker.bind
            for checker in checkers(reading.services)
            if isinstance(checker, NetworkCheck) and checker.bind and ":" not in checker.bind
        )
        held = {vip.address for one in self._wanted.instances() for vip in one.held} | self._given
        return next(
            (each for each in bound if each not in held and IPv4Address(each) in segment.subnet),
            None,
        )

    def answering(self, directors: Sequence[DirectorMachine]) -> tuple[DirectorMachine, ...]:
        """The directors, which answer the checks of services whose real servers they are, and
        cannot be here.
        """
        found = []
        for director in directors:
            runs = dict(director.local)
            for service in director.reading.services:
                themselves = [
                    each
                    for each in service.real_servers
                    if self._identities.is_director(each.address)
                ]
                if not themselves or selves.why_not_both(service.called, directors) is None:
                    continue
                if own := local.answering(
                    replace(service, real_servers=tuple(themselves)), self._assuming.setting
                ):
                    runs[f"service {service.called}"] = own
            emulated = [
                each
                for each in director.serves
                if selves.why_not_both(each[0].name, directors) is None
            ]
            found.append(replace(director, local=runs, serves=tuple(emulated)))
        return tuple(found)
