"""Who gets which address: subnets of LANs, addresses of interfaces, gateways and VIPs, filled in
and checked. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from ipaddress import (
    IPv4Interface,
    IPv4Network,
    IPv6Interface,
    IPv6Network,
    ip_address,
    ip_interface,
)
from typing import TypeVar

from mininet.topo import Topo

from harness.errors import HarnessError

Network = TypeVar("Network", IPv4Network, IPv6Network)

FIRST_SUBNET = IPv4Network("172.16.10.0/24")
FIRST_AUTOMATIC_HOST = 11
_MAC = re.compile(
    r"[0-9a-f][02468ace](:[0-9a-f]{2}){5}", re.IGNORECASE
)  # of one station, so an even first byte


def subnets(topo: Topo) -> dict[str, IPv4Network]:
    """The IPv4 subnet of each LAN: the switch's ``subnet``, or the next free /24."""
    lans: dict[str, IPv4Network] = {}
    free = (IPv4Network((int(FIRST_SUBNET.network_address) + (n << 8), 24)) for n in range(1 << 12))
    for name in topo.switches(sort=False):
        if len(name) > 15:
            raise HarnessError(
                f"{name}: the name of a switch has at most 15 characters; shorten it"
            )
        given = topo.nodeInfo(name).get("subnet")
        subnet = (
            _subnet(name, given, IPv4Network)
            if given
            else next(n for n in free if not any(n.overlaps(o) for o in lans.values()))
        )
        lans[name] = _apart(name, subnet, lans)
    return lans


def subnets6(topo: Topo) -> dict[str, IPv6Network]:
    """The IPv6 subnet of each LAN that has one: the switch's ``subnet6``."""
    lans: dict[str, IPv6Network] = {}
    for name in topo.switches(sort=False):
        if given := topo.nodeInfo(name).get("subnet6"):
            lans[name] = _apart(name, _subnet(name, given, IPv6Network), lans)
    return lans


def _subnet(name: str, given: str, kind: type[Network]) -> Network:
    try:
        return kind(given)
    except ValueError as problem:
        raise HarnessError(f"{name}: subnet {given} is none: {problem}") from None


def _apart(name: str, subnet: Network, lans: Mapping[str, Network]) -> Network:
    for other, taken in lans.items():
        if subnet.overlaps(taken):
            raise HarnessError(
                f"{name}: its subnet {subnet} overlaps {taken} of {other}; give them subnets apart"
            )
    return subnet


def check_room(lan: str, subnet: IPv4Network, machines: int) -> None:
    """A subnet has an address for each of so many machines."""
    if machines > (room := subnet.num_addresses - 2):
        raise HarnessError(
            f"{lan}: {machines} machines are wired to it, and its subnet {subnet} has"
            f" addresses for {room};"
            f' give it a larger one: addSwitch("{lan}",'
            f' subnet="{subnet.supernet(new_prefix=_fitting(machines))}")'
        )


def _fitting(machines: int) -> int:
    """The length of the longest prefix that leaves addresses for so many machines."""
    return 32 - (machines + 1).bit_length()


def address(
    name: str, lan: str, subnet: IPv4Network, given: str | None, taken: dict[str, str]
) -> IPv4Interface:
    """The IPv4 address of an interface: ``given``, or the next free one from .11 on. It is in
    ``taken`` from now on.
    """
    chosen = _given(name, lan, subnet, given, taken) if given else _free(name, lan, subnet, taken)
    taken[str(chosen.ip)] = name
    return chosen


def _free(name: str, lan: str, subnet: IPv4Network, taken: Mapping[str, str]) -> IPv4Interface:
    candidates = (
        subnet.network_address + n for n in range(FIRST_AUTOMATIC_HOST, subnet.num_addresses - 1)
    )
    free = next((address for address in candidates if str(address) not in taken), None)
    if free is None:
        raise HarnessError(f"{name}: {lan} ({subnet}) has no address left; give it a larger subnet")
    return IPv4Interface((free, subnet.prefixlen))


def _given(
    name: str, lan: str, subnet: IPv4Network, given: str, taken: Mapping[str, str]
) -> IPv4Interface:
    try:
        address = IPv4Interface(given if "/" in str(given) else f"{given}/{subnet.prefixlen}")
    except ValueError as problem:
        raise HarnessError(f"{name}: {given} is no address: {problem}") from None
    if address.ip not in subnet or address.network.prefixlen != subnet.prefixlen:
        raise HarnessError(
            f"{name}: {address} is not in the subnet {subnet} of {lan}; give it an address of that"
        )
    if address.ip in (subnet.network_address, subnet.broadcast_address):
        raise HarnessError(
            f"{name}: {address.ip} is the network's or the broadcast address of"
            f" {subnet}, no machine's"
        )
    if (other := taken.get(str(address.ip))) is not None:
        raise HarnessError(
            f"{name} and {other} both have the address {address.ip}; give one another"
        )
    return address


def address6(
    name: str,
    lan: str,
    subnet: IPv6Network,
    sibling: IPv4Interface,
    given: str | None,
    taken: dict[str, str],
) -> IPv6Interface:
    """The IPv6 address beside an IPv4 one: ``given``, or the same host number in the same digits,
    172.16.10.21 -> fd00:10::21.
    """
    if given is not None:
        return _given6(name, lan, subnet, given, taken)
    number = int(str(int(sibling.ip) - int(sibling.network.network_address)), 16)
    chosen = IPv6Interface((int(subnet.network_address) + number, subnet.prefixlen))
    if chosen.ip not in subnet:
        raise HarnessError(
            f"{name}: {lan} ({subnet}) has no address for host number {number:x}; give it a /64"
        )
    if (other := taken.setdefault(str(chosen.ip), name)) != name:
        raise HarnessError(
            f"{name} and {other} both have the address {chosen.ip}; give one another"
        )
    return chosen


def _given6(
    name: str, lan: str, subnet: IPv6Network, given: str, taken: dict[str, str]
) -> IPv6Interface:
    try:
        address = IPv6Interface(f"{given}/{subnet.prefixlen}")
    except ValueError as problem:
        raise HarnessError(f"{name}: {given} is no IPv6 address: {problem}") from None
    if address.ip not in subnet:
        raise HarnessError(
            f"{name}: {given} is not in the subnet {subnet} of {lan}; give it an address of that"
        )
    if (other := taken.setdefault(str(address.ip), name)) != name:
        raise HarnessError(
            f"{name} and {other} both have the address {address.ip}; give one another"
        )
    return address


def mac(name: str, given: str, taken: dict[str, str]) -> str:
    """A hardware address, checked, in lower case."""
    mac = str(given).lower()
    if not _MAC.fullmatch(mac):
        raise HarnessError(
            f"{name}: {given!r} is no hardware address of one machine, such as 02:00:00:00:00:01"
        )
    if (other := taken.setdefault(mac, name)) != name:
        raise HarnessError(
            f"{name} and {other} both have the hardware address {mac}; give one another"
        )
    return mac


def gateway(
    name: str, option: str, given: str | None, networks: Iterable[IPv4Network | IPv6Network]
) -> str | None:
    """The address in Mininet's ``defaultRoute="via 172.16.10.1"``; it has to be in one of the
    machine's networks.
    """
    if not given:
        return None
    gateway = str(given).removeprefix("via ").strip()
    try:
        reachable = any(ip_address(gateway) in network for network in networks)
    except ValueError:
        reachable = False
    if not reachable:
        raise HarnessError(
            f'{name}: {option}={given!r}: give "via" an address in a subnet of this machine'
        )
    return gateway


def check_vip(name: str, vip: str, taken: Mapping[str, str]) -> None:
    """A VIP is nobody's own address, but for a machine that holds it on a device of its own."""
    address = str(ip_address(vip))
    other = taken.get(address)
    if other is not None and not other.startswith(_ON_DEVICE):
        raise HarnessError(f"{name}: its VIP {address} is the address of {other}; take a free one")


_ON_DEVICE = "a device of "


def take_further(name: str, address: str, taken: dict[str, str]) -> None:
    """Note an address that a machine has beside those of its interfaces."""
    own = str(ip_address(address))
    if (other := taken.setdefault(own, name)) != name:
        raise HarnessError(f"{name} and {other} both have the address {own}; give one another")


def take(name: str, address: str, taken: dict[str, str]) -> None:
    """Note an address of a machine's device. Several machines may have one that belongs to no host
    (a prefix of /32 or /128), such as a VIP that routes lead to.
    """
    given = ip_interface(address)
    owner = f"{_ON_DEVICE}{name}"
    other = taken.setdefault(str(given.ip), owner)
    of_a_host = given.network.prefixlen == given.max_prefixlen
    if other != owner and not (of_a_host and other.startswith(_ON_DEVICE)):
        raise HarnessError(
            f"{owner} and {other} both have the address {given.ip}; give one another"
        )
