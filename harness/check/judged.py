"""What of the directors' files is judged: the objects that keepalived's text was read to, as the
machines of the emulated cluster have them (pure).

The directors are given the user's own text; the objects say what is to be expected of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from harness.topology import SyncGroup, VirtualService, VrrpInstance
from harness.topology.checks import Check, OtherCheck
from harness.topology.services import PROTOCOLS

NO_VIP = "192.0.2.255"
"""Stands for the VIP of an instance that has none: of such a one only the state is looked at."""


def as_judged(instance: VrrpInstance) -> VrrpInstance:
    """An instance as it is judged: by the VIPs that it advertises, or else by those that it merely
    holds.
    """
    if instance.vips:
        return instance
    return replace(instance, vip=instance.excluded_vips or NO_VIP, excluded_vips=())


def is_judged(instance: VrrpInstance) -> bool:
    """Whether an instance has an address whose owner can be told, be it one that is not
    advertised.
    """
    return bool(instance.held)


def sync_groups(
    groups: Iterable[SyncGroup], instances: Iterable[VrrpInstance]
) -> tuple[SyncGroup, ...]:
    """The sync groups that have two members or more among the instances."""
    names = {instance.name for instance in instances}
    left = []
    for group in groups:
        members = tuple(name for name in group.members if name in names)
        if len(members) > 1:
            left.append(replace(group, members=members))
    return tuple(left)


def as_served(service: VirtualService, machines: Sequence[str]) -> VirtualService:
    """A virtual service as the real servers of the cluster serve it: with the checkers of the first
    of them (see :func:`known_checks`), and the weight of each.

    ``machines`` are the addresses of all real servers, in the order of the topology.
    """
    weights = {server.address: server.weight for server in service.real_servers}
    ports = {server.port for server in service.real_servers}
    own = next(iter(ports), 0) if service.method == "NAT" and len(ports) == 1 else 0
    differs = own != service.port or service.group or service.fwmark is not None
    first = service.real_servers[0].own_checks if service.real_servers else ()
    return replace(
        service,
        protocol=service.protocol if service.protocol in PROTOCOLS else "TCP",
        check=known_checks(first),
        weight=tuple(weights[address] for address in machines if address in weights) or 1,
        hysteresis=min(service.hysteresis, service.quorum - 1),
        real_port=own if own and differs else None,
        real_servers=(),
        sorry_server=None,
    )


def known_checks(own: Iterable[Check]) -> tuple[Check, ...]:
    """The checkers of a real server that are known here.

    What another machine is asked is answered there, and is no fault of the real server's.
    """
    return tuple(check for check in own if not isinstance(check, OtherCheck))
