"""Virtual services, their real servers and the checks of these."""

from __future__ import annotations

from collections.abc import Iterable

from harness.keepalived.config.blocks import block, seconds
from harness.keepalived.config.checks import checker
from harness.topology.services import Destination, VirtualService


def virtual_server(service: VirtualService, destinations: Iterable[Destination]) -> list[str]:
    """The block ``virtual_server`` with its real servers, and the sorry server if there is one
    among them; before it the group that it is for, if it has one.

    A firewall mark says nothing of ports, so with one a real server is asked at the port that the
    client asked for.
    """
    body = [
        f"delay_loop {seconds(service.delay_loop)}",
        f"lb_algo {service.scheduler}",
        *service.flags,
        *(["ops"] if service.ops else []),
        f"lb_kind {service.method}",
    ]
    if service.persistence_timeout is not None:
        body.append(f"persistence_timeout {service.persistence_timeout}")
    if service.persistence_granularity is not None:
        body.append(f"persistence_granularity {service.persistence_granularity}")
    if service.fwmark is None:
        body.append(f"protocol {service.protocol}")
    body += _quorum(service)
    checkers = [line for check in service.checks for line in checker(check)]
    inhibit = ["inhibit_on_failure"] if service.inhibit_on_failure else []
    for destination in destinations:
        if destination.sorry:
            body.append(f"sorry_server {destination.address} {destination.port}")
            body += ["sorry_server_inhibit"] if service.sorry_inhibit else []
            continue
        head = f"real_server {destination.address} {destination.port or ''}".rstrip()
        body += block(head, [f"weight {destination.weight}", *inhibit, *checkers])
    if service.fwmark is not None:
        return block(f"virtual_server fwmark {service.fwmark}", body)
    if service.group:
        name = group_name(service)
        members = block(
            f"virtual_server_group {name}",
            [f"{address} {port}" for address, port in service.endpoints],
        )
        return [*members, "", *block(f"virtual_server group {name}", body)]
    return block(f"virtual_server {service.vip} {service.port}", body)


def group_name(service: VirtualService) -> str:
    """The name of a service's ``virtual_server_group``."""
    return f"{service.vip}-{service.port}-{service.protocol}"


def _quorum(service: VirtualService) -> list[str]:
    body = ["alpha"] if service.alpha else []
    if service.quorum != 1 or service.hysteresis:
        body += [f"quorum {service.quorum}", f"hysteresis {service.hysteresis}"]
    if service.quorum_up is not None:
        body.append(f'quorum_up "{service.quorum_up}"')
    if service.quorum_down is not None:
        body.append(f'quorum_down "{service.quorum_down}"')
    return body
