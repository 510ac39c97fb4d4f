"""What priorities, weights and BFD cannot do is a finding, by arithmetic alone. Pure."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.check.arithmetic import bfd, weights
from harness.check.facts import Reading
from harness.topology.tracking import TrackedBfd
from tests.readings import BACKUP, FILES, INSTANCE, tracking


def test_a_weight_below_the_gap_is_a_finding_with_the_weight_that_would_do() -> None:
    master = tracking(-5, INSTANCE)
    (found,) = weights({"lb1": Reading((master,)), "lb2": Reading((BACKUP,))}, FILES)
    assert (found.name, found.where) == ("weight-below-gap", "lb1.conf:3")
    assert "falls from 120 to 115, which is still above 110 of lb2" in found.text
    assert "-11" in found.cure


def test_a_weight_as_large_as_the_gap_is_one_too_small() -> None:
    """A backup takes over from a lower priority only, not from its own."""
    master = tracking(-10, INSTANCE)
    (found,) = weights({"lb1": Reading((master,)), "lb2": Reading((BACKUP,))}, FILES)
    assert "falls from 120 to 110, which is no lower than 110 of lb2" in found.text
    assert "-11" in found.cure


def test_priorities_end_at_254_before_anything_fails_and_not_twice() -> None:
    """230 and 60 are 254, and without the 60 it is 230, not 194."""
    master, backup = (tracking(60, replace(INSTANCE, priority=value)) for value in (230, 150))
    (found,) = weights({"lb1": Reading((master,)), "lb2": Reading((backup,))}, FILES)
    assert "falls from 254 to 230, which is still above 210 of lb2" in found.text
    assert "A weight of 81 would move it" in found.cure


def test_a_positive_weight_that_the_backup_does_not_have_cannot_be_large_enough() -> None:
    master = tracking(2, INSTANCE)
    (found,) = weights({"lb1": Reading((master,)), "lb2": Reading((BACKUP,))}, FILES)
    assert "A weight of -11 would move it" in found.cure


@pytest.mark.parametrize("weight", [-11, -30, 0])
def test_a_weight_that_moves_the_vip_is_none(weight: int) -> None:
    master = tracking(weight, INSTANCE)
    assert weights({"lb1": Reading((master,)), "lb2": Reading((BACKUP,))}, FILES) == []


def test_a_positive_weight_counts_while_the_script_succeeds() -> None:
    master, backup = (tracking(2, replace(INSTANCE, priority=value)) for value in (101, 100))
    assert weights({"lb1": Reading((master,)), "lb2": Reading((backup,))}, FILES) == []


def test_a_backup_with_nopreempt_does_not_take_over_from_a_lower_priority() -> None:
    master, backup = tracking(-30, INSTANCE), replace(BACKUP, nopreempt=True)
    (found,) = weights({"lb1": Reading((master,)), "lb2": Reading((backup,))}, FILES)
    assert found.name == "nopreempt-with-weight"


def test_a_director_that_tracks_its_peer_by_bfd_cannot_take_over() -> None:
    one = Reading(
        (replace(INSTANCE, track_bfds=(TrackedBfd(name="peer"),)),),
        bfd_sources=("192.0.2.1",),
        bfd_neighbours=("192.0.2.2",),
    )
    other = Reading((BACKUP,), bfd_sources=("192.0.2.2",))
    weighted = replace(
        one, instances=(replace(INSTANCE, track_bfds=(TrackedBfd(name="peer", weight=20),)),)
    )
    router = replace(one, bfd_neighbours=("192.0.2.254",))

    assert [each.name for each in bfd({"lb1": one, "lb2": other}, FILES)] == ["bfd-of-the-peer"]
    assert not list(bfd({"lb1": weighted, "lb2": other}, FILES))
    assert not list(bfd({"lb1": router, "lb2": other}, FILES))
