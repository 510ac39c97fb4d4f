"""From a Mininet ``Topo`` to a checked plan of machines and wires: pure, so mistakes are found
before all else.
"""

from __future__ import annotations

import functools
import inspect
import os
import re
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from ipaddress import IPv4Network, IPv6Network
from typing import TYPE_CHECKING, Any

import mininet
from mininet.topo import Topo

import harness
from harness.errors import HarnessError
from harness.lab import addressing, reaching, wiring
from harness.lab.hosts import HostPlan, InterfacePlan, Plan
from harness.topology import Client, Director, MailServer, RealServer, Role
from harness.topology.roles import kind_of, role_of

if TYPE_CHECKING:
    from harness.images.selection import Selection

Topology = Callable[..., Topo]
"""A ``Topo`` subclass, or anything else that makes one from keyword parameters."""

Edits = Mapping[str, tuple[str, str]]
"""Director -> (text that stands once in its generated keepalived.conf, what to write instead)."""

__all__ = [
    "Edits",
    "HostPlan",
    "InterfacePlan",
    "Plan",
    "Topology",
    "make_topo",
    "plan",
    "with_edits",
    "with_images",
]

_OWN_OPTIONS = ("ip", "mac", "defaultRoute", "defaultRoute6", "inNamespace", "isSwitch")
_HOSTNAME = re.compile(
    r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?", re.ASCII
)  # RFC 1123 section 2.1, one label


def make_topo(factory: Callable[[], Topo]) -> Topo:
    """Call a topology; what it raises becomes a HarnessError that names file and line.

    Two nodes with one name are refused here, for Mininet's ``addNode`` silently keeps the last one.
    """
    name = getattr(factory, "__name__", "topology")
    try:
        with _checked_names():
            topo = factory()
    except HarnessError as problem:
        raise HarnessError(f"{_where(problem)}{problem}") from None
    except (Exception, SystemExit) as problem:
        where = _where(problem)
        if not where and isinstance(
            problem, TypeError
        ):  # build() was called wrongly, and has not begun
            raise HarnessError(f"topology {name}: {problem}{_its_parameters(factory)}") from None
        raise HarnessError(
            f"{where}topology {name} raised {type(problem).__name__}: {problem}"
        ) from problem
    if not isinstance(topo, Topo):
        raise HarnessError(
            f"{name} is no topology: give a Mininet Topo, such as DirectorPair, not {topo!r}"
        )
    return topo


def _where(problem: BaseException) -> str:
    """File and line where it was raised, in the innermost frame that is not the harness's,
    Mininet's or Python's own, if any.
    """
    libraries = (*harness.__path__, *mininet.__path__, os.path.dirname(functools.__file__))
    frames = [
        frame
        for frame in traceback.extract_tb(problem.__traceback__)
        if not frame.filename.startswith((*(f"{library}/" for library in libraries), "<"))
    ]
    return f"{frames[-1].filename}:{frames[-1].lineno}: " if frames else ""


def _its_parameters(factory: Callable[[], Topo]) -> str:
    build = getattr(
        factory.func if isinstance(factory, functools.partial) else factory, "build", None
    )
    known = list(inspect.signature(build).parameters)[1:] if build else []
    return f"; its parameters are: {', '.join(known)}" if known else ""


@contextmanager
def _checked_names() -> Iterator[None]:
    """Have ``Topo`` refuse what it would take silently, or with a bare KeyError, while file and
    line are known.
    """
    add_node, add_link = Topo.addNode, Topo.addLink

    def checked_node(self: Topo, name: str, **options: Any) -> Any:
        if name in self.g.nodes():
            raise HarnessError(f"two nodes with one name: {name}; rename one")
        if not options.get("isSwitch"):
            role_of(name, _without_own(options))
        return add_node(self, name, **options)

    def checked_link(self: Topo, node1: str, node2: str, *ports: Any, **options: Any) -> Any:
        for node in (node1, node2):
            if node not in self.g.nodes():
                raise HarnessError(
                    f"a link goes to {node}, which is no node: addHost or addSwitch it first"
                )
        return add_link(self, node1, node2, *ports, **options)

    Topo.addNode, Topo.addLink = checked_node, checked_link
    try:
        yield
    finally:
        Topo.addNode, Topo.addLink = add_node, add_link


def _without_own(options: Mapping[str, Any]) -> dict[str, Any]:
    """What the role of a host is told: its options but for those of the host itself."""
    return {key: value for key, value in options.items() if key not in _OWN_OPTIONS}


def plan(topo: Topo, seed: int = 0) -> Plan:
    """Check a topology and give every interface its name, address and MAC. Raises HarnessError
    naming the node.
    """
    lans, lans6 = addressing.subnets(topo), addressing.subnets6(topo)
    ends = wiring.ends(topo)
    wired = Counter(end.lan for each in ends.values() for end in each)
    for lan, subnet in lans.items():
        addressing.check_room(lan, subnet, wired[lan])
    hosts: list[HostPlan] = []
    taken: dict[str, str] = {}
    macs: dict[str, str] = {}
    for number, name in enumerate(topo.hosts(sort=False), start=1):
        _check_hostname(name)
        options = topo.nodeInfo(name)
        stock = {key: options.get(key) for key in _OWN_OPTIONS}
        role = role_of(name, _without_own(options))
        interfaces = []
        own_ends = ends.get(name, [])
        bare = wiring.without_address(name, role, own_ends)
        for position, end in enumerate(own_ends):
            own = stock if position == 0 else {}
            lan = end.lan
            parts = (2, seed >> 8 & 255, seed & 255, number >> 8, number & 255, position)
            automatic = ":".join(f"{part:02x}" for part in parts)
            mac = addressing.mac(name, end.options.get("mac") or own.get("mac") or automatic, macs)
            wire = f"{name}-eth{position}" if len(name) <= 10 else f"wire{number}-eth{position}"
            known_as = wiring.interface_name(name, end)
            if known_as in bare:
                interfaces.append(InterfacePlan(known_as, None, mac, lan, wire))
                continue
            address = addressing.address(
                name, lan, lans[lan], end.options.get("ip") or own.get("ip"), taken
            )
            subnet6, given6 = lans6.get(lan), end.options.get("ip6")
            address6 = (
                None
                if subnet6 is None
                else addressing.address6(name, lan, subnet6, address, given6, taken)
            )
            interfaces.append(InterfacePlan(known_as, address, mac, lan, wire, address6))
        host = wiring.with_devices(
            HostPlan(name, role, tuple(interfaces), _gateways(name, stock, interfaces))
        )
        wiring.check_wired(host)
        hosts.append(host)
        for own_address in (each for device in role.links for each in device.own_addresses):
            addressing.take(name, own_address, taken)
        for further in host.role.sources if isinstance(host.role, Client) else ():
            addressing.take_further(name, further, taken)
    whole = Plan(lans, tuple(hosts))
    _check_whole(whole, [*lans.items(), *lans6.items()], taken)
    return whole


def _check_whole(
    whole: Plan,
    subnets: Sequence[tuple[str, IPv4Network | IPv6Network]],
    taken: Mapping[str, str],
) -> None:
    """What is wrong between machines: two that do one thing, and ways that lead nowhere."""
    _check_mail(whole)
    for host in whole.hosts:
        for vip in _vips(host.role):
            addressing.check_vip(host.name, vip, taken)
            reaching.check_vip(whole, host, vip, subnets)
        for vip in _further_vips(host.role):
            reaching.check_vip(whole, host, vip, subnets)
    reaching.check_routes(whole)
    reaching.check_clients(whole)


def _check_mail(whole: Plan) -> None:
    servers = [host.name for host in whole.of_role(MailServer)]
    if len(servers) > 1:
        raise HarnessError(
            f"{' and '.join(servers)} are both mail servers, and directors send all their mail to"
            " one: leave the others out"
        )


def _gateways(
    name: str, given: Mapping[str, str | None], interfaces: list[InterfacePlan]
) -> tuple[str, ...]:
    networks = [address.network for interface in interfaces for address in interface.addresses]
    found = (
        addressing.gateway(name, option, given[option], networks)
        for option in ("defaultRoute", "defaultRoute6")
    )
    return tuple(gateway for gateway in found if gateway is not None)


def _vips(role: Role) -> list[str]:
    if isinstance(role, Director):
        balanced = (
            [vip for service in role.services for vip, _ in service.endpoints]
            if role.by != "keepalived"
            else []
        )
        return [*(vip for instance in role.instances for vip in instance.vips), *balanced]
    return (
        [vip for service in role.serves for vip, _ in service.endpoints]
        if isinstance(role, RealServer)
        else []
    )


def _further_vips(role: Role) -> list[str]:
    """What is told to no other director, or balanced by keepalived, of a generated configuration:
    in a text of the user's own there may be more that leads to it.
    """
    if not isinstance(role, Director) or role.has_own_text:
        return []
    excluded = [vip for each in role.instances for vip in each.excluded_vips]
    is_elected = role.by == "keepalived" and role.instances
    balanced = role.services if is_elected else ()
    return [*excluded, *(vip for service in balanced for vip, _ in service.endpoints)]


def with_edits(whole: Plan, edits: Edits) -> Plan:
    """The plan with edits to the directors' configurations. HarnessError if one is of no
    director.
    """
    directors = [host.name for host in whole.of_role(Director)]
    if unknown := edits.keys() - set(directors):
        raise HarnessError(
            f"no director {', '.join(sorted(unknown))} to edit; the topology has"
            f" {', '.join(directors)}"
        )
    hosts = [
        replace(host, role=replace(host.role, edits=(*host.role.edits, edits[host.name])))
        if isinstance(host.role, Director) and host.name in edits
        else host
        for host in whole.hosts
    ]
    return replace(whole, hosts=tuple(hosts))


def with_images(whole: Plan, selection: Selection) -> Plan:
    """The plan with the images that are asked for. HarnessError if one of them has not been
    made.
    """
    numbers = Counter[type[Role]]()
    hosts = []
    for host in whole.hosts:
        kind = Director if isinstance(host.role, Director) else kind_of(type(host.role))
        image = selection.image_of(host.name, kind.__name__.lower(), numbers[kind])
        hosts.append(replace(host, image=image))
        numbers[kind] += 1
    return replace(whole, hosts=tuple(hosts))


def _check_hostname(name: str) -> None:
    if not isinstance(name, str) or not _HOSTNAME.fullmatch(name):
        raise HarnessError(
            f"{name!r} is no name for a machine: use letters, digits and hyphens, at most 63"
        )
