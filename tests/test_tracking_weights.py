"""What is tracked adds to the priority as keepalived reckons it (``vrrp_track.c``)."""

from __future__ import annotations

import pytest

from harness.behaviours.tracked import bad
from harness.topology.tracking import FAULT, TrackedFile, TrackedInterface


@pytest.mark.parametrize(
    ("weight", "reverse", "well", "failing"),
    [
        (0, False, 0, FAULT),
        (0, True, FAULT, 0),
        (20, False, 20, 0),
        (20, True, -20, 0),
        (-20, False, 0, -20),
        (-20, True, 0, 20),
    ],
)
def test_what_is_well_or_not(weight: int, reverse: bool, well: int, failing: int) -> None:
    tracked = TrackedInterface(name="eth1", weight=weight, reverse=reverse)

    assert (tracked.contribution(False), tracked.contribution(True)) == (well, failing)


@pytest.mark.parametrize(
    ("weight", "reverse", "of_none", "of_three"),
    [
        (0, False, 0, FAULT),
        (0, True, FAULT, 0),
        (2, False, 0, 6),
        (2, True, 0, -6),
        (-2, True, 0, 6),
    ],
)
def test_a_number_in_a_file(weight: int, reverse: bool, of_none: int, of_three: int) -> None:
    file = TrackedFile(name="f", path="/run/f", weight=weight, reverse=reverse)

    assert (file.contribution(0), file.contribution(3)) == (of_none, of_three)
    assert file.contribution(bad(file)) < 0
