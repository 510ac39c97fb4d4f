"""Directors that hang: what they do only half, and masters that hang of themselves."""

from __future__ import annotations

import pytest

from harness.events import Advertisement, StateChanged
from harness.search.invariants.addresses import HELD
from harness.search.invariants.advertising import ACTS
from harness.search.invariants.election import TOGETHER
from tests.stories import HANGS, grouped, hung, names, of
from tests.story import quiet


def test_a_master_hangs_that_has_no_other_reason_to_be_silent() -> None:
    assert ACTS in names(hung())
    assert ACTS not in names(hung().yields("director2", HANGS + 0.002))
    assert ACTS not in names(hung().act("HangKeepalived", "director2", HANGS, None))
    assert ACTS not in names(hung().act("DropAdvertisements", "director2", HANGS, None))
    assert ACTS not in names(hung().without(of(Advertisement, "director2", HANGS + 0.001)))
    assert ACTS not in names(hung().advertises("director2", 7.5, 12))

    stopped = hung().act("StopKeepalived", "director2", 9.0, None)
    assert ACTS in names(stopped.daemon("director2", 14.0, "ended", status=0))
    at_once = hung().act("StopKeepalived", "director2", 7.0, None)
    assert ACTS not in names(at_once.daemon("director2", 8.0, "ended", status=0))


@pytest.mark.parametrize("hangs", [True, False])
def test_who_hangs_takes_a_group_along_when_it_goes_on(hangs: bool) -> None:
    story = grouped(quiet()).state("director1", 9.0, "BACKUP")
    if hangs:
        story.act("HangKeepalived", "director1", 9.0, 10.0)
    story.events.append(StateChanged(10.001, "director1", instance="VI_2", state="BACKUP"))

    assert (TOGETHER in names(story)) is not hangs


@pytest.mark.parametrize("hangs", [True, False])
def test_who_hangs_as_it_notices_that_a_vip_is_gone_says_so_later(hangs: bool) -> None:
    story = quiet().act("DeleteVip", "director1", 9.0, 9.0).address("director1", 9.0, "removed")
    if hangs:
        story.act("HangKeepalived", "director1", 9.001, 12.0)
    story.state("director1", 12.001, "BACKUP")

    assert (HELD in names(story)) is not hangs
