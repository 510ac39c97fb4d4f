"""What directors' own configurations say of them, in topologies that leave that to keepalived
(``read=True``).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from harness.check import judged, reading, rehearsal
from harness.check.files import Configuration, load
from harness.daemons import keepalived
from harness.errors import HarnessError
from harness.lab.plan import HostPlan, Plan
from harness.lab.supervisor import Supervisor
from harness.topology import Director, RealServer


def with_read(whole: Plan, supervisor: Supervisor) -> Plan:
    """The plan with the VRRP instances, the sync groups and the services that keepalived reads, in
    machines below ``supervisor``, for each director that is to have them from there.

    Of the services those are known that real servers of the topology serve. HarnessError, with
    keepalived's own words, for a configuration that it refuses, or of which it says where
    something is wrong.
    """
    served: set[str] = set()
    for host in whole.of_role(RealServer):
        if isinstance(host.role, RealServer):
            served.update(service.name for service in host.role.serves)
    known: rehearsal.Known = {}
    hosts = [
        _read(host, host.role, supervisor, served, known)
        if isinstance(host.role, Director) and host.role.read
        else host
        for host in whole.hosts
    ]
    return replace(whole, hosts=tuple(hosts))


def _read(
    host: HostPlan, role: Director, supervisor: Supervisor, served: set[str], known: rehearsal.Known
) -> HostPlan:
    if role.config is not None:
        configuration = load(f"{host.name}={role.config}")
    else:
        configuration = Configuration(host.name, Path("keepalived.conf"), {**role.files}, ())
    bare = replace(host, role=Director(), interfaces=())
    found, complaints = reading.read(configuration, bare, supervisor, known)
    if keepalived.name_places(complaints):
        raise HarnessError(
            f"{host.name}: keepalived rejects {configuration.origin}: {'; '.join(complaints)};"
            " with read=False it is used as it is"
        )
    own = [judged.as_judged(each) for each in found.instances if judged.is_judged(each)]
    services = [
        made
        for each in found.services
        if each.endpoints and (made := judged.as_served(each, ())).name in served
    ]
    understood = replace(
        role,
        vrrp=tuple(own),
        sync_groups=judged.sync_groups(found.sync_groups, own),
        services=tuple(services),
        startup_delay=found.startup_delay,
    )
    return replace(host, role=understood)
