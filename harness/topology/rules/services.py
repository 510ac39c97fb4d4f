"""What may be written of virtual services."""

from __future__ import annotations

from harness.errors import HarnessError
from harness.topology import fields
from harness.topology.rules.checks import LONGEST_DELAY
from harness.topology.rules.dispatch import check
from harness.topology.services import (
    METHODS,
    PROTOCOLS,
    SCHEDULER_FLAGS,
    SCHEDULERS,
    Destination,
    VirtualService,
    endpoint,
)


@check.register
def _service(service: VirtualService) -> None:
    endpoints(service)
    owner = _name(service)
    fields.one_of(owner, "scheduler", service.scheduler, SCHEDULERS)
    fields.one_of(owner, "method", service.method, METHODS)
    known = SCHEDULER_FLAGS.get(service.scheduler, ())
    if service.flags and not known:
        raise HarnessError(
            f"{owner}: the scheduler {service.scheduler} has no flags: leave flags= out"
        )
    for flag in service.flags:
        fields.one_of(f"{owner}, with scheduler {service.scheduler}", "flags", flag, known)
    if service.ops:
        fields.one_of(f"{owner}, with ops", "protocol", service.protocol, ("UDP",))
    fields.number(owner, "delay_loop", service.delay_loop, 0.001, LONGEST_DELAY)
    for weight in service.weight if isinstance(service.weight, tuple) else (service.weight,):
        fields.whole(owner, "weight", weight, 0, 65535)
    _persistence(owner, service)
    _quorum(owner, service)
    if service.real_port is not None:
        fields.one_of(f"{owner}, with a real_port of its own", "method", service.method, ("NAT",))
    _not_written_of(owner, service)
    for each in service.checks:
        check(each)


def endpoints(service: VirtualService) -> None:
    """Raises HarnessError unless a service can be asked for: by its addresses, ports, protocol and
    mark. A director's firewall is told of these whoever writes its keepalived.conf.
    """
    fields.address("VirtualService", "vip", service.vip)
    owner = _name(service)
    fields.whole(owner, "port", service.port, 1, 65535)
    if service.real_port is not None:
        fields.whole(owner, "real_port", service.real_port, 1, 65535)
    for address, port in service.group:
        fields.address(owner, "an address of the group", address)
        fields.whole(owner, "a port of the group", port, 1, 65535)
    fields.one_of(owner, "protocol", service.protocol, PROTOCOLS)
    if service.fwmark is not None:
        fields.whole(owner, "fwmark", service.fwmark, 1, 2**32 - 1)


def _name(service: VirtualService) -> str:
    return f"VirtualService {endpoint(service.vip, service.port)}"


def _persistence(owner: str, service: VirtualService) -> None:
    timeout, granularity = service.persistence_timeout, service.persistence_granularity
    if timeout is not None:
        fields.whole(owner, "persistence_timeout", timeout, 1, 31 * 86400)
    if granularity is not None:
        if timeout is None:
            raise HarnessError(
                f"{owner}: persistence_granularity means nothing without a persistence_timeout"
            )
        fields.netmask(owner, "persistence_granularity", granularity, service.family)


def _quorum(owner: str, service: VirtualService) -> None:
    fields.whole(owner, "quorum", service.quorum, 1, 2**31 - 1)
    fields.whole(owner, "hysteresis", service.hysteresis, 0, service.quorum - 1)
    for field in ("quorum_up", "quorum_down"):
        if (command := getattr(service, field)) is not None:
            fields.command(owner, field, command)


def _not_written_of(owner: str, service: VirtualService) -> None:
    """What is only read from files: a topology says it otherwise, or not at all."""
    known = {
        "marks": (),
        "title": None,
        "virtualhost": None,
        "sorry_server": None,
        "real_servers": (),
        "ha_suspend": False,
    }
    for field, unsaid in known.items():
        if getattr(service, field) != unsaid:
            raise HarnessError(
                f"{owner}: nothing is written for {field}=: machines that serve it are its"
                " servers; for what else there is use edits=, or config="
            )


@check.register
def _destination(destination: Destination) -> None:
    fields.address("Destination", "address", destination.address)
    owner = f"Destination {destination.endpoint}"
    fields.whole(owner, "port", destination.port, 0, 65535)
    fields.whole(owner, "weight", destination.weight, 0, 65535)
