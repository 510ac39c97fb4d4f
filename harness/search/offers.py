"""Where each kind of deed can be done: the parameters with which a machine of a plan offers it
(pure).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from harness.daemons.daemon import Daemon
from harness.daemons.httpd import TRICKLE
from harness.daemons.servers import servers_of
from harness.lab.plan import HostPlan, Plan
from harness.topology import (
    Director,
    FileCheck,
    PingCheck,
    RealServer,
    TrackedFile,
    Url,
    VirtualService,
    VrrpInstance,
)
from harness.topology.tracking import CHECK, FAULT

Offer = Callable[[Plan, HostPlan], Iterable[dict[str, Any]]]
"""The parameters with which a kind of deed can be done to a machine: none at all if it cannot."""


def anywhere(plan: Plan, host: HostPlan) -> Iterable[dict[str, Any]]:
    """Once on each machine, without parameters."""
    return ({},)


def peers(plan: Plan, host: HostPlan) -> Iterator[dict[str, Any]]:
    """Whom a director can be cut off from: other directors for their packets, real servers for its
    checks.
    """
    for other in plan.hosts:
        shared = {each.lan for each in host.interfaces} & {each.lan for each in other.interfaces}
        if other.name == host.name or not shared:
            continue
        if isinstance(other.role, Director):
            yield {"other": other.name, "both": False}
        if isinstance(other.role, Director | RealServer) and host.name < other.name:
            yield {"other": other.name, "both": True}


def vips(plan: Plan, host: HostPlan) -> Iterator[dict[str, Any]]:
    """The VIPs that may be deleted by hand."""
    instances = host.role.instances if isinstance(host.role, Director) else ()
    yield from ({"vip": vip} for instance in instances for vip in instance.vips)


def weights(plan: Plan, host: HostPlan) -> Iterator[dict[str, Any]]:
    """The real servers of each service, to be given weight 0."""
    if not isinstance(host.role, Director):
        return
    for service in host.role.services:
        for server in plan.of_role(RealServer):
            served = {each.name for each in server.role.serves}  # type: ignore[attr-defined]
            if service.name in served and not service.fwmark:
                yield {"service": service.name, "server": server.name, "weight": 0}


def services(plan: Plan, host: HostPlan) -> Iterator[dict[str, Any]]:
    """The services that a client can ask for a page."""
    directors = plan.of_role(Director)
    for director in directors[:1]:
        for service in director.role.services:  # type: ignore[attr-defined]
            if service.protocol == "TCP" and service.port != 443:
                yield {"service": service.name, "rate": 10}


def instances(plan: Plan, host: HostPlan) -> Iterator[dict[str, Any]]:
    """Where an election goes on."""
    if instances_of(host):
        yield {}


def instances_of(host: HostPlan) -> tuple[VrrpInstance, ...]:
    """The VRRP instances of a director; none of another machine."""
    return host.role.instances if isinstance(host.role, Director) else ()


def services_of(host: HostPlan) -> Sequence[VirtualService]:
    """The virtual services of a director; none of another machine."""
    return host.role.services if isinstance(host.role, Director) else ()


def times(plan: Plan, host: HostPlan, possible: bool) -> Iterator[dict[str, Any]]:
    """How often a child dies, one time after the other."""
    yield from ({"times": times} for times in (1, 2) if possible)


def scripts(plan: Plan, host: HostPlan) -> Iterator[dict[str, Any]]:
    """Where a health script or a checker looks at the file that makes it fail."""
    if isinstance(host.role, Director):
        commands = [script.script for each in host.role.instances for script in each.track_scripts]
        commands += [
            getattr(check, "path", "") for each in host.role.services for check in each.checks
        ]
        if any(CHECK in str(command) for command in commands):
            yield {}


NUMBERS = (-20, 20, FAULT)
"""What may be written into a tracked file: twice another priority, and FAULT state."""


def files(plan: Plan, host: HostPlan) -> Iterator[dict[str, Any]]:
    """The tracked files of a director, each with the numbers that may be written into it."""
    for file in files_of(host):
        for value in NUMBERS if file.weight else (1,):
            yield {"file": file.name, "value": value}


def files_of(host: HostPlan) -> list[TrackedFile]:
    """The files that a director's instances track, or its checkers, each once."""
    tracked = [file for each in instances_of(host) for file in each.track_files]
    checks = [check for service in services_of(host) for check in service.checks]
    checked = [check.file for check in checks if isinstance(check, FileCheck)]
    return list(dict.fromkeys([*tracked, *checked]))


def programs(plan: Plan, host: HostPlan) -> Iterator[dict[str, Any]]:
    """The programs of the user's own that run on a machine."""
    yield from ({"program": program.name} for program in host.role.runs)


def cables(plan: Plan, host: HostPlan) -> Iterator[dict[str, Any]]:
    """All cables of a machine at once, and each alone where there are several."""
    yield {}
    wired = [each.name for each in host.interfaces if each.lan]
    if len(wired) > 1:
        yield from ({"interface": name} for name in wired)


def switches(plan: Plan, host: HostPlan) -> Iterator[dict[str, Any]]:
    """Where a script looks whether the director is under maintenance."""
    if isinstance(host.role, Director):
        scripts = [script.script for each in host.role.instances for script in each.track_scripts]
        if any("/etc/keepalived/down" in script for script in scripts):
            yield {}


def running(daemon: Daemon) -> Offer:
    """Where a daemon serves what real servers are asked for."""

    def where(plan: Plan, host: HostPlan) -> Iterator[dict[str, Any]]:
        role = host.role
        if isinstance(role, RealServer) and daemon in [each.daemon for each in servers_of(role)]:
            yield {}

    return where


def pinged(plan: Plan, host: HostPlan) -> Iterator[dict[str, Any]]:
    """Where an answer to an echo request is what a checker waits for."""
    if isinstance(host.role, RealServer):
        checks = [check for service in host.role.serves for check in service.checks]
        if any(isinstance(check, PingCheck) for check in checks):
            yield {}


def pages(plan: Plan, host: HostPlan) -> Iterator[dict[str, Any]]:
    """The pages that are checked, and are there."""
    yield from ({"path": path} for path in dict.fromkeys(url.path for url in _urls(host)))


def read_pages(plan: Plan, host: HostPlan) -> Iterator[dict[str, Any]]:
    """Those of them whose text is looked at."""
    paths = dict.fromkeys(url.path for url in _urls(host) if url.digest is not None)
    yield from ({"path": path} for path in paths)


def slow_pages(plan: Plan, host: HostPlan) -> Iterator[dict[str, Any]]:
    """Those of them that httpd sends a little at a time."""
    paths = dict.fromkeys(url.path for url in _urls(host))
    yield from ({"path": path} for path in paths if path.startswith(f"/{TRICKLE}/"))


def _urls(host: HostPlan) -> list[Url]:
    """What is asked of a real server whose pages are there."""
    if not isinstance(host.role, RealServer):
        return []
    there = {"/", *host.role.pages}
    checks = [check for service in host.role.serves for check in service.checks]
    return [url for check in checks for url in check.urls if url.path in there]


def texts(plan: Plan, host: HostPlan) -> Iterator[dict[str, Any]]:
    """What can be edited in a director's configuration; :func:`harness.search.kinds.possible`
    makes it, which knows the text.
    """
    yield from ()
