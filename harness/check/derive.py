"""From what the directors' keepalived has read to the cluster that it needs: machines, wires,
addresses (pure).

A keepalived.conf does not say everything: which subnet an interface is in, which address the
director has itself, where the clients are. What is not said is assumed, and every assumption has a
key by which the user can correct it.
"""

from __future__ import annotations

import ipaddress
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from ipaddress import (
    IPv4Address,
    IPv4Interface,
    IPv4Network,
    IPv6Address,
    IPv6Interface,
    IPv6Network,
    ip_address,
    ip_network,
)

from harness.check import local, reach, selves, shared_wires, standins
from harness.check.facts import Reading
from harness.check.files import SCRIPT
from harness.check.layout import Assumption, DirectorMachine, Layout, Segment, ServerMachine
from harness.errors import HarnessError
from harness.topology.checks import Check, NetworkCheck
from harness.topology.services import Destination, VirtualService
from harness.topology.vrrp import VrrpInstance

IPAddress = IPv4Address | IPv6Address
IPNetwork = IPv4Network | IPv6Network
IPInterface = IPv4Interface | IPv6Interface

ITSELF = "itself"
"""``--set lb1=web1``: a director and a real server are one machine; by default each is a
machine of its own.
"""
CLIENT = "client"
"""``--set client=router``: clients are behind a router."""
REST, SUCCEEDS, RUNS = "rest.", "succeeds", "runs"
"""``--set rest.SCRIPT=runs``: a script that fails all by itself runs as it is."""
_SAID = 120
_NAMED = 3
LIKELY_PREFIX = 24
LIKELY_PREFIX6 = 64
WIDEST_PREFIX, NARROWEST_PREFIX = 8, 30
WIDEST_PREFIX6, NARROWEST_PREFIX6 = 8, 126
_CLIENT6, _DIRECTORS6 = 0x1, 0xFA
"""From which host numbers on the client and the directors have free IPv6 addresses."""


def derive(
    readings: Mapping[str, Reading],
    settings: Mapping[str, str] | None = None,
    files: Mapping[str, Mapping[str, tuple[bytes, int]]] | None = None,
) -> Layout:
    """The cluster in which all directors do what they are configured for.

    ``settings``: ``INTERFACE=SUBNET``, ``DIRECTOR.INTERFACE=ADDRESS``, ``mark.MARK=ADDRESS:PORT``.
    HarnessError names what fits nowhere, and a setting that nothing asks for. ``files`` are each
    director's own, by path: the scripts among them say what they look for on the director.
    """
    return _Deriving(dict(readings), dict(settings or {}), files or {}).layout()


class _Deriving:
    def __init__(
        self,
        readings: dict[str, Reading],
        settings: dict[str, str],
        files: Mapping[str, Mapping[str, tuple[bytes, int]]],
    ) -> None:
        self._settings = settings
        self._files = {name: files.get(name, {}) for name in readings}
        self._used: set[str] = set()
        self._given: set[str] = set()
        self._assumptions: list[Assumption] = []
        self._segments: dict[str, Segment] = {}
        self._instances_of = {name: reading.instances for name, reading in readings.items()}
        self._selves = selves.selves(readings)
        unified, self._own_names = shared_wires.unified(readings, self._setting)
        self._readings, self._left_out = reach.addressed(unified, self._setting)
        self._names = self._names_of_servers()
        self._said = self._said_to_be_servers()
        self._selves |= self._said

    def layout(self) -> Layout:
        self._refuse_strangers()
        self._refuse_shared_sources()
        for interface in self._interfaces():
            hints = self._hints(interface)
            self._add_segment(interface, [hint for hint in hints if ":" not in hint[0]])
            self._add_subnet6(interface, [hint for hint in hints if ":" in hint[0]])
        self._place_the_rest6()
        outside = self._outside()
        static = dict(self._static_vips())
        servers = self._place_servers()
        for address in self._all_addresses():
            for segment in self._segments.values():
                if segment.has(str(address)):
                    segment.taken.add(address)
        scripts = {
            name: tuple(
                each
                for each in reading.scripts
                if not local.runs_one_of(each.script, reading.programs)
            )
            for name, reading in self._readings.items()
        }
        links_pidof = local.links_pidof(
            (each for own in scripts.values() for each in own), self._setting
        )
        held = [vip.address for one in self._instances() for vip in one.held]
        self._local = local.running(scripts, self._files, self._setting, held)
        self._replaced = {
            name: tuple(self._succeeding(reading)) for name, reading in self._readings.items()
        }
        directors = self._answering(tuple(map(self._director, self._readings)))
        for path in dict.fromkeys(
            path for reading in self._readings.values() for path in reading.programs
        ):
            why = "there is no such program, so one that does nothing and succeeds; or FILE"
            self._setting(f"{SCRIPT}{path}", "exit 0", why)
        client = {name: str(segment.free()) for name, segment in self._segments.items()}
        client6 = {
            name: own
            for name, segment in self._segments.items()
            if (own := segment.free6(_CLIENT6))
        }
        routed = self._routed()
        servers = tuple(
            self._reachable(server, directors[0], client, client6) for server in servers
        )
        if unknown := self._settings.keys() - self._used:
            known = ", ".join(assumption.key for assumption in self._assumptions)
            raise HarnessError(
                f"--set {', '.join(sorted(unknown))}: nothing here asks for it; what can be set:"
                f" {known}"
            )
        return Layout(
            self._segments,
            directors,
            servers,
            client,
            tuple(self._assumptions),
            static,
            tuple(self._left_out),
            links_pidof=links_pidof,
            client6=client6,
            routed=routed,
            outside=outside,
        )

    def _answering(self, directors: tuple[DirectorMachine, ...]) -> tuple[DirectorMachine, ...]:
        """The directors, which answer the checks of services whose real servers they are, and
        cannot be here.
        """
        found = []
        for director in directors:
            runs = dict(director.local)
            for service in director.reading.services:
                themselves = [
                    each for each in service.real_servers if self._is_director(each.address)
                ]
                if not themselves or selves.why_not_both(service.called, directors) is None:
                    continue
                if own := local.answering(
                    replace(service, real_servers=tuple(themselves)), self._setting
                ):
                    runs[f"service {service.called}"] = own
            emulated = [
                each
                for each in director.serves
                if selves.why_not_both(each[0].name, directors) is None
            ]
            found.append(replace(director, local=runs, serves=tuple(emulated)))
        return tuple(found)

    def _succeeding(self, reading: Reading) -> Iterator[str]:
        """The scripts that fail where nothing is broken, and are assumed to succeed on the
        directors.
        """
        for ill in reading.ill:
            if ill.needs_shell:
                continue
            key = f"{REST}{ill.script}"
            why = (
                f"{ill.script} fails here and says {ill.said[:_SAID]!r}, so one that succeeds"
                f" takes its place"
            )
            why += f"; or {RUNS}"
            value = self._setting(key, SUCCEEDS, why)
            if value not in (SUCCEEDS, RUNS):
                raise HarnessError(f"--set {key}={value}: write {SUCCEEDS} or {RUNS}")
            if value == SUCCEEDS:
                yield ill.script

    def _names_of_servers(self) -> dict[str, str]:
        """What each real or sorry server is called, by its address, but for those that are
        directors for sure.
        """
        addresses = [
            server.address for service in self._services() for server in service.real_servers
        ]
        addresses += [
            service.sorry_server.address for service in self._services() if service.sorry_server
        ]
        others = [address for address in dict.fromkeys(addresses) if not self._is_director(address)]
        return {address: f"web{number}" for number, address in enumerate(others, start=1)}

    def _said_to_be_servers(self) -> dict[str, str]:
        """By director the address of the real server that it is as well, where the user says so."""
        found: dict[str, str] = {}
        for director in self._readings:
            if (said := self._settings.get(director, ITSELF)) == ITSELF:
                self._used.add(director)
                continue
            address = next(
                (each for each, name in self._names.items() if said in (name, each)), None
            )
            if address is None:
                known = (
                    ", ".join(f"{name} ({each})" for each, name in self._names.items()) or "none"
                )
                raise HarnessError(
                    f"--set {director}={said}: there is no such real server: {known}; or"
                    f" {ITSELF}: {director} is a"
                    " machine of its own"
                )
            if address in found.values():
                raise HarnessError(
                    f"--set {director}={said}: another director is that machine already"
                )
            self._used.add(director)
            found[director] = address
        return found

    def _routed(self) -> bool:
        """Whether clients are behind a router, as the user says; else they are on every LAN of
        the directors'.
        """
        if not any(True for _ in self._services()):
            return False
        value = self._setting(
            CLIENT, "lan", "clients are on the directors' LANs; or router: behind one"
        )
        if value not in ("lan", "router"):
            raise HarnessError(f"--set {CLIENT}={value}: write lan or router")
        return value == "router"

    def _is_director(self, address: str) -> bool:
        """Whether a real server's address is that of a director."""
        if selves.is_loopback(address) or address in self._selves.values():
            return True
        own = {one.source for one in self._instances()}
        own |= {
            value
            for key, value in self._settings.items()
            if "." in key and key.partition(".")[0] in self._readings
        }
        return address in own

    def _refuse_strangers(self) -> None:
        """Directors that share neither a virtual router, nor a VIP, nor a service are no
        cluster.
        """
        shares = [
            {f"VRID {one.vrid}" for one in reading.instances}
            | {service.called for service in reading.services}
            | {vip.address for one in reading.instances for vip in one.held}
            for reading in self._readings.values()
        ]
        if len(shares) > 1 and any(shares) and not set.union(*shares[:1]).intersection(*shares[1:]):
            told = "; ".join(
                f"{name}: {', '.join(sorted(own)) or 'nothing'}"
                for name, own in zip(self._readings, shares, strict=True)
            )
            raise HarnessError(
                f"these directors share no VRID, no VIP and no virtual server, so they are no"
                f" cluster: {told}"
            )

    def _refuse_shared_sources(self) -> None:
        sources: dict[str, str] = {}
        for name, reading in self._readings.items():
            for source in {one.source for one in reading.instances if one.source}:
                if (other := sources.setdefault(source, name)) != name:
                    raise HarnessError(
                        f"{other} and {name} both have unicast_src_ip or mcast_src_ip {source},"
                        f" and it can be on one"
                        " machine only; give each director the file that is its own"
                    )

    def _outside(self) -> dict[str, str]:
        """The VIPs that are on no LAN, and the LAN that they are reached by: that of their
        interface.
        """
        found: dict[str, str] = {}
        for one in self._instances():
            for vip in one.held:
                if (
                    ip_address(vip.address).is_link_local
                    or self._segment_of(vip.address) is not None
                ):
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
            self._assumptions.append(Assumption(f"{lan}.routed", value, f"{why} {key}=SUBNET"))
        return found

    # -- what was configured -----------------------------------------------------------------------

    def _instances(self) -> Iterator[VrrpInstance]:
        return (instance for reading in self._readings.values() for instance in reading.instances)

    def _services(self) -> Iterator[VirtualService]:
        return (service for reading in self._readings.values() for service in reading.services)

    def _interfaces(self) -> list[str]:
        """Where VRRP runs or a VIP goes; ``lo`` is no wire."""
        named = [
            name
            for one in self._instances()
            for name in (one.interface, *(vip.device for vip in one.held))
        ]
        tracked = [each.name for one in self._instances() for each in one.track_interfaces]
        missed = [name for reading in self._readings.values() for name in reading.interfaces]
        wired = [
            name
            for name in dict.fromkeys([*named, *tracked, *missed])
            if name and not shared_wires.is_virtual(name)
        ]
        return wired or ["eth0"]

    def _hints(self, interface: str) -> list[tuple[str, int]]:
        """Addresses known to be on an interface, with their prefix lengths."""
        hints: list[tuple[str, int]] = []
        for one in self._instances():
            if one.interface == interface:
                hints += [(address, 32) for address in (one.source, *one.unicast_peers) if address]
            for vip in one.held:
                if (
                    one.interface if shared_wires.is_virtual(vip.device) else vip.device
                ) == interface:
                    hints.append((vip.address, vip.prefix))
        if not any(True for _ in self._instances()):
            hints += [
                (address, 32) for service in self._services() for address, _ in service.endpoints
            ][:1]
        return hints

    def _all_addresses(self) -> set[IPAddress]:
        """Every address that somebody is configured to have."""
        texts = [vip.address for one in self._instances() for vip in one.held]
        texts += [
            address
            for one in self._instances()
            for address in (one.source, *one.unicast_peers)
            if address
        ]
        texts += [address for service in self._services() for address, _ in service.endpoints]
        texts += [server.address for service in self._services() for server in service.real_servers]
        texts += [
            text
            for checker in _checkers(self._services())
            if isinstance(checker, NetworkCheck)
            for text in (checker.bind, checker.address)
            if text
        ]
        texts += [
            service.sorry_server.address for service in self._services() if service.sorry_server
        ]
        texts += [
            each
            for reading in self._readings.values()
            for each in (*reading.bfd_sources, *reading.bfd_neighbours)
        ]
        return {ip_address(text) for text in texts}

    # -- what is assumed ---------------------------------------------------------------------------

    def _setting(self, key: str, value: str, why: str) -> str:
        self._used.add(key)
        if key in self._settings:
            return self._settings[key]
        if not any(assumption.key == key for assumption in self._assumptions):
            self._assumptions.append(Assumption(key, value, why))
        return value

    def _add_segment(self, interface: str, hints: Iterable[tuple[str, int]]) -> None:
        known = [ipaddress.ip_interface(f"{address}/{prefix}") for address, prefix in hints]
        told = [one.network for one in known if one.network.prefixlen < 31]
        likely = _cover([one.ip for one in known], told) or _cover_first(known)
        assert likely is None or isinstance(likely, IPv4Network)
        why = "the prefix of a VIP" if likely in told else "around the addresses on it"
        if likely is None or any(
            likely.overlaps(other.subnet) for other in self._segments.values()
        ):
            why = (
                "nothing is said of it"
                if likely is None
                else f"{likely} is on another interface already"
            )
            likely = self._spare_subnet(interface)
        text = self._setting(interface, str(likely), why)
        try:
            subnet = IPv4Network(text)
        except ValueError as problem:
            raise HarnessError(f"--set {interface}={text}: no IPv4 subnet: {problem}") from None
        if not WIDEST_PREFIX <= subnet.prefixlen <= NARROWEST_PREFIX:
            raise HarnessError(
                f"--set {interface}={text}: no subnet of a LAN: give a prefix length from"
                f" {WIDEST_PREFIX} to {NARROWEST_PREFIX}"
            )
        for other in self._segments.values():
            if subnet.overlaps(other.subnet):
                raise HarnessError(
                    f"{interface}: {subnet} overlaps {other.subnet} of {other.name}: an address"
                    f" would be on two wires;"
                    f" say which subnets they are in: --set {interface}=... --set {other.name}=..."
                )
        self._segments[interface] = Segment(interface, subnet)

    def _add_subnet6(self, interface: str, hints: Iterable[tuple[str, int]]) -> None:
        """Give a LAN the IPv6 subnet that has the addresses known to be on it, if there are any."""
        known = [ipaddress.ip_interface(f"{address}/{prefix}") for address, prefix in hints]
        known = [one for one in known if not one.ip.is_link_local]
        told = [one.network for one in known if one.network.prefixlen < 127]
        likely = _cover([one.ip for one in known], told) or _cover_first(known)
        if likely is None:
            return
        key = f"{interface}.6"
        text = self._setting(
            key, str(likely), "the prefix of a VIP" if told else "around the addresses on it"
        )
        try:
            subnet = IPv6Network(text)
        except ValueError as problem:
            raise HarnessError(f"--set {key}={text}: no IPv6 subnet: {problem}") from None
        if not WIDEST_PREFIX6 <= subnet.prefixlen <= NARROWEST_PREFIX6:
            raise HarnessError(
                f"--set {key}={text}: no subnet of a LAN: give a prefix length from"
                f" {WIDEST_PREFIX6} to {NARROWEST_PREFIX6}"
            )
        self._segments[interface].subnet6 = subnet

    def _place_the_rest6(self) -> None:
        """IPv6 addresses of services that are on no LAN yet are on the first one that has none
        of its own.
        """
        for address in sorted(self._all_addresses(), key=str):
            text = str(address)
            if ":" in text and not address.is_link_local and self._segment_of(text) is None:
                free = next(
                    (name for name, segment in self._segments.items() if segment.subnet6 is None),
                    None,
                )
                if free is None:
                    free = self._next_interface()
                    self._add_segment(free, [])
                self._add_subnet6(free, [(text, 128)])

    def _reachable(
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
            return replace(server, gateway=self._gateway(server, director, client))
        if any(service.method == "NAT" for service, _ in server.serves):
            inside = [
                vip.address
                for one in director.reading.instances
                for vip in one.held
                if ":" in vip.address and vip.device == server.segment
            ]
            likely = (inside or [director.addresses6[server.segment]])[-1]
            key, why = f"{server.name}.gateway", "with NAT answers go back through the director"
            return replace(server, gateway6=_address6(key, self._setting(key, likely, why)))
        return replace(server, gateway=client[server.segment], gateway6=client6.get(server.segment))

    def _spare_subnet(self, interface: str) -> IPv4Network:
        for net in _spare():
            if not any(net.overlaps(other.subnet) for other in self._segments.values()):
                return net
        raise HarnessError(
            f"{interface}: there are more networks than can be guessed: --set {interface}=SUBNET"
        )

    def _static_vips(self) -> Iterator[tuple[str, str]]:
        """VIPs of services that no VRRP instance holds: the director has them itself, on the
        first interface.
        """
        held = {vip.address for one in self._instances() for vip in one.held}
        held |= {server.address for service in self._services() for server in service.real_servers}
        served = [address for service in self._services() for address, _ in service.endpoints]
        for address in dict.fromkeys(served):
            if address not in held:
                if (interface := self._segment_of(address)) is None:
                    interface = self._next_interface()
                    self._add_segment(interface, [(address, 32)])
                why = f"no VRRP instance holds it, so {next(iter(self._readings))} does, alone"
                key = f"vip.{address}"
                if (wanted := self._setting(key, interface, why)) not in self._segments:
                    known = ", ".join(self._segments)
                    raise HarnessError(
                        f"--set {key}={wanted}: no such interface; there are {known}"
                    )
                yield address, wanted

    def _segment_of(self, address: str) -> str | None:
        for name, segment in self._segments.items():
            if segment.has(address):
                return name
        return None

    def _place_servers(self) -> tuple[ServerMachine, ...]:
        serves: dict[str, list[tuple[VirtualService, Destination]]] = {}
        for service in self._services():
            for server in service.real_servers:
                if self._is_director(server.address):
                    continue
                mine = serves.setdefault(server.address, [])
                if not any(
                    server.port == other.port and service.called == known.called
                    for known, other in mine
                ):
                    mine.append((service, server))
        for service in self._services():
            if service.sorry_server and not self._is_director(service.sorry_server.address):
                serves.setdefault(service.sorry_server.address, [])
        asked = self._asked_elsewhere()
        for number, address in enumerate((each for each in asked if each not in serves), start=1):
            serves[address] = []
            self._names[address] = f"asked{number}"
        machines = []
        for address, served in serves.items():
            if (name := self._segment_of(address)) is None:
                name = self._next_interface()
                self._add_segment(name, [(address, 32)])
            sorry = tuple(
                service
                for service in self._services()
                if service.sorry_server is not None and service.sorry_server.address == address
            )
            own, own6 = (
                (str(self._segments[name].free()), address) if ":" in address else (address, None)
            )
            called = self._names[address]
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
        held = {vip.address for one in self._instances() for vip in one.held}
        found: dict[str, dict[tuple[str, Check], tuple[VirtualService, Check]]] = {}
        for service in self._services():
            for server in service.real_servers:
                for checker in server.checks:
                    if not isinstance(checker, NetworkCheck) or checker in server.own_checks:
                        continue
                    address = checker.address or ""
                    answered = checker.keyword in standins.ANSWERED and not (
                        ":" in address and checker.keyword == "SMTP_CHECK"
                    )
                    if answered and address not in held and not self._is_director(address):
                        found.setdefault(address, {})[service.called, checker] = (service, checker)
        return {address: tuple(each.values()) for address, each in sorted(found.items())}

    def _gateway(
        self, server: ServerMachine, director: DirectorMachine, client: Mapping[str, str]
    ) -> str:
        """With NAT the answers have to come back through the director that has the VIP; else
        clients are the way out.

        The VIP on the real servers' own LAN, if there is one, moves with the master.
        """
        if not any(service.method == "NAT" for service, _ in server.serves):
            return client[server.segment]
        vips = [
            vip
            for one in director.reading.instances
            for vip in one.held
            if vip.device == server.segment
        ]
        vips = [vip for vip in vips if ":" not in vip.address]
        inside = [
            vip.address
            for vip in vips
            if IPv4Address(vip.address) in self._segments[server.segment].subnet
        ]
        likely = (inside or [director.addresses[server.segment]])[-1]
        why = "with NAT answers go back through the director" + (
            "" if inside else ", and no VIP is on this LAN"
        )
        gateway = self._setting(f"{server.name}.gateway", likely, why)
        try:
            IPv4Address(gateway)
        except ValueError as problem:
            raise HarnessError(
                f"--set {server.name}.gateway={gateway}: no IPv4 address: {problem}"
            ) from None
        return gateway

    def _next_interface(self) -> str:
        return next(
            name for number in itertools.count() if (name := f"eth{number}") not in self._segments
        )

    def _director(self, name: str) -> DirectorMachine:
        reading, called = self._readings[name], self._own_names[name]
        addresses = {}
        for interface, segment in self._segments.items():
            own = next(
                (
                    one.source
                    for one in reading.instances
                    if one.interface == interface and one.source
                ),
                None,
            )
            own = (
                own
                or self._said.get(name)
                or self._bound(reading, segment)
                or self._by_bfd(name, segment)
            )
            if own is not None and ":" not in own and IPv4Address(own) in segment.subnet:
                addresses[interface] = own
                self._given.add(own)
                continue
            likely, why = self._likely_address(name, segment)
            key = f"{name}.{called.get(interface, interface)}"
            given = self._setting(key, likely, why)
            try:
                address = IPv4Address(given)
            except ValueError as problem:
                raise HarnessError(f"--set {key}={given}: no IPv4 address: {problem}") from None
            if address not in segment.subnet:
                raise HarnessError(f"--set {key}={given}: it is not in {segment.subnet}")
            addresses[interface] = given
        six, replaced = self._addresses6(name, reading), self._replaced[name]
        instances = self._instances_of[name]
        runs = {
            script: own
            for script, own in self._local.get(name, {}).items()
            if script not in replaced
        }
        serves = self._served_by(next(iter(addresses.values())))
        return DirectorMachine(
            name, reading, addresses, called, instances, runs, six, replaced, serves
        )

    def _served_by(self, address: str) -> tuple[tuple[VirtualService, Destination], ...]:
        """The services of which a director with this address is a real server, each once, and
        as which.
        """
        found: dict[str, tuple[VirtualService, Destination]] = {}
        for service in self._services():
            for server in service.real_servers:
                if server.address == address:
                    found.setdefault(service.called, (service, server))
        return tuple(found.values())

    def _likely_address(self, name: str, segment: Segment) -> tuple[str, str]:
        """A director's own address on a LAN where it speaks from none, and why that."""
        itself = self._selves.get(name)
        if itself is not None and ":" not in itself and IPv4Address(itself) in segment.subnet:
            return (
                itself,
                "its only real server, where the others have another one, is taken for itself",
            )
        return str(segment.free(from_end=True)), f"a free address{self._or_a_server(name, segment)}"

    def _or_a_server(self, director: str, segment: Segment) -> str:
        """How to say that a director is a real server as well, where there may be a machine for
        both.
        """
        near = [
            self._names[server.address]
            for service in self._services()
            for server in service.real_servers
            if service.method == "DR"
            and server.address in self._names
            and segment.has(server.address)
        ]
        near = list(dict.fromkeys(near))
        number = [*self._readings].index(director)
        if len(near) != len(self._readings):
            return ""
        return f"; or {director}={near[number]}, if it is that real server as well"

    def _addresses6(self, name: str, reading: Reading) -> dict[str, str]:
        """A director's own IPv6 addresses, by wire: those that it speaks from, or free ones."""
        found = {}
        for interface, segment in self._segments.items():
            sources = [
                one.source for one in reading.instances if one.interface == interface and one.source
            ]
            own = next(
                (source for source in sources if ":" in source and segment.has(source)), None
            )
            if own is None and (free := segment.free6(_DIRECTORS6)) is not None:
                key = f"{name}.{interface}.6"
                own = _address6(key, self._setting(key, free, "a free address"))
                if not segment.has(own):
                    raise HarnessError(f"--set {key}={own}: it is not in {segment.subnet6}")
            if own is not None:
                found[interface] = own
        return found

    def _by_bfd(self, name: str, segment: Segment) -> str | None:
        """The address that a director speaks BFD from, as itself or the other one says."""
        others = [reading for other, reading in self._readings.items() if other != name]
        said = self._readings[name].bfd_sources
        if not said and len(others) == 1:
            said = others[0].bfd_neighbours
        free = (each for each in said if each not in self._given and ":" not in each)
        return next((each for each in free if IPv4Address(each) in segment.subnet), None)

    def _bound(self, reading: Reading, segment: Segment) -> str | None:
        """The first address that checkers of a director ask from, on a LAN: its own, unless
        another has it already.
        """
        bound = (
            checker.bind
            for checker in _checkers(reading.services)
            if isinstance(checker, NetworkCheck) and checker.bind and ":" not in checker.bind
        )
        held = {vip.address for one in self._instances() for vip in one.held} | self._given
        return next(
            (each for each in bound if each not in held and IPv4Address(each) in segment.subnet),
            None,
        )


def _address6(key: str, text: str) -> str:
    """What ``--set`` gives as an IPv6 address, if it is one. HarnessError if not."""
    try:
        return str(IPv6Address(text))
    except ValueError as problem:
        raise HarnessError(f"--set {key}={text}: no IPv6 address: {problem}") from None


def _checkers(services: Iterable[VirtualService]) -> Iterator[Check]:
    return (
        checker
        for service in services
        for server in service.real_servers
        for checker in server.checks
    )


def _each_once(services: Iterable[VirtualService]) -> tuple[VirtualService, ...]:
    return tuple({service.called: service for service in services}.values())


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
