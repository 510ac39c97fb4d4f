"""A machine's devices (:mod:`harness.topology.devices`): made by ip(8), each when what it is made
of is there.
"""

from __future__ import annotations

from ipaddress import ip_interface
from typing import TYPE_CHECKING

from harness.errors import HarnessError
from harness.lab.plan import HostPlan, InterfacePlan
from harness.topology.devices import Bond, Bridge, Device, Ipvlan, Macvlan, Vlan, Vrf, Vxlan

if TYPE_CHECKING:
    from harness.lab.machine import Machine

_LACKS = ("Unknown device type", "Operation not supported")


def make(machine: Machine) -> None:
    """Make a machine's devices, with their addresses, and all routes that may go by them.

    Raises HarnessError that names what a kernel lacks.
    """
    for device in machine.plan.role.links:
        make_one(machine, device)
    if machine.plan.role.links or machine.plan.role.routes:
        route(machine)


def route(machine: Machine) -> None:
    """Lead everything where the topology says, which an interface that was gone has the kernel
    forget.
    """
    ways = {destination: way.split() for destination, way in machine.plan.role.routes.items()}
    ways |= {
        "::/0" if ":" in gateway else "0.0.0.0/0": ["via", gateway]
        for gateway in machine.plan.default_routes
    }
    for destination, way in ways.items():
        family = "-6" if ":" in destination else "-4"
        machine.run(["ip", family, "route", "replace", destination, *way])


def make_one(machine: Machine, device: Device) -> None:
    """Make one of them, whether for the first time or again."""
    for argv in commands(machine.plan, device):
        done = machine.run(argv, check=False)
        if not done.returncode:
            continue
        if any(word in done.stdout for word in _LACKS):
            kind = type(device).__name__.lower()
            raise HarnessError(
                f"{machine.name}: this kernel lacks {kind} devices"
                f" ({device.kernel_option}), so there is no"
                f" {device.name}: take the built kernel, or another one (--kernel)"
            )
        raise HarnessError(f"{machine.name}: cannot make {device.owner}: {done.stdout.strip()}")


def commands(host: HostPlan, device: Device) -> list[list[str]]:
    """What makes a device, and gives it its addresses."""
    link = ["ip", "link", "add", "name", device.name]
    address = ["address", mac(host, device)]
    match device:
        case Vlan():
            made = [[*link, "link", device.below, "type", "vlan", "id", str(device.id)]]
        case Bond():
            rate = ["lacp_rate", "fast"] if device.mode == "802.3ad" else []
            made = [[*link, *address, "type", "bond", "mode", device.mode, "miimon", "100", *rate]]
        case Bridge():
            made = [
                [*link, *address, "type", "bridge", "forward_delay", "0", "mcast_snooping", "0"]
            ]
        case Macvlan():
            made = [[*link, "link", device.below, *address, "type", "macvlan", "mode", device.mode]]
        case Ipvlan():
            made = [[*link, "link", device.below, "type", "ipvlan", "mode", device.mode]]
        case Vrf():
            made = [[*link, "type", "vrf", "table", str(device.table)]]
        case Vxlan():
            over = ["dev", device.below, "group", device.group, "dstport", "4789"]
            made = [[*link, *address, "type", "vxlan", "id", str(device.id), *over]]
        case _:
            made = [[*link, *address, "type", "dummy"]]
    for part in device.parts if isinstance(device, Bond | Bridge | Vrf) else ():
        if isinstance(device, Bond):  # which takes no interface that is up
            made.append(["ip", "link", "set", part, "down"])
        made.append(["ip", "link", "set", part, "master", device.name])
        made.append(["ip", "link", "set", part, "up"])
    made.append(["ip", "link", "set", device.name, "up"])
    for each in addresses(host, device):
        nodad = ["nodad"] if ":" in each else []
        made.append(["ip", "address", "add", each, "dev", device.name, *nodad])
    return made


def addresses(host: HostPlan, device: Device) -> list[str]:
    """What a device has: its own addresses, and those that it takes over."""
    taken = [
        str(address)
        for wired in host.interfaces
        if wired.held_by == device.name
        for address in wired.addresses
    ]
    return [*taken, *(str(ip_interface(address)) for address in device.own_addresses)]


def mac(host: HostPlan, device: Device) -> str:
    """Its hardware address, the same in every run: that of the first wire that it is made of, or
    one of its own.
    """
    wired = wire_of(host, device)
    if isinstance(device, Vlan | Bond | Bridge | Ipvlan) and wired is not None:
        return wired.mac
    number = host.role.links.index(device)
    return f"06:{host.interface().mac[3:15]}{number:02x}"


def main_mac(host: HostPlan) -> str:
    """The hardware address of the interface that has the machine's own address."""
    device = next((device for device in host.role.links if device.name == host.main_device), None)
    return host.interface().mac if device is None else mac(host, device)


def macs(host: HostPlan) -> set[str]:
    """All hardware addresses of a machine."""
    return {each.mac for each in host.interfaces} | {
        mac(host, device) for device in host.role.links
    }


def wire_of(host: HostPlan, device: Device) -> InterfacePlan | None:
    """The first wired interface that a device is made of; None for one that is made of nothing."""
    below = {each.name: each for each in host.role.links}
    name = next(iter(device.parts), None)
    while name in below:
        name = next(iter(below[name].parts), None)
    return next((wired for wired in host.interfaces if wired.name == name), None)
