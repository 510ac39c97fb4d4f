"""The real servers of a derived cluster: where each is, whom it serves, and by which gateway it
answers (pure).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address

from harness.check import standins
from harness.check.deriving.assuming import Assuming
from harness.check.deriving.identities import Identities
from harness.check.deriving.lans import Lans
from harness.check.deriving.wanted import Wanted
from harness.check.layout import DirectorMachine, ServerMachine
from harness.errors import HarnessError
from harness.topology.checks import Check, NetworkCheck
from harness.topology.services import Destination, VirtualService
from harness.topology.vrrp import Vip

_UNASKED6 = 0x1000
"""From which host number on real servers that nobody asks over IPv6 have free IPv6 addresses."""


class RealServers:
    """The machines that are real servers, or that checkers ask."""

    def __init__(
        self, wanted: Wanted, assuming: Assuming, lans: Lans, identities: Identities
    ) -> None:
        self._wanted = wanted
        self._assuming = assuming
        self._lans = lans
        self._identities = identities

    def place(self) -> tuple[ServerMachine, ...]:
        """The machines, each on its LAN, without gateways."""
        serves: dict[str, list[tuple[VirtualService, Destination]]] = {}
        for service in self._wanted.services():
            for server in service.real_servers:
                if self._identities.is_director(server.address):
                    continue
                mine = serves.setdefault(server.address, [])
                if not any(
                    server.port == other.port and service.called == known.called
                    for known, other in mine
                ):
                    mine.append((service, server))
        for service in self._wanted.services():
            if service.sorry_server and not self._identities.is_director(
                service.sorry_server.address
            ):
                serves.setdefault(service.sorry_server.address, [])
        asked = self._asked_elsewhere()
        for number, address in enumerate((each for each in asked if each not in serves), start=1):
            serves[address] = []
            self._identities.names[address] = f"asked{number}"
        machines = []
        for address, served in serves.items():
            if (name := self._lans.of(address)) is None:
                name = self._lans.next_interface()
                self._lans.add(name, [(address, 32)])
            sorry = tuple(
                service
                for service in self._wanted.services()
                if service.sorry_server is not None and service.sorry_server.address == address
            )
            own, own6 = (
                (str(self._lans.segments[name].free()), address)
                if ":" in address
                else (address, None)
            )
            called = self._identities.names[address]
            machines.append(
                ServerMachine(
                    called,
                    own,
                    name,
                    tuple(served),
                    _each_once(sorry),
                    address6=own6,
                    asked=asked.get(address, ()),
                )
            )
        return tuple(machines)

    def _asked_elsewhere(self) -> dict[str, tuple[tuple[VirtualService, Check], ...]]:
        """The checkers that ask another machine than their real server, by its address, if it
        is no director.
        """
        held = {vip.address for one in self._wanted.instances() for vip in one.held}
        found: dict[str, dict[tuple[str, Check], tuple[VirtualService, Check]]] = {}
        for service in self._wanted.services():
            for server in service.real_servers:
                for checker in server.checks:
                    if not isinstance(checker, NetworkCheck) or checker in server.own_checks:
                        continue
                    address = checker.address or ""
                    answered = checker.keyword in standins.ANSWERED and not (
                        ":" in address and checker.keyword == "SMTP_CHECK"
                    )
                    if (
                        answered
                        and address not in held
                        and not self._identities.is_director(address)
                    ):
                        found.setdefault(address, {})[service.called, checker] = (service, checker)
        return {address: tuple(each.values()) for address, each in sorted(found.items())}

    def reachable(
        self,
        server: ServerMachine,
        director: DirectorMachine,
        client: Mapping[str, str],
        client6: Mapping[str, str],
    ) -> ServerMachine:
        """The server with its gateways: with NAT the director's, of either family, else the
        client.
        """
        if server.address6 is None:
            beside = self._lans.segments[server.segment].free6(_UNASKED6)
            gateway = self._gateway(server, director, client)
            return replace(server, gateway=gateway, unasked6=beside)
        if any(service.method == "NAT" for service, _ in server.serves):
            held = _held_on(director, server.segment)
            inside = [vip.address for vip in held if ":" in vip.address]
            likely = (inside or [director.addresses6[server.segment]])[-1]
            key, why = f"{server.name}.gateway", "with NAT answers go back through the director"
            return replace(server, gateway6=address6(key, self._assuming.setting(key, likely, why)))
        return replace(server, gateway=client[server.segment], gateway6=client6.get(server.segment))

    def _gateway(
        self, server: ServerMachine, director: DirectorMachine, client: Mapping[str, str]
    ) -> str:
        """With NAT the answers have to come back through the director that has the VIP; else
        clients are the way out.

        The VIP on the real servers' own LAN, if there is one, moves with the master.
        """
        if not any(service.method == "NAT" for service, _ in server.serves):
            return client[server.segment]
        vips = [vip for vip in _held_on(director, server.segment) if ":" not in vip.address]
        inside = [
            vip.address
            for vip in vips
            if IPv4Address(vip.address) in self._lans.segments[server.segment].subnet
        ]
        likely = (inside or [director.addresses[server.segment]])[-1]
        why = "with NAT answers go back through the director" + (
            "" if inside else ", and no VIP is on this LAN"
        )
        gateway = self._assuming.setting(f"{server.name}.gateway", likely, why)
        try:
            IPv4Address(gateway)
        except ValueError as problem:
            raise HarnessError(
                f"--set {server.name}.gateway={gateway}: no IPv4 address: {problem}"
            ) from None
        return gateway


def address6(key: str, text: str) -> str:
    """What ``--set`` gives as an IPv6 address, if it is one. HarnessError if not."""
    try:
        return str(IPv6Address(text))
    except ValueError as problem:
        raise HarnessError(f"--set {key}={text}: no IPv6 address: {problem}") from None


def _each_once(services: Iterable[VirtualService]) -> tuple[VirtualService, ...]:
    return tuple({service.called: service for service in services}.values())


def _held_on(director: DirectorMachine, segment: str) -> list[Vip]:
    """The VIPs that a director's instances hold on a LAN."""
    vips: list[Vip] = []
    for one in director.reading.instances:
        vips += [vip for vip in one.held if vip.device == segment]
    return vips
