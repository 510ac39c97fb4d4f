"""Which packets and announcements cannot take the way that a configuration needs, told from the
addresses (pure).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from harness.check import shared_wires
from harness.check.facts import Reading
from harness.check.layout import Layout, ServerMachine
from harness.topology.services import VirtualService
from harness.topology.vrrp import Vip, VrrpInstance

ASKED, LOST = "asked", "lost"


@dataclass(frozen=True)
class Amiss:
    """What is amiss, with its cure. ``services`` cannot be judged because of it: when they are
    ``asked`` at all, or when their director is ``lost``.
    """

    name: str
    about: str
    cure: str
    services: tuple[str, ...] = ()
    when: str = ASKED

    def __str__(self) -> str:
        return f"{self.name}: {self.about}; {self.cure}"


def amiss(layout: Layout) -> tuple[Amiss, ...]:
    """Everything that is amiss with the ways of a cluster."""
    found: list[Amiss] = []
    for judge in (
        _both_in_one,
        _answers_past_the_director,
        _no_inner_vip,
        _legs_apart,
        _outside,
        _not_announced,
        _whole_subnet_local,
        _checks_from_the_vip,
    ):
        found += judge(layout)
    return tuple(dict.fromkeys(found))


def services_of(layout: Layout) -> dict[str, VirtualService]:
    """Every service by its name, as the first director has it that has it at all."""
    found: dict[str, VirtualService] = {}
    for director in layout.directors:
        for service in director.reading.services:
            found.setdefault(service.called, service)
    return found


def _both_in_one(layout: Layout) -> Iterator[Amiss]:
    """Directors that are real servers: both balance, so that each hands the other what it was just
    handed.

    With one alone nothing comes back. What bears a firewall mark is in no keepalived.conf: it may
    be the cure.
    """
    owners = {address: one.name for one in layout.directors for address in one.addresses.values()}
    for name, each in services_of(layout).items():
        if each.fwmark is not None or each.marks or each.method == "NAT":
            # what NAT hands on is addressed to the real server, of which the other knows no service
            continue
        balancing = {}
        for one in layout.directors:
            for service in one.reading.services:
                if service.called == name:
                    balancing[one.name] = service
        chosen = set()
        for mine, service in balancing.items():
            for server in service.real_servers:
                if owners.get(server.address, mine) != mine:
                    chosen.add(owners[server.address])
        both = [one.name for one in layout.directors if one.name in chosen & balancing.keys()]
        if len(both) > 1:
            yield Amiss(
                "director and real server in one",
                f"{' and '.join(both)} are directors and real servers of {name}, and every director"
                " balances: what the master hands to the backup, that balances again and may"
                " hand back, without end",
                "have IPVS balance on the master alone (lvs_sync_daemon with the sysctl"
                " net.ipv4.vs.backup_only=1, or a"
                " notify script that loads and clears the table), balance by a firewall mark"
                " that is not put on what"
                " comes from the other director's hardware address, or give the service real"
                " servers of its own",
            )


def _answers_past_the_director(layout: Layout) -> Iterator[Amiss]:
    """NAT where client and real server are on one LAN: the answer needs no director."""
    if layout.routed:
        return
    for name, service in services_of(layout).items():
        lans = {
            layout.outside.get(address) or _lan_of(layout, address)
            for address, _ in service.endpoints
        }
        near = [server for server in _servers_of(layout, service) if server.segment in lans]
        if near and service.method == "NAT":
            told = ", ".join(f"{server.name} {server.rip}" for server in near)
            yield Amiss(
                "NAT on one LAN",
                f"{name}: clients are on the same LAN as {told}, which answer straight to the"
                f" client, past the"
                " director, and with an address that the client did not ask",
                "use DR, or put the real servers on a LAN of their own; where clients are behind"
                " a router:"
                " --set client=router",
                (name,),
            )


def _no_inner_vip(layout: Layout) -> Iterator[Amiss]:
    """NAT with real servers on a LAN where no VIP moves with the master: their gateway is one
    director's own.
    """
    held = [vip for one in _instances(layout) for vip in one.held]
    for name, service in services_of(layout).items():
        if service.method != "NAT" or len(layout.directors) < 2:
            continue
        if not any(vip.address == address for vip in held for address, _ in service.endpoints):
            continue
        for lan in sorted({server.segment for server in _servers_of(layout, service)}):
            if not any(layout.segments[lan].has(vip.address) for vip in held):
                yield Amiss(
                    "no floating inner address for NAT",
                    f"{name}: its real servers on {layout.segments[lan].subnet} have one"
                    f" director's own address as"
                    " their gateway, and after a failover no director holds the gateway",
                    f"give all directors a VIP on {layout.segments[lan].subnet} that moves with"
                    f" the others, and the"
                    " real servers that as their gateway",
                    (name,),
                    LOST,
                )


def _legs_apart(layout: Layout) -> Iterator[Amiss]:
    """NAT with the VIP and the real servers' gateway in instances of which one can fail over
    without the other.
    """
    for name, service in services_of(layout).items():
        lans = {server.segment for server in _servers_of(layout, service)}
        if service.method != "NAT" or len(layout.directors) < 2:
            continue
        for director in layout.directors:
            instances = director.reading.instances
            outer = [one for one in instances if _holds_one_of(one, service)]
            inner = [one for one in instances if _is_on_one_of(layout, one, lans)]
            if (
                not outer
                or not inner
                or outer[0] in inner
                or _together(director.reading, outer[0], inner[0])
            ):
                continue
            yield Amiss(
                "NAT legs that fail over apart",
                f"{name}: its VIP is in {outer[0].name} and the gateway of its real servers in"
                f" {inner[0].name}, and"
                f" nothing ties the two together: when {outer[0].interface} of the master loses"
                f" its carrier, the VIP"
                " moves and the gateway stays, so answers go to a director that cannot pass them"
                " on",
                "put both instances into one vrrp_sync_group",
            )


def _together(reading: Reading, one: VrrpInstance, other: VrrpInstance) -> bool:
    """Whether two instances of a director change their states together when a link of either
    fails.
    """
    group = reading.group_of(one)
    if group is not None and group == reading.group_of(other):
        return True
    if one.interface == other.interface:
        return True
    one_follows = {tracked.name for tracked in one.track_interfaces}
    other_follows = {tracked.name for tracked in other.track_interfaces}
    return other.interface in one_follows and one.interface in other_follows


def _holds_one_of(instance: VrrpInstance, service: VirtualService) -> bool:
    """Whether one of the VIPs of a service is the instance's."""
    endpoints = {address for address, _ in service.endpoints}
    return any(vip.address in endpoints for vip in instance.held)


def _is_on_one_of(layout: Layout, instance: VrrpInstance, lans: Iterable[str]) -> bool:
    """Whether a VIP of the instance is in the subnet of one of the LANs."""
    segments = [layout.segments[lan] for lan in lans]
    return any(segment.has(vip.address) for segment in segments for vip in instance.held)


def _outside(layout: Layout) -> Iterator[Amiss]:
    """DR to a real server on a LAN of which nothing else is known, beside others that are on
    the directors'.
    """
    known = {_lan_of(layout, vip.address) for one in _instances(layout) for vip in one.held}
    known |= {_lan_of(layout, one.source) for one in _instances(layout) if one.source}
    known |= set(layout.outside.values())
    for name, service in services_of(layout).items():
        servers = _servers_of(layout, service)
        if service.method != "DR" or not any(server.segment in known for server in servers):
            continue
        for server in servers:
            if server.segment not in known:
                near = next(lan for lan in layout.segments if lan in known)
                yield Amiss(
                    "real server outside the LAN",
                    f"{name}: DR needs its real servers on a LAN of the directors', and"
                    f" {server.rip} is not in"
                    f" {layout.segments[near].subnet} as the others are",
                    f"correct the address, or say how wide the LAN is: --set {near}=SUBNET, or"
                    f" use TUN",
                )


def _not_announced(layout: Layout) -> Iterator[Amiss]:
    """VIPs on a device that is no wire: no gratuitous ARP leaves by it."""
    services = services_of(layout)
    for one in _instances(layout):
        for vip in one.held:
            if shared_wires.is_virtual(vip.device) and len(layout.directors) > 1:
                yield Amiss(
                    "VIP on a device that announces nothing",
                    f"{one.name} holds {vip.address} on {vip.device}: no gratuitous ARP leaves"
                    f" by {vip.device}, so"
                    " after a failover clients go on to the old director until their entry is old",
                    f"hold it on {one.interface}",
                    tuple(
                        name
                        for name, each in services.items()
                        if vip.address in dict(each.endpoints)
                    ),
                    LOST,
                )


def _whole_subnet_local(layout: Layout) -> Iterator[Amiss]:
    """VIPs on the loopback device with a prefix of more than themselves: the kernel takes every
    address of the subnet for the master's own (``fib_frontend.c``, ``fib_add_ifaddr``).
    """
    for one in _instances(layout):
        for vip in one.held:
            if vip.device != "lo" or ":" in vip.address or vip.prefix == 32:
                continue
            subnet = ip_network(f"{vip.address}/{vip.prefix}", strict=False)
            lost = tuple(
                name
                for name, service in services_of(layout).items()
                if any(ip_address(each.address) in subnet for each in service.real_servers)
            )
            yield Amiss(
                "VIP that makes its subnet local",
                f"{one.name} holds {vip.address} on lo with /{vip.prefix}, so the master takes"
                f" every address of {subnet} for its own: what it sends to real servers and"
                f" clients there never leaves it",
                f"write {vip.address}/32, or hold it on {one.interface}",
                lost,
            )


def _checks_from_the_vip(layout: Layout) -> Iterator[Amiss]:
    """IPv6 VIPs that a director speaks from: real servers hold the VIP themselves, and answer
    themselves.

    Of the addresses in the subnet of the one spoken to the kernel takes the one that it was given
    last, for it compares no more bits than the prefix has (``addrconf.c``, IPV6_SADDR_RULE_PREFIX),
    and none that is deprecated, as keepalived sets VIPs of /128.
    """
    held: dict[Vip, None] = {}
    for one in _instances(layout):
        for vip in one.held:
            if ":" in vip.address and vip.prefix < 128:
                held[vip] = None
    for name, service in services_of(layout).items():
        for vip in [vip for vip in held if vip.address in dict(service.endpoints)]:
            subnet = ip_network(f"{vip.address}/{vip.prefix}", strict=False)
            checked = [server.address for server in service.real_servers if server.checks]
            taken = [address for address in checked if ip_address(address) in subnet]
            if taken and service.method != "NAT":
                yield Amiss(
                    "IPv6 VIP that the director speaks from",
                    f"{name}: the VIP has /{vip.prefix}, so the master's checks of"
                    f" {', '.join(taken)} are sent from"
                    f" {vip.address}, and those real servers, which hold it, answer themselves:"
                    f" it removes them",
                    f"write {vip.address} without a prefix or with /128, which keepalived keeps"
                    f" from being spoken from",
                    (name,),
                )


def _instances(layout: Layout) -> Iterator[VrrpInstance]:
    for director in layout.directors:
        yield from director.reading.instances


def _servers_of(layout: Layout, service: VirtualService) -> list[ServerMachine]:
    found = []
    for server in layout.servers:
        if service.called in {each.called for each, _ in server.serves}:
            found.append(server)
    return found


def _lan_of(layout: Layout, address: str) -> str | None:
    return next((name for name, segment in layout.segments.items() if segment.has(address)), None)
