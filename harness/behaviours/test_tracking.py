"""Tracking: whatever directors track is well at rest, is made to fail once, and moves the VIPs as
priorities say.
"""

from __future__ import annotations

import re
import shlex
from functools import partial

import pytest

from harness.behaviours.parts import Parts
from harness.behaviours.routers import first_of
from harness.behaviours.tracked import Cause, Claims, causes
from harness.cluster import Cluster
from harness.events import Log
from harness.keepalived import timers
from harness.nodes import DirectorNode
from harness.topology import VrrpScript

FAILED = re.compile(r"VRRP_Script\((?P<script>.+)\) (?P<what>failed|succeeded|timed out)|"
                    r"Script `(?P<other>[^`]+)` now returning (?P<status>\d+)")  # fmt: skip


def test_what_is_tracked_is_well(cluster: Cluster, parts: Parts) -> None:
    """Every tracked script succeeds while nothing is broken."""
    scripts = _scripts(cluster)
    cluster.timeline.let_pass(
        max(timers.script_failure(script).latest for _, script in scripts) + cluster.slack
    )

    ill = [_said(cluster, director, script) for director, script in scripts]
    assert not (ill := [said for said in ill if said]), "; ".join(dict.fromkeys(ill))


@pytest.mark.parametrize("where", ["the master", "a backup", "all directors"])
def test_what_is_tracked_fails(cluster: Cluster, parts: Parts, where: str) -> None:
    """What directors track fails, and every VIP goes where the priorities say, in time, and comes
    back.
    """
    routers = parts.routers(claimants=2)
    if not (known := causes(cluster.directors)):
        pytest.skip("nothing in these configurations is tracked that could be made to fail")
    parts.wait_elected()

    for cause in known:
        for struck in _struck(parts, cause, where):
            claims = [Claims(router, cause, struck) for router in routers]
            _strike(cluster, parts, cause, claims)


def _strike(cluster: Cluster, parts: Parts, cause: Cause, claims: list[Claims]) -> None:
    """Have some directors suffer a cause, judge where the VIPs go, and where they are when it is
    over.
    """
    owners = {claim.router: parts.owner_of(claim.router) for claim in claims}
    nodes = [director for director in cluster.directors if director.name in claims[0].struck]
    began = [cluster.inject(cause.fault(director)) for director in nodes]
    for claim in claims:
        owner = owners[claim.router]
        heirs = claim.heirs(owner)
        if heirs and owner not in heirs and len(nodes) == 1:
            latest = max(claim.moves(owner, each).latest for each in heirs)
            owners_of = partial(cluster.owners, claim.router.vip)
            heir = first_of(cluster, heirs, began[0] + latest, owners_of)
            due = claim.moves(owner, heir)
            took = heir.takes(claim.router.vip, since=began[0], until=due.latest)
            assert took.within(due), (
                f"{cause} on {owner.name}: {claim.router.vip} moved after {took:.3f} s"
            )
    cluster.timeline.let_pass(max(claim.over() for claim in claims) + cluster.slack)
    for claim in claims:
        heirs = claim.heirs(owners[claim.router])
        holders = cluster.owners(claim.router.vip)
        expected = [[each.name] for each in heirs] or [[]]
        assert holders in expected, (
            f"{cause} on {' and '.join(node.name for node in nodes)}: {claim.router.vip} is held by"
            f" {' and '.join(holders) or 'nobody'}, and the priorities say"
            f" {' or '.join(each.name for each in heirs) or 'nobody'}"
        )
    for director in nodes:
        cluster.heal(cause.fault(director))
    cluster.timeline.let_pass(max(claim.over() for claim in claims) + cluster.slack)
    parts.wait_elected()


def _struck(parts: Parts, cause: Cause, where: str) -> list[frozenset[str]]:
    """Which directors a cause strikes at a time."""
    found: dict[frozenset[str], None] = {}
    for router in parts.routers(claimants=2):
        if not any(
            cause.hits(director, claim) or cause.values(claim) for director, claim in router.claims
        ):
            continue
        owner = parts.owner_of(router)
        chosen = {
            "the master": [owner],
            "a backup": router.heirs_of(owner)[:1],
            "all directors": [director for director, _ in router.claims],
        }[where]
        found[frozenset(director.name for director in chosen if cause.applies(director))] = None
    return [struck for struck in found if struck]


def _scripts(cluster: Cluster) -> list[tuple[DirectorNode, VrrpScript]]:
    found = [
        (director, script)
        for director in cluster.directors
        for instance in director.role.instances
        for script in instance.track_scripts
    ]
    if not found:
        pytest.skip("no script in these configurations is tracked")
    return list(dict.fromkeys(found))


def _said(cluster: Cluster, director: DirectorNode, script: VrrpScript) -> str | None:
    """What is amiss with a script that fails, and what it says; None if it does not."""
    lines = [
        event.line
        for event in cluster.timeline.events(Log, node=director.name, daemon="keepalived")
    ]
    found = [
        match for line in lines if (match := FAILED.search(line)) and match["script"] == script.name
    ]
    if not found or found[-1]["what"] == "succeeded":
        return None
    command = director.role.commands.get(script.name, "")
    result = director.machine.run(["timeout", "5", *shlex.split(command)], check=False)
    if not result.returncode:
        return (
            f"{script.name} on {director.name} fails where keepalived runs it, and"
            f" {command} by itself succeeds:"
            " keepalived runs the file that a link leads to, under that file's name"
        )
    words = " ".join(result.stdout.split())[-200:] or "nothing"
    return (
        f"{script.name} on {director.name}, which runs {command}, exits with"
        f" {result.returncode} and says {words}"
    )
