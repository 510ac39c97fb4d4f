"""Clusters are shared while they are well: what a scenario has spoiled, the next one does not
get.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from harness.cluster.ailing import ailment
from harness.cluster_pool import Pool
from harness.events import DaemonChanged
from harness.faults import StopHttpd, Unprotected
from harness.kernels import choice
from harness.spec import ClusterSpec
from topologies.director_pair import DirectorPair

pytestmark = pytest.mark.usefixtures("lvs_kernel")

PAIR = ClusterSpec(DirectorPair)
OTHER = ClusterSpec(DirectorPair, {"priorities": (90, 100)})


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[Pool]:
    made = Pool(tmp_path, choice.slack(), 0)
    yield made
    made.close()


def test_scenarios_share_a_healthy_cluster(pool: Pool) -> None:
    cluster = pool.get(PAIR)
    with cluster.suffering(StopHttpd(cluster.real_servers[0])):
        pass
    mark = cluster.timeline.mark

    again = pool.get(PAIR)

    assert again is cluster
    assert again.timeline.mark > mark, "what the next one judges begins with it"


def test_a_fault_left_is_followed_by_a_fresh_cluster(pool: Pool) -> None:
    cluster = pool.get(PAIR)
    cluster.inject(Unprotected(cluster.real_servers[0]))  # which no daemon shows
    assert ailment(cluster) == "web1 still suffers from Unprotected"
    assert pool.get(PAIR) is not cluster


def test_what_was_spoiled_by_hand_is_followed_by_a_fresh_cluster(pool: Pool) -> None:
    cluster = pool.get(PAIR)
    cluster.real_servers[0].stop()

    fresh = pool.get(PAIR)

    assert fresh is not cluster
    assert not any(server.idle for server in fresh.real_servers)


def test_another_configuration_is_followed_by_a_fresh_cluster(pool: Pool) -> None:
    cluster = pool.get(PAIR)
    cluster.settle()
    began = cluster.directors[1].reload(("priority 90", "priority 80"))
    (reloaded,) = cluster.timeline.events(DaemonChanged, since=began, action="reloaded")
    assert reloaded.node == "director2"
    assert reloaded.edits == "'priority 90' -> 'priority 80'"
    assert (
        ailment(cluster) == "director2 has been left with another /etc/keepalived/keepalived.conf"
    )
    assert pool.get(PAIR) is not cluster


def test_another_topology_and_a_wish_for_a_fresh_one_are_granted(pool: Pool) -> None:
    clusters = [
        pool.get(PAIR),
        pool.get(OTHER),
        pool.get(replace(OTHER, fresh=True)),
    ]
    assert len({id(cluster) for cluster in clusters}) == 3
    assert [cluster.directors[0].vrrp.priority for cluster in clusters] == [100, 90, 90]


def test_one_cluster_at_a_time(pool: Pool) -> None:
    before = len(os.listdir("/proc/self/task"))
    pool.get(PAIR)
    pool.get(replace(PAIR, fresh=True))
    assert len(os.listdir("/proc/self/task")) == before + 1, "one thread of observers"
