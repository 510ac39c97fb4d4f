"""A scenario says on which topology it runs, and mypy checks the parameters: each ignore below
is one that it wants.
"""

from __future__ import annotations

import pytest

from harness.errors import HarnessError
from harness.scenario import fresh_topology, topology
from topologies.director_pair import DirectorPair


def test_a_class_without_parameters_is_not_taken_for_what_is_marked() -> None:
    assert topology(DirectorPair).mark.args == (DirectorPair,)
    assert not hasattr(DirectorPair, "pytestmark")


def test_parameters_and_the_wish_for_a_fresh_cluster_are_in_the_mark() -> None:
    assert topology(DirectorPair, scheduler="wlc").mark.kwargs == {"scheduler": "wlc"}
    assert fresh_topology(DirectorPair, scheduler="wlc").mark.kwargs == {
        "scheduler": "wlc",
        "fresh": True,
    }


def test_a_parameter_without_its_name_is_refused() -> None:
    with pytest.raises(
        HarnessError,
        match=r"topology\(DirectorPair, \(100, 70\)\): give each parameter by its name",
    ):
        topology(DirectorPair, (100, 70))  # type: ignore[call-overload]


def test_mypy_knows_the_parameters_of_a_topology() -> None:
    topology(DirectorPair, priorites=(100, 70))  # type: ignore[call-overload]
    topology(DirectorPair, priorities="100")  # type: ignore[call-overload]
    topology(DirectorPair, priorities=(100, 70))
