"""The cluster that one sequence of a search hands on to the next."""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.cluster import Cluster
from harness.cluster_pool import Pool
from harness.daemons.keepalived import KEEPALIVED
from harness.events import DaemonChanged, Log
from harness.kernels import choice
from harness.scenario import fresh_topology
from harness.search import broken
from harness.search.sequence import step
from harness.search.site import Site
from harness.spec import ClusterSpec
from topologies.director_pair import DirectorPair
from topologies.searched import Searched

pytestmark = pytest.mark.usefixtures("lvs_kernel")

CRASHES = (step(0.5, "CrashVrrp", "director2", times=2),)
BEGAN = re.compile(r"Starting VRRP child process")


class Pooled:
    """The pool's cluster, as a search is given it."""

    def __init__(self, pool: Pool, spec: ClusterSpec) -> None:
        self._pool, self._spec = pool, spec

    def cluster(self) -> Cluster:
        """The one that is alive, or a new one."""
        return self._pool.get(self._spec)

    def drop(self) -> None:
        """End it."""
        self._pool.drop()


@pytest.fixture
def ground(tmp_path: Path) -> Iterator[Pooled]:
    pool = Pool(tmp_path, choice.slack(), 0)
    yield Pooled(pool, ClusterSpec(DirectorPair))
    pool.close()


@pytest.fixture
def two_instances(tmp_path: Path) -> Iterator[Pooled]:
    pool = Pool(tmp_path, choice.slack(), 0)
    yield Pooled(pool, ClusterSpec(Searched, {"instances": 2}))
    pool.close()


def test_a_child_that_has_died_before_is_started_again_as_soon_as_at_first(ground: Pooled) -> None:
    """keepalived doubles the time that it waits with each child that died within a minute
    (``lib/scheduler.c``, ``calc_restart_delay``). A sequence must not find what another one left.
    """
    site = Site(ground)
    waited = []
    for _ in range(3):
        lived, left = site.live(CRASHES)
        assert (lived.amiss, left) == (None, None)
        told = [event for event in lived.observed.events if isinstance(event, Log)]
        starts = [event.at for event in told if BEGAN.search(event.line)]
        waited.append([round(at - lived.observed.began, 1) for at in starts])

    assert len(waited[0]) == 2
    assert waited[0] == waited[1] == waited[2]
    assert site.clusters == 1


def test_keepalived_is_replaced_only_for_what_it_remembers(ground: Pooled) -> None:
    """What others do meanwhile does not wait for that, which takes seconds."""
    site = Site(ground)
    started = []
    for steps in (CRASHES, (step(0.5, "Reload", "director2"),), CRASHES):
        site.live(steps)
        timeline = ground.cluster().timeline
        started.append(len(timeline.events(DaemonChanged, name="keepalived", action="started")))
    assert started == [2, 2, 3]
    assert site.clusters == 1


def test_a_keepalived_that_was_started_anew_remembers_nothing(ground: Pooled) -> None:
    site = Site(ground)
    site.live(CRASHES)
    assert site.remembers(CRASHES)
    site.live((step(0.5, "Restart", "director2"),))
    assert not site.remembers(CRASHES)


@pytest.mark.parametrize(
    ("edit", "clusters"),
    [("VI_1 and VI_2 have each other's number", 2), ("priority 95 in vrrp_instance VI_1", 1)],
)
def test_a_cluster_whose_instances_had_each_other_s_number_is_not_used_again(
    two_instances: Pooled, edit: str, clusters: int
) -> None:
    """Each had the other's state, and the log says nothing of that."""
    site = Site(two_instances)
    for _ in range(2):
        site.live((step(0.5, "Reconfigure", "director2", lasts=1, edit=edit),))

    assert site.clusters == clusters


@fresh_topology(DirectorPair)
def test_a_master_that_has_fallen_silent_before_a_sequence_is_told_of(cluster: Cluster) -> None:
    """It holds the VIP, and nobody has taken over yet."""
    cluster.settle().master.signal_all(signal.SIGSTOP, KEEPALIVED)
    cluster.timeline.let_pass(2.0)

    (said,) = broken(cluster, [step(0, "Reload", "director2")])

    assert said.startswith("comes to rest: director1 advertised last ")
    assert said.endswith(" ago, and nobody since")
