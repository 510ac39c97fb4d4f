"""When faults strike and are healed: at a moment of the protocol that the seed draws
(:mod:`harness.cluster.moments`).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

from harness.clock import Instant
from harness.cluster import moments
from harness.cluster.settling import Settling
from harness.daemons.nodes import DirectorNode, Node, RealServerNode
from harness.errors import HarnessError
from harness.events import Advertisement, StateChanged
from harness.faults.fault import Fault
from harness.keepalived import timers
from harness.timeline import TooLate
from harness.topology import HttpGet, VirtualService, VrrpInstance


def wait_moment(cluster: Settling, fault: Fault[Node]) -> None:
    """See :meth:`harness.cluster.Cluster.wait_moment`."""
    moment = cluster.moments.draw()
    if isinstance(fault.node, DirectorNode):
        _wait_within_reign(cluster, fault.node, moment)
    elif isinstance(fault.node, RealServerNode):
        wait_between_checks(cluster, fault.node, moment, fault.cuts)


def wait_healing(cluster: Settling, fault: Fault[Node]) -> None:
    """Until the moment at which a fault is to be healed: see :meth:`Cluster.suffering`."""
    moment, period = cluster.moments.draw(), 0.0
    if isinstance(fault.node, DirectorNode):
        period = max((_turn(instance) for instance in fault.node.role.instances), default=0.0)
    elif isinstance(fault.node, RealServerNode):
        period = max(_rounds(cluster, fault.symptom), default=0.0)
    if period:
        cluster.timeline.let_pass(moment * period)


def _rounds(cluster: Settling, symptom: timers.Symptom) -> Iterator[float]:
    """How many seconds there are between two looks at a real server that is ill, for each check
    that notices: so much earlier or later may it be found well.
    """
    for director in cluster.directors:
        for service in director.role.services:
            for check in service.checks:
                with contextlib.suppress(HarnessError):  # of those that do not notice
                    found = timers.recovery(replace(service, check=check), symptom)
                    yield found.latest - found.earliest


def _turn(instance: VrrpInstance) -> float:
    """The longest time between two advertisements of an instance, or two runs of a script that it
    tracks.
    """
    return max([instance.advert_int, *(script.interval for script in instance.track_scripts)])


def _wait_within_reign(cluster: Settling, director: DirectorNode, moment: float) -> None:
    for instance in director.role.instances:
        sent = cluster.timeline.events(Advertisement, sent=True, vrid=instance.vrid)
        if not sent or not sent[-1].priority:
            continue
        sender = sent[-1].node
        entered = cluster.timeline.events(
            StateChanged, node=sender, instance=instance.name, state="MASTER"
        )
        earliest = max(
            [cluster.timeline.now(), *(event.at + moments.REIGN for event in entered[-1:])]
        )
        at = moments.instant(sent[-1].at, _turn(instance), moment, earliest)
        cluster.timeline.let_pass(at - cluster.timeline.now())
        return


def wait_between_checks(
    cluster: Settling, server: RealServerNode, moment: float = 0.5, cuts: bool = True
) -> None:
    """See :meth:`harness.cluster.Cluster.wait_between_checks`."""
    now = cluster.timeline.now()  # looking takes its time, too
    due = sorted(
        ((made[-1] - now) % service.delay_loop, service.delay_loop, _turns(service))
        for director in cluster.directors
        for service in director.role.services
        if any(check.connects for check in service.checks)
        and (made := cluster.checked(director, server, service, since=now - 3 * service.delay_loop))
    )
    if not due:
        return
    if cuts:
        begins = [after for after, _, _ in due]
        pauses = pairwise([*begins, begins[0] + min(loop for _, loop, _ in due)])
        begin, end = max(pauses, key=lambda pause: pause[1] - pause[0])
        at = now + begin + (0.1 + 0.8 * moment) * (end - begin)
    else:
        longest = max(turns * loop for _, loop, turns in due)
        after, loop, _ = due[0]
        at = moments.instant(now + after - loop, longest, moment, cluster.timeline.now())
    cluster.timeline.let_pass(max(0.0, at - cluster.timeline.now()))


def _turns(service: VirtualService) -> int:
    """How many checks it takes until each URL of a real server has been asked for."""
    return max(len(check.urls) if isinstance(check, HttpGet) else 1 for check in service.checks)


def wait_check(
    cluster: Settling,
    director: DirectorNode,
    server: RealServerNode,
    service: VirtualService | None = None,
) -> Instant:
    """See :meth:`harness.cluster.Cluster.wait_check`."""
    wanted = cluster.service if service is None else service
    began = cluster.timeline.now()
    paces = [check.pace(wanted.delay_loop) for check in wanted.checks if check.connects]
    if not paces:
        raise HarnessError(f"{wanted.name}: none of its checks connects to real servers")
    loop = max(pace.delay_loop for pace in paces)
    longest = max(pace.delay_loop + pace.timeout + pace.delay_before_retry for pace in paces)
    before = cluster.checked(director, server, wanted, since=began - loop)
    soon = before[-1] + loop - began if before else loop
    for until in (began + max(0.0, soon), began + longest):
        cluster.timeline.let_pass(until + cluster.slack - cluster.timeline.now())
        if made := cluster.checked(director, server, wanted, since=began):
            return made[0]
    raise TooLate(
        f"{director.name} has not checked {server.name} within {longest:.3f} s, though"
        f" {wanted.name} is to be checked every {loop:g} s"
    )
