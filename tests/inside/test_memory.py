"""A run keeps no cluster for longer than it needs it, however many scenarios it has."""

from __future__ import annotations

import gc
import weakref

import pytest

from harness.cluster import Cluster
from harness.scenario import fresh_topology
from topologies.director_pair import DirectorPair

pytestmark = pytest.mark.usefixtures("lvs_kernel")

_EARLIER: list[weakref.ref[Cluster]] = []


@fresh_topology(DirectorPair)
@pytest.mark.parametrize("number", [1, 2, 3])
def test_the_clusters_of_earlier_scenarios_are_forgotten(cluster: Cluster, number: int) -> None:
    """pytest keeps its items, and what they hold, until the end."""
    gc.collect()

    kept = [each() for each in _EARLIER if each() is not None]
    assert not kept
    _EARLIER.append(weakref.ref(cluster))
