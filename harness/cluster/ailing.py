"""What a scenario has left amiss in a cluster, so that no other one may have it."""

from __future__ import annotations

from harness.cluster.cluster import Cluster
from harness.events import FaultChanged
from harness.faults.servers import HalfOpen
from harness.keepalived.timers.checking import LINGER


def ailment(cluster: Cluster) -> str | None:
    """What a scenario has left amiss; None if the cluster, once it has settled, is as good as
    new.
    """
    for fault in cluster.faults.lasting:
        return f"{fault.node.name} still suffers from {fault.name}"
    _wait_assured(cluster)
    return cluster.state.down() or _reconfigured(cluster) or _misled(cluster)


def _reconfigured(cluster: Cluster) -> str | None:
    """Which director has been left with another configuration; None if none has."""
    for director in cluster.directors:
        made_with = director.config_text().decode(errors="replace")
        if director.machine.powered and director.machine.read(director.config_file) != made_with:
            return f"{director.name} has been left with another {director.config_file}"
    return None


def _wait_assured(cluster: Cluster) -> None:
    """Wait until no checker that has begun to fail can still be about to try again: it would
    give up too early. One that met a half-open connection may stand still until its end.
    """
    healed = cluster.timeline.events(FaultChanged, action="healed")
    if not healed:
        return
    paces = [
        check.pace(service.delay_loop)
        for director in cluster.directors
        for service in director.role.services
        for check in service.checks
    ]
    longest = max((pace.timeout + pace.delay_before_retry for pace in paces), default=0.0)
    if any(fault.name == HalfOpen.__name__ for fault in healed):
        longest += LINGER.latest
    cluster.timeline.let_pass(max(0.0, healed[-1].at + longest - cluster.timeline.now()))


def _misled(cluster: Cluster) -> str | None:
    """Which machine looks for the VIP at the wrong hardware address; None if all are right or
    do not know.
    """
    master = cluster.settle().master
    right = master.hardware_address(cluster.vip)
    for node in cluster.nodes.values():
        known = node.neighbour(cluster.vip) if node is not master else None
        if known not in (None, right):
            return f"{node.name} looks for {cluster.vip} at {known}, and {master.name} has {right}"
    return None
