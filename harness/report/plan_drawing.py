"""A topology as a drawing in text: its LANs with their machines, what each is for, and the virtual
services.

Drawn with rich, whose trees also look right where a terminal has neither colours nor Unicode.
"""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from harness.lab.plan import HostPlan, Plan
from harness.topology import Director, RealServer, Role, VirtualService, VrrpInstance
from harness.topology.machines import SPEAKERS

if TYPE_CHECKING:
    from rich.tree import Tree

WIDTH = 100
MANY = 6
"""Of more machines of one role on one LAN, only the first and the last are drawn."""


def draw(plan: Plan, unicode: bool = True) -> str:
    """The text, which ends with a newline: a tree for each LAN and one for the services."""
    from rich.console import Console
    from rich.text import Text
    from rich.tree import Tree

    file = io.StringIO()
    console = Console(file=file, width=WIDTH, legacy_windows=False, highlight=False, markup=False)
    if not unicode:
        console.options.encoding = "ascii"
    for name, subnet in plan.lans.items():
        tree = Tree(Text(f"LAN {name}, {subnet}"))
        for line, details in _machines(plan, name):
            node = tree.add(Text(line))
            for detail in details:
                node.add(Text(detail))
        console.print(tree)
    services = _services(plan)
    if services:
        tree = Tree(Text("services"))
        for service in services:
            _add_service(tree, plan, service)
        console.print(tree)
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines()) + "\n"


def _machines(plan: Plan, lan: str) -> list[tuple[str, list[str]]]:
    """A line for each machine on a LAN, with the lines below it."""
    drawn: list[tuple[str, list[str]]] = []
    for cls in dict.fromkeys(type(host.role) for host in plan.hosts):
        here = [host for host in plan.of_role(cls) if type(host.role) is cls and _on(host, lan)]
        if len(here) <= MANY:
            drawn += [_machine(host, lan) for host in here]
            continue
        between = len(here) - 2
        drawn += [_machine(here[0], lan), (f"... and {between} more", []), _machine(here[-1], lan)]
    return drawn


def _on(host: HostPlan, lan: str) -> bool:
    return any(interface.lan == lan for interface in host.interfaces)


def _machine(host: HostPlan, lan: str) -> tuple[str, list[str]]:
    addresses = []
    for interface in host.interfaces:
        if interface.lan == lan:
            device = interface.name if interface.held_by is None else interface.held_by
            addresses += [f"{address.ip} on {device}" for address in interface.addresses]
            if not interface.addresses and not _is_part(host, interface.name):
                addresses.append(f"no address on {device}")
    gateway = f", gateway {', '.join(host.default_routes)}" if host.default_routes else ""
    details = [*_equipment(host, lan), *_claims(host, lan)]
    return f"{host.name}  {_title(host.role)}  {', '.join(addresses)}{gateway}", details


def _is_part(host: HostPlan, name: str) -> bool:
    """Whether a machine has a device that is made of this interface."""
    return any(name in device.parts for device in host.role.links)


def _equipment(host: HostPlan, lan: str) -> list[str]:
    """A line for each device of a machine, static route, rule of its firewall and program of the
    user's own, on the first of its LANs.
    """
    if host.interface().lan != lan:
        return []
    lines = []
    for device in host.role.links:
        parts = f" of {', '.join(device.parts)}" if device.parts else ""
        own = f", {', '.join(device.own_addresses)}" if device.own_addresses else ""
        lines.append(f"{device.name}: {type(device).__name__.lower()}{parts}{own}")
    return [
        *lines,
        *(f"route: {destination} {way}" for destination, way in host.role.routes.items()),
        *(f"firewall: {rule}" for rule in host.role.firewall),
        *(["firewall: nftables"] if host.role.nftables else []),
        *(f"runs {program.name}" for program in host.role.runs),
    ]


def _title(role: Role) -> str:
    """``MailServer`` is written as ``mail server``."""
    letters = [
        f" {letter.lower()}" if letter.isupper() else letter for letter in type(role).__name__
    ]
    return "".join(letters).strip()


def _claims(host: HostPlan, lan: str) -> list[str]:
    """What a director claims on this LAN: a line for each of its VRRP instances."""
    role = host.role
    if not isinstance(role, Director):
        return []
    if role.by not in SPEAKERS:
        maker = role.runs[0].name if role.by == "program" else role.by
        return [f"its table is made by {maker}"] if host.interface().lan == lan else []
    if role.config is not None:
        return [f"keepalived.conf: {role.config}"]
    names = [interface.name for interface in host.interfaces if interface.lan == lan]
    if host.interface().lan == lan:
        names += [device.name for device in host.role.links]
    lines = []
    for instance in role.instances:
        if instance.interface in names:
            vips = ", ".join(_vip(instance, vip) for vip in instance.vips)
            by = "" if role.by == "keepalived" else f", by {role.by}"
            lines.append(f"VRID {instance.vrid}, priority {instance.priority}{by}: {vips}")
    return lines


def _vip(instance: VrrpInstance, vip: str) -> str:
    device = instance.device_of(vip)
    return vip if device == instance.interface else f"{vip} on {device}"


def _services(plan: Plan) -> list[VirtualService]:
    found: dict[str, VirtualService] = {}
    for host in plan.of_role(Director):
        assert isinstance(host.role, Director)
        for service in host.role.services:
            found.setdefault(
                f"{service.vip} {service.port} {service.protocol} {service.fwmark}", service
            )
    return list(found.values())


def _add_service(tree: Tree, plan: Plan, service: VirtualService) -> None:
    from rich.text import Text

    mark = f"firewall mark {service.fwmark}, " if service.fwmark is not None else ""
    title = (
        f"{mark}{service.vip}:{service.port} {service.protocol},"
        f" {service.scheduler}, {service.method}"
    )
    servers = [
        host.name
        for host in plan.of_role(RealServer)
        if isinstance(host.role, RealServer) and service in host.role.serves
    ]
    if len(servers) > MANY:
        servers = [servers[0], "...", servers[-1]]
    tree.add(Text(f"{title} -> {', '.join(servers) or 'no real server'}"))
