"""The invariants on real daemons: silent about what a deed explains, and not about the same
without the deed.
"""

from __future__ import annotations

from dataclasses import replace

from harness.cluster import Cluster
from harness.scenario import topology
from harness.search import step
from harness.search.invariants import judge
from harness.search.invariants.balance import TABLES
from harness.search.invariants.election import TAKES
from harness.search.performing import perform
from topologies.director_pair import DirectorPair

pytestmark = topology(DirectorPair)


def test_what_deeds_explain_is_silent_and_the_same_without_them_is_not(cluster: Cluster) -> None:
    steps = [
        step(1.0, "PowerOff", "director1", lasts=6),
        step(20.0, "StopHttpd", "web1", lasts=10),
        step(20.0, "HangKeepalived", "director2", lasts=5),
    ]

    lived = perform(cluster, steps)

    assert lived.amiss is None
    assert judge(lived.observed) == []
    unexplained = {each.invariant for each in judge(replace(lived.observed, acts=()))}
    assert {"daemons live", "daemons keep up", TABLES} <= unexplained


def test_a_backup_that_hangs_unnoticed_is_found(cluster: Cluster) -> None:
    steps = [
        step(1.0, "HangKeepalived", "director2", lasts=9),
        step(1.0, "PowerOff", "director1", lasts=7),
    ]

    lived = perform(cluster, steps)

    assert judge(lived.observed) == []
    without = tuple(act for act in lived.observed.acts if act.name == "PowerOff")
    assert TAKES in {each.invariant for each in judge(replace(lived.observed, acts=without))}
