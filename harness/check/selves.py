"""Which real servers are the directors themselves, and whether one machine can be both here (pure).

Two databases that copy each other, with keepalived on both, are the commonest case: each director
has its own database as the only real server of one service, so that its check, when it fails, has a
script end keepalived.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import ip_address

from harness.check.facts import Reading
from harness.check.layout import DirectorMachine
from harness.topology.services import VirtualService


def is_loopback(address: str) -> bool:
    """Whether an address is every machine's own."""
    return ip_address(address).is_loopback


def is_alone(mine: VirtualService, also: VirtualService) -> bool:
    """Whether two directors have one service with one real server each, of the same port, and
    another one.
    """
    own, others = mine.real_servers, also.real_servers
    if len(own) != 1 or len(others) != 1 or own[0].port != others[0].port:
        return False
    return own[0].address != others[0].address and not is_loopback(own[0].address)


def selves(readings: Mapping[str, Reading]) -> dict[str, str]:
    """By director the real server that is taken for itself, since it has that alone and each
    other one another.
    """
    for service in next(iter(readings.values())).services if readings else ():
        alike = {}
        for name, reading in readings.items():
            for each in reading.services:
                if each.called == service.called:
                    alike[name] = each
        if len(alike) < 2 or len(alike) < len(readings):
            continue
        if all(is_alone(service, each) for each in alike.values() if each is not service):
            found = {name: each.real_servers[0].address for name, each in alike.items()}
            if len(set(found.values())) == len(found):
                return found
    return {}


def why_not_both(service: str, directors: Sequence[DirectorMachine]) -> str | None:
    """Why a service is not emulated, some of whose real servers are directors; None if it is, or
    has none such.

    Each director has the service at its address on its first wire, and all of them balance over the
    same real servers.
    """
    having = {}
    for one in directors:
        for each in one.reading.services:
            if each.called == service:
                having[one.name] = each
    known = {address: one for one in directors for address in one.addresses.values()}
    for each in having.values():
        for server in each.real_servers:
            if is_loopback(server.address):
                return f"{server.address} is the director itself"
            if (director := known.get(server.address)) is None:
                continue
            both = f"{server.address} is {director.name}, a director and a real server in one"
            if any(is_alone(each, other) for other in having.values()):
                return both
            if server.method != "DR" or each.fwmark is not None or each.marks:
                return f"{both}, by {server.method}" + " and a firewall mark" * (
                    server.method == "DR"
                )
            if server.address != director.rip:
                return f"{both}, and not at its first address"
            if director.name not in having:
                return f"{both}, which does not have this service itself"
            if any(
                own.port is not None for services in director.local.values() for own in services
            ):
                return f"{both}, and its health scripts ask another server there"
    return None
