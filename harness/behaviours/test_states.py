"""Instances without a VIP: a cloud's, whose scripts attach an address elsewhere. Only their state
can be told.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import pytest

from harness.behaviours.routers import Router, first_of
from harness.cluster import Cluster
from harness.events import StateChanged
from harness.faults import Fault, PowerOff, StopKeepalived
from harness.keepalived import timers
from harness.nodes import DirectorNode
from harness.topology import VrrpInstance

Claims = list[tuple[DirectorNode, VrrpInstance]]


@pytest.mark.parametrize("loss", [PowerOff, StopKeepalived], ids=lambda fault: fault.__name__)
def test_an_instance_without_a_vip_has_another_master(
    cluster: Cluster, loss: type[Fault[DirectorNode]]
) -> None:
    """Every instance without a VIP has one master, another one in time when that is lost, and the
    first again.
    """
    for claims in _routers(cluster):
        highest = max(claim.effective_priority() for _, claim in claims)
        foremost = [
            director.name for director, claim in claims if claim.effective_priority() == highest
        ]
        longest = max(
            timers.master_down_interval(replace(claim, priority=1)) for _, claim in claims
        )
        cluster.timeline.let_pass(2 * longest + cluster.slack)
        masters = _masters(cluster, claims)  # of equals, the one that was there first stays
        assert len(masters) == 1, f"{claims[0][1].name}: {masters}"
        assert masters[0] in foremost, f"{claims[0][1].name}: {masters}"
        (first, own), *others = sorted(claims, key=lambda pair: pair[0].name not in masters)
        if not others:
            continue
        router = Router("", own.vrid, tuple(claims))
        heirs = router.heirs_of(first)
        dues = [router.takeover(each, first, announced=loss.announced) for each in heirs]
        with cluster.suffering(loss(first)) as struck:
            latest = struck + max(due.latest for due in dues)
            heir = first_of(cluster, heirs, latest, partial(_masters, cluster, claims))
            claim, due = router.claim_of(heir), dues[heirs.index(heir)]
            told = {"instance": claim.name, "state": "MASTER"}
            event = cluster.timeline.wait_for(
                StateChanged, node=heir.name, since=struck, until=latest + cluster.slack, **told
            )
            assert event.at - struck in cluster.within(due), (
                f"{claim.name}: {event.at - struck:.3f} s, due {due}"
            )
        waits = first.role.startup_delay + own.preempt_delay
        cluster.timeline.let_pass(2 * longest + waits + cluster.slack)
        outranks = own.effective_priority() > claim.effective_priority()
        expected = first if outranks and not own.nopreempt else heir
        assert _masters(cluster, claims) == [expected.name], (
            f"{own.name}: {_masters(cluster, claims)}"
        )


def _routers(cluster: Cluster) -> list[Claims]:
    found: dict[tuple[int, str], Claims] = {}
    for director in cluster.directors:
        for instance in director.role.without_vip:
            lan = director.plan.interface(instance.interface).lan
            found.setdefault((instance.vrid, lan), []).append((director, instance))
    if not found:
        pytest.skip("every VRRP instance has a VIP, or there is none")
    return list(found.values())


def _masters(cluster: Cluster, claims: Claims) -> list[str]:
    """Who says of itself that it is master, and runs."""
    found = []
    for director, instance in claims:
        said = cluster.timeline.events(StateChanged, node=director.name, instance=instance.name)
        if said and said[-1].state == "MASTER" and not director.idle:
            found.append(director.name)
    return found
