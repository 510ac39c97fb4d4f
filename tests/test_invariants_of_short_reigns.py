"""What a master tells and announces that does not stay one."""

from __future__ import annotations

import pytest

from harness.events import Notification
from harness.search.invariants.announcing import REASON
from harness.search.invariants.telling import TOLD
from tests.stories import names
from tests.story import Story, quiet


@pytest.mark.parametrize(("at", "reason"), [(4.9, True), (6.3, False)])
def test_the_second_round_of_a_reign_that_has_ended_is_sent_in_the_next(
    at: float, reason: bool
) -> None:
    """It was master when the sequence began, and may have become so just before."""
    story = quiet().state("director1", 0.02, "FAULT").state("director1", 1.8, "MASTER")

    assert (REASON not in names(story.announces("director1", at))) == reason


@pytest.mark.parametrize(("lasting", "told"), [(0.001, False), (0.5, True)])
def test_who_reads_of_its_lost_link_while_it_sets_vips_tells_of_that_twice(
    lasting: float, told: bool
) -> None:
    story = Story(12, notifications=True).state("director2", 5.0, "MASTER")
    for at, state in ((lasting, "FAULT"), (2 * lasting, "BACKUP")):
        story.state("director2", 5.0 + at, state)
    for state in ("FAULT", "BACKUP", "BACKUP"):
        text = f'INSTANCE "VI_1" {state} 90'
        story.events.append(Notification(6.0, "director2", channel="fifo", text=text))

    assert (TOLD in names(story)) == told
