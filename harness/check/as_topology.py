"""What directors' own configurations become: the topology that they need, once keepalived
itself has read them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from ipaddress import IPv4Network, IPv6Network
from typing import TYPE_CHECKING, Any

from mininet.topo import Topo

from harness.check import (
    deriving,
    drawing,
    judged,
    local,
    reading,
    rehearsal,
    shared_wires,
    standins,
)
from harness.check.facts import Ill, Reading
from harness.check.files import Configuration
from harness.check.layout import DirectorMachine, Layout, ServerMachine
from harness.lab.plan import HostPlan, Plan, Topology, with_images
from harness.lab.supervisor import Supervisor
from harness.topology import (
    Client,
    Director,
    DirectorAndRealServer,
    RealServer,
    Router,
    VirtualService,
    VrrpInstance,
)

if TYPE_CHECKING:
    from harness.images.selection import Selection


OUTSIDE, OUTSIDE6 = IPv4Network("198.18.0.0/24"), IPv6Network("fd00:198:18::/64")
"""Where clients are that are behind a router."""


def readings(
    configurations: list[Configuration], supervisor: Supervisor, selection: Selection | None
) -> tuple[dict[str, Reading], dict[str, tuple[str, ...]]]:
    """What each director's keepalived has read, and what it says against it, by director.

    keepalived reads in machines of its own, with the images of ``selection``.
    """
    found: dict[str, Reading] = {}
    complaints: dict[str, tuple[str, ...]] = {}
    known: rehearsal.Known = {}
    hosts = tuple(
        HostPlan(configuration.director, Director(), ()) for configuration in configurations
    )
    plan = Plan({}, hosts) if selection is None else with_images(Plan({}, hosts), selection)
    for configuration, host in zip(configurations, plan.hosts, strict=True):
        found[configuration.director], said = reading.read(configuration, host, supervisor, known)
        missing = tuple(
            f"include {pattern}: there is no such file" for pattern in configuration.missing
        )
        complaints[configuration.director] = (*said, *missing)
    return found, complaints


def topology(
    configurations: list[Configuration], settings: dict[str, str], read: Mapping[str, Reading]
) -> tuple[Topology, str, Layout]:
    """The topology, the drawing of what was understood, and where its machines stand."""
    files = {configuration.director: configuration.files for configuration in configurations}
    layout = deriving.derive(read, settings, files)
    changed: dict[str, None] = {}
    for configuration in configurations:
        changed |= dict.fromkeys(configuration.changed)
    layout = replace(
        layout,
        left_out=(*layout.left_out, *standins.left_out(layout)),
        changed=(*changed, *standins.changed(layout)),
    )
    made = partial(_Derived, layout=layout, configurations=configurations)
    return made, drawing.draw(layout), layout


class _Derived(Topo):
    """The machines of a derived cluster."""

    def build(self, layout: Layout, configurations: list[Configuration]) -> None:
        services = _services(layout)
        for name, segment in layout.segments.items():
            six = {} if segment.subnet6 is None else {"subnet6": str(segment.subnet6)}
            self.addSwitch(f"lan-{name}"[:15], subnet=str(segment.subnet), **six)
        for director, configuration in zip(layout.directors, configurations, strict=True):
            self._add_director(director, configuration, layout, services)
        for server in layout.servers:
            self._add_server(server, services)
        self._add_client(layout)

    def _add_director(
        self,
        director: DirectorMachine,
        configuration: Configuration,
        layout: Layout,
        services: Mapping[str, VirtualService],
    ) -> None:
        reading = director.reading
        instances = [each for each in director.instances if judged.is_judged(each)]
        others = [each for each in director.instances if not judged.is_judged(each)]
        called = [each.called for each in reading.services if each.called in services]
        forwards = any(service.method == "NAT" for service in services.values())
        forwarding = {"net.ipv4.ip_forward": 1, "net.ipv6.conf.all.forwarding": 1}
        self.addHost(
            director.name,
            **_serving(director, services),
            vrrp=tuple(judged.as_judged(each) for each in instances),
            sync_groups=judged.sync_groups(reading.sync_groups, instances),
            startup_delay=reading.startup_delay,
            services=[services[name] for name in called],
            without_vip=tuple(judged.as_judged(each) for each in others),
            devices=tuple(dict.fromkeys(_devices(director.instances))),
            **(_to_the_router(layout) if layout.routed else {}),
            holds=tuple(layout.static_vips) if director is layout.directors[0] else (),
            local=director.local,
            users=configuration.users,
            unanswered=_unanswered(reading, services),
            links_pidof=layout.links_pidof,
            sysctl=forwarding if forwards else {},
            **_scripts(director, configuration, layout),
        )
        self._wire(director.name, director.addresses, director.addresses6, director.called)

    def _add_server(self, server: ServerMachine, services: Mapping[str, VirtualService]) -> None:
        called = [each.called for each in server.sorry_for if each.called in services]
        self.addHost(
            server.name,
            cls=RealServer,
            serves=_served(server, services),
            sorry_for=[services[name] for name in called],
            **_routes(server),
            **standins.options(server),
        )
        self._wire(server.name, {server.segment: server.address}, _of_segment(server))

    def _add_client(self, layout: Layout) -> None:
        """The client, on the directors' LANs or behind a router."""
        if not layout.routed:
            self.addHost("client", cls=Client, routes=_outside(layout))
            self._wire("client", layout.client, layout.client6)
            return
        self.addSwitch("outside", subnet=str(OUTSIDE), subnet6=str(OUTSIDE6))
        self.addHost("router", cls=Router, routes=_outside(layout))
        self._wire("router", layout.client, layout.client6)
        self.addLink("outside", "router", params2={"ip": str(OUTSIDE[1]), "ip6": str(OUTSIDE6[1])})
        gateways = {"defaultRoute": f"via {OUTSIDE[1]}", "defaultRoute6": f"via {OUTSIDE6[1]}"}
        self.addHost("client", cls=Client, **gateways)
        self.addLink("outside", "client", params2={"ip": str(OUTSIDE[2]), "ip6": str(OUTSIDE6[2])})

    def _wire(
        self,
        host: str,
        addresses: Mapping[str, str],
        addresses6: Mapping[str, str],
        called: Mapping[str, str] | None = None,
    ) -> None:
        for wire, address in addresses.items():
            interface = (called or {}).get(wire, wire)
            ends = {"ip": address, **({"ip6": addresses6[wire]} if wire in addresses6 else {})}
            self.addLink(f"lan-{wire}"[:15], host, intfName2=interface, params2=ends)


def _scripts(
    director: DirectorMachine, configuration: Configuration, layout: Layout
) -> dict[str, Any]:
    """The files and scripts of a director, as its role's options: what is missing is there and
    succeeds.
    """
    reading, own = director.reading, configuration.files
    missing: dict[str, tuple[bytes, int]] = {}
    for each in layout.directors:
        missing |= dict.fromkeys(each.reading.programs, (standins.SUCCEEDS, 0o755))
    digests = standins.digests({each.name: each.reading for each in layout.directors})
    commands = {script.name: script.script for script in reading.scripts}
    replaced = {name: commands[name] for name in director.replaced}
    files, places = standins.with_succeeding(standins.with_digests(own, digests), replaced)
    return {
        "files": {**missing, **files, **_in_place_of(reading.endless)},
        "commands": {**commands, **places},
        "programs": {**_programs(reading, {**missing, **own}), **places},
        "switches": _switches(reading),
        "ending": _ending(reading, own, director.replaced),
        "pauses": _pauses(reading, own, director.replaced),
    }


def _served(
    machine: ServerMachine | DirectorMachine, services: Mapping[str, VirtualService]
) -> list[VirtualService]:
    """The services that a machine serves, as they are there: each real server has checkers of
    its own.
    """
    found = [
        (services[each.called], own) for each, own in machine.serves if each.called in services
    ]
    return [replace(service, check=judged.known_checks(own.own_checks)) for service, own in found]


def _serving(director: DirectorMachine, services: Mapping[str, VirtualService]) -> dict[str, Any]:
    """What kind of machine a director is, and what it answers where it is a real server as well."""
    if not (serves := _served(director, services)):
        return {"cls": Director}
    return {"cls": DirectorAndRealServer, "serves": serves, **standins.options(director)}


def _devices(instances: Iterable[VrrpInstance]) -> Iterator[str]:
    """The devices of a director that are no wires and no loopback, and that hold VIPs."""
    for one in instances:
        for vip in one.held:
            if shared_wires.is_virtual(vip.device) and vip.device != "lo":
                yield vip.device


def _outside(layout: Layout) -> dict[str, str]:
    """The ways of whoever is on the LANs to VIPs that are on none of them: each is asked for
    where it is held.
    """
    return {
        f"{vip}/{128 if ':' in vip else 32}": f"dev {lan}" for vip, lan in layout.outside.items()
    }


def _to_the_router(layout: Layout) -> dict[str, str]:
    """A director's default routes, as Mininet's options."""
    first = next(iter(layout.client))
    six = {"defaultRoute6": f"via {layout.client6[first]}"} if first in layout.client6 else {}
    return {"defaultRoute": f"via {layout.client[first]}", **six}


def _routes(server: ServerMachine) -> dict[str, str]:
    """Its default routes, as Mininet's options."""
    gateways = {"defaultRoute": server.gateway, "defaultRoute6": server.gateway6}
    return {option: f"via {gateway}" for option, gateway in gateways.items() if gateway}


def _of_segment(server: ServerMachine) -> dict[str, str]:
    address6 = server.address6 or server.unasked6
    return {} if address6 is None else {server.segment: address6}


def _in_place_of(endless: Iterable[Ill]) -> dict[str, tuple[bytes, int]]:
    """The files of programs that never end, with something that succeeds in them."""
    return {each.script: (standins.SUCCEEDS, 0o755) for each in endless}


def _programs(reading: Reading, files: Mapping[str, tuple[bytes, int]]) -> dict[str, str]:
    """By script the file that it runs, as far as no other program runs that."""
    found = {script.name: local.program_of(script.script, files) for script in reading.scripts}
    return {script: program for script, program in found.items() if program is not None}


def _ending(
    reading: Reading, files: Mapping[str, tuple[bytes, int]], but: Collection[str]
) -> tuple[str, ...]:
    """The scripts that end keepalived when what they look for has ended."""
    ends = (script.name for script in reading.scripts if local.ends_keepalived(script, files))
    return tuple(name for name in ends if name not in but)


def _pauses(
    reading: Reading, files: Mapping[str, tuple[bytes, int]], but: Collection[str]
) -> dict[str, float]:
    """By script for how many seconds it sleeps, for those that do."""
    found = {script.name: local.pauses(script.script, files) for script in reading.scripts}
    return {script: seconds for script, seconds in found.items() if seconds and script not in but}


def _switches(reading: Reading) -> dict[str, str]:
    """By script the file whose existence has it fail, for those that are made so."""
    found = {script.name: local.switch_of(script.script) for script in reading.scripts}
    return {script: path for script, path in found.items() if path is not None}


def _unanswered(reading: Reading, services: Mapping[str, VirtualService]) -> tuple[str, ...]:
    """The real servers of the services that are not emulated."""
    found = [
        real.endpoint
        for service in reading.services
        if service.called not in services
        for real in service.real_servers
    ]
    return tuple(dict.fromkeys(found))


def _services(layout: Layout) -> dict[str, VirtualService]:
    """The services by name, but for those that are not emulated."""
    found: dict[str, VirtualService] = {}
    reasons = standins.why_not_all(layout)
    for director in layout.directors:
        for fact in director.reading.services:
            if fact.called not in found and fact.called not in reasons:
                machines = [one.rip for one in layout.directors if one.serves]
                found[fact.called] = judged.as_served(
                    fact, [*machines, *(server.rip for server in layout.servers)]
                )
    return found
