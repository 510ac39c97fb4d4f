"""What was understood, as a drawing in text: LANs with their machines and VIPs, services with their
real servers.

Drawn with rich, whose trees also look right where a terminal has neither colours nor Unicode.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from harness.check.facts import Reading
from harness.check.layout import Layout
from harness.topology.checks import Check, NetworkCheck
from harness.topology.services import Destination, VirtualService
from harness.topology.vrrp import VrrpInstance

if TYPE_CHECKING:
    from rich.tree import Tree

WIDTH = 110


def draw(layout: Layout, unicode: bool = True) -> str:
    """The text: network, services, what was assumed, changed, and is not emulated."""
    from rich.console import Console
    from rich.text import Text
    from rich.tree import Tree

    file = io.StringIO()
    console = Console(file=file, width=WIDTH, legacy_windows=False, highlight=False, markup=False)
    if not unicode:
        console.options.encoding = "ascii"

    def branch(title: str) -> Tree:
        return Tree(Text(title))

    for name, segment in layout.segments.items():
        tree = branch(
            f"LAN {name}, {segment.subnet}" + (f", {segment.subnet6}" if segment.subnet6 else "")
        )
        _add_machines(tree, layout, name)
        console.print(tree)
    for service, directors in _services(layout):
        everywhere = len(directors) == len(layout.directors)
        tree = branch(_service(service) + ("" if everywhere else f", on {', '.join(directors)}"))
        for server in service.real_servers:
            tree.add(Text(_real_server(layout, server)))
        if service.sorry_server:
            sorry = f"{service.sorry_server.address}:{service.sorry_server.port}"
            tree.add(Text(f"{sorry}  when no other is left (sorry server)"))
        console.print(tree)
    _list(console, branch("assumed; correct it with --set KEY=VALUE"), map(str, layout.assumptions))
    _list(console, branch("changed"), layout.changed)
    _list(console, branch("not emulated"), layout.left_out)
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines()) + "\n"


def _list(console: object, tree: Tree, lines: object) -> None:
    from rich.text import Text

    listed = list(lines)  # type: ignore[call-overload]
    for line in listed:
        tree.add(Text(line))
    if listed:
        console.print(tree)  # type: ignore[attr-defined]


def _add_machines(tree: Tree, layout: Layout, segment: str) -> None:
    from rich.text import Text

    for director in layout.directors:
        interface = f" on its {director.called[segment]}" if segment in director.called else ""
        six = f", {director.addresses6[segment]}" if segment in director.addresses6 else ""
        node = tree.add(Text(f"{director.name}  {director.addresses[segment]}{six}{interface}"))
        for instance in director.reading.instances:
            if instance.interface == segment:
                node.add(Text(_instance(instance, director.reading)))
        own = [vip for vip, where in layout.static_vips.items() if where == segment]
        if own and director is layout.directors[0]:
            node.add(Text(f"{', '.join(own)}  its own, without VRRP"))
    for server in layout.servers:
        if server.segment == segment:
            asked = "  only checks ask it" * bool(
                server.asked and not server.serves and not server.sorry_for
            )
            tree.add(Text(f"{server.name}  {server.rip}{asked}"))
    tree.add(Text(f"client  {layout.client[segment]}"))


def _instance(one: VrrpInstance, reading: Reading) -> str:
    vips = ", ".join(
        f"{vip.address}/{vip.prefix}" + f" on {vip.device}" * (vip.device != one.interface)
        for vip in one.advertised or one.excluded
    )
    ways = (
        f"unicast to {', '.join(one.unicast_peers)}" if one.unicast_peers else f"VRRPv{one.version}"
    )
    extras = [f"priority {one.priority}", f"every {one.advert_int:g} s", ways]
    if one.nopreempt:
        extras.append("nopreempt")
    if group := reading.group_of(one):
        extras.append(f"in sync group {group}")
    return f"{one.name}: VRID {one.vrid}, {', '.join(extras)}: {vips}"


def _services(layout: Layout) -> list[tuple[VirtualService, list[str]]]:
    """Each service with the directors that have it so: one that they have differently is there
    several times.
    """
    found: dict[tuple[str, str], tuple[VirtualService, list[str]]] = {}
    for director in layout.directors:
        for service in director.reading.services:
            found.setdefault((service.called, _service(service)), (service, []))[1].append(
                director.name
            )
    return list(found.values())


def _service(service: VirtualService) -> str:
    extras = [service.scheduler, service.method, f"checked every {service.delay_loop:g} s"]
    if service.persistence_timeout:
        extras.append(f"persistent for {service.persistence_timeout} s")
    if service.quorum > 1:
        extras.append(f"quorum {service.quorum}")
    name = service.called.removesuffix(f" {service.protocol}")
    protocol = "" if service.protocol == "NONE" else f" {service.protocol}"
    return f"service {name}{protocol}, {', '.join(extras)}"


def _real_server(layout: Layout, server: Destination) -> str:
    directors = [one.name for one in layout.directors if server.address in one.addresses.values()]
    machines = [machine.name for machine in layout.servers if machine.rip == server.address]
    name = next(iter([*machines, *directors]), "(the director itself)")
    checks = "; ".join(_check(each, server) for each in dict.fromkeys(server.checks))
    return (
        f"{name}  {server.address}:{server.port}  weight {server.weight}  {checks or 'not checked'}"
    )


def _check(checker: Check, server: Destination) -> str:
    """The keyword of a checker, and what it asks where."""
    of = ""
    if isinstance(checker, NetworkCheck) and checker not in server.own_checks:
        of = f" of {checker.address}"
    if checker.urls:
        asked = [
            f"{url.path} -> {'digest' if url.digest else '/'.join(url.statuses) or '200'}"
            for url in checker.urls
        ]
        return f"{checker.keyword} {' '.join(asked)}{of}"
    port = checker.port if isinstance(checker, NetworkCheck) else None
    return checker.keyword + (f" port {port}" if port else "") + of
