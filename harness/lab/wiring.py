"""How machines are wired: the ends of a topology's links, and the devices that machines make of
them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Any

from mininet.topo import Topo

from harness.errors import HarnessError
from harness.lab.hosts import HostPlan
from harness.topology import Director, Role
from harness.topology.devices import Bond, Bridge, Device

_LINK_OPTIONS = ("node1", "node2", "port1", "port2", "intfName1", "intfName2", "params1", "params2")
_INTERFACE_NAME = re.compile(
    r"[\w.-]{1,15}", re.ASCII
)  # linux/if.h: IFNAMSIZ is 16, with the final zero


def check_wired(host: HostPlan) -> None:
    """Every machine is on a LAN, its devices are made of what it has, and its VRRP instances are on
    its interfaces.
    """
    if not host.interfaces:
        raise HarnessError(f'{host.name}: it is wired to nothing; addLink("{host.name}", a switch)')
    names = host.devices
    for name in names:
        if names.count(name) > 1:
            raise HarnessError(f"{host.name}: two interfaces with one name: {name}; rename one")
    for instance in host.role.instances if isinstance(host.role, Director) else ():
        if instance.interface not in names:
            raise HarnessError(
                f"{host.name}: VRRP instance {instance.name} is on {instance.interface},"
                f" and the machine has {', '.join(names)}"
            )


def without_address(name: str, role: Role, own: list[End]) -> set[str]:
    """The wires without an address: those with ``ip=None``, and all but the first of a bond's and a
    bridge's.
    """
    bare = {interface_name(name, end) for end in own if end.options.get("ip", "") is None}
    for device in role.links:
        if isinstance(device, Bond | Bridge):
            bare.update(device.parts[1:])
    if own and (first := interface_name(name, own[0])) in bare:
        raise HarnessError(
            f"{name}: it is known by the address of its first wire, {first}, which is to have none"
        )
    return bare


def with_devices(host: HostPlan) -> HostPlan:
    """The machine with the addresses of its wires where they belong: on the devices that take them
    over.
    """
    holder = {interface.name: interface.name for interface in host.interfaces}
    members: dict[str, str] = {}
    for device in host.role.links:
        for part in device.parts:
            _check_part(host, device, part, holder, members)
        if isinstance(device, Bond | Bridge):
            members.update(dict.fromkeys(device.parts, device.name))
        if device.takes_over and (not device.own_addresses or isinstance(device, Bond | Bridge)):
            holder[_origin(host, device)] = device.name
    interfaces = [
        interface
        if holder[interface.name] == interface.name
        else replace(interface, held_by=holder[interface.name])
        for interface in host.interfaces
    ]
    return replace(host, interfaces=tuple(interfaces))


def _check_part(
    host: HostPlan, device: Device, part: str, known: dict[str, str], members: dict[str, str]
) -> None:
    earlier = [each.name for each in host.role.links[: host.role.links.index(device)]]
    if part not in known and part not in earlier:
        there = ", ".join([*known, *earlier])
        raise HarnessError(
            f"{host.name}: {device.owner} is made of {part}, and what comes before it is {there}"
        )
    if part in members and isinstance(device, Bond | Bridge):
        raise HarnessError(
            f"{host.name}: {part} is part of {members[part]} already, so it cannot be"
            f" of {device.name}"
        )


def _origin(host: HostPlan, device: Device) -> str:
    """The first wired interface that a device is made of."""
    below = {each.name: each for each in host.role.links}
    name = device.parts[0]
    while name in below:
        if not below[name].parts:
            raise HarnessError(
                f"{host.name}: {device.owner} takes over no address from {name}: give it addresses="
            )
        name = below[name].parts[0]
    return name


@dataclass(frozen=True)
class End:
    """A host's end of a link: on which LAN, as which of the host's ports, with the options of
    ``params1`` or 2.
    """

    lan: str
    port: int
    name: str | None
    options: dict[str, Any]


def ends(topo: Topo) -> dict[str, list[End]]:
    """For each host the LANs it is wired to, in the order of its ports, which Mininet counts as
    links are added.
    """
    found: dict[str, list[End]] = {}
    for first, second, info in topo.links(withInfo=True):
        if topo.isSwitch(first) == topo.isSwitch(second):
            raise HarnessError(
                f"link {first} - {second}: one end has to be a host, the other a switch"
            )
        side, host, lan = ("2", second, first) if topo.isSwitch(first) else ("1", first, second)
        options = dict(info.get(f"params{side}") or {})
        if unknown := [*(set(info) - set(_LINK_OPTIONS)), *(set(options) - {"ip", "ip6", "mac"})]:
            raise HarnessError(
                f"link {first} - {second}: unknown options"
                f" {', '.join(sorted(unknown))}; a link takes port1, intfName1,"
                " params1=dict(ip=..., ip6=..., mac=...) and the same with 2"
            )
        found.setdefault(host, []).append(
            End(lan, info[f"port{side}"], info.get(f"intfName{side}"), options)
        )
    for lan in topo.switches():
        if not any(lan == end.lan for wired in found.values() for end in wired):
            raise HarnessError(
                f"{lan}: nothing is wired to this switch; add a link or leave it out"
            )
    return {host: sorted(wired, key=lambda end: end.port) for host, wired in found.items()}


def interface_name(host: str, end: End) -> str:
    name = end.name or f"eth{end.port}"
    if not _INTERFACE_NAME.fullmatch(name) or name == "lo":
        raise HarnessError(
            f"{host}: {name!r} is no name for an interface: use at most 15 letters,"
            " digits and . _ -"
        )
    return name
