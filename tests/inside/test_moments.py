"""A health script looks at the moment that the seed decides, and at once again in the next
scenario.
"""

from __future__ import annotations

import pytest

from harness.clock import now
from harness.cluster import Cluster
from harness.faults import FailCheck, HangCheck
from harness.scenario import topology
from harness.topology import VrrpScript
from harness.topology.tracking import CHECK
from topologies.director_group import DirectorGroup

SCRIPT = VrrpScript(name="check", script=CHECK, weight=-5)

pytestmark = topology(DirectorGroup, track_scripts=(SCRIPT,))


def lasts(cluster: Cluster) -> float:
    """How many seconds a run of the master's health script takes."""
    began = now()
    cluster.directors[0].machine.run([CHECK])
    return now() - began


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_seed_decides_when_a_script_looks(
    cluster: Cluster, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    director = cluster.settle().master
    monkeypatch.setattr(cluster.moments, "seed", seed)

    with cluster.suffering(FailCheck(director)):
        pass
    paced = lasts(cluster)
    with cluster.suffering(HangCheck(director)):
        pass
    before_a_hang = lasts(cluster)

    assert (paced > 0.01) == (seed > 0)
    assert paced < 0.9 * SCRIPT.interval + cluster.slack
    assert before_a_hang <= cluster.slack


def test_the_next_scenario_has_scripts_look_at_once(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster.settle()
    monkeypatch.setattr(cluster.moments, "seed", 1)
    with cluster.suffering(FailCheck(cluster.directors[0])):
        pass
    assert lasts(cluster) > cluster.slack

    cluster.begin_scenario()

    assert lasts(cluster) <= cluster.slack
