"""Directors that hang: what they do only half, and masters that hang of themselves."""

from __future__ import annotations

import pytest

from harness.events import Advertisement, StateChanged
from harness.search.invariants.addresses import HELD
from harness.search.invariants.advertising import ACTS, TRUE
from harness.search.invariants.daemons import LIVE
from harness.search.invariants.states import TOGETHER
from harness.search.model.processes import in_state
from harness.search.model.spans import Span
from tests.stories import HANGS, grouped, hung, names, of
from tests.story import VIP, quiet


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


@pytest.mark.parametrize("hangs", [8.0, 9.02, None])
def test_who_hangs_as_an_edit_ends_says_what_it_has_read_as_it_goes_on(
    hangs: float | None,
) -> None:
    """Its advertisement was due before it reloads; so it is if it hangs before it has reloaded."""
    edit = "172.16.10.180 more in vrrp_instance VI_1"
    story = quiet().act("Reconfigure", "director1", 5.0, 9.0, edit=edit)
    if hangs is not None:
        story.act("HangKeepalived", "director1", hangs, 12.0)
    story.without(of(Advertisement, "director1", 7.6, 12.4))
    story.advert("director1", 12.0, addresses=f"{VIP} 172.16.10.180")

    assert (TRUE in names(story)) is (hangs is None)


def test_who_hangs_reads_of_another_number_as_it_goes_on() -> None:
    edit = "virtual_router_id 61 in vrrp_instance VI_1"
    story = quiet().act("Reconfigure", "director1", 5.0, 8.0, edit=edit)
    story.act("HangKeepalived", "director1", 7.0, 12.0).log("director1", 12.0, "Reloading")
    story.without(of(Advertisement, "director1", 6.6, 12.4))
    story.advert("director1", 12.0, vrid=61).advert("director1", 12.001, vrid=61, priority=0)

    assert TRUE not in names(story)
    (known, state), *_ = in_state(story.observed(), "director1", "VI_1")
    assert (known, state) == (Span(0.0, 12.0), "MASTER")


@pytest.mark.parametrize("hangs", [True, False])
def test_whose_child_dies_as_it_begins_to_hang_says_so_as_it_goes_on(hangs: bool) -> None:
    story = quiet().act("CrashVrrp", "director2", 5.0, 5.0, times=1)
    if hangs:
        story.act("HangKeepalived", "director2", 5.0, 9.0)
    line = "pid 20 exited due to signal 9 (Killed) - has rlimit_rttime been exceeded?"
    story.log("director2", 9.0, line)

    assert (LIVE in names(story)) is not hangs


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("pid 20 exited due to segmentation fault (SIGSEGV).", True),
        ("pid 20 exited due to signal 9 (Killed) - has rlimit_rttime been exceeded?", False),
    ],
)
def test_no_deed_makes_a_child_write_where_it_must_not(line: str, complaint: bool) -> None:
    story = quiet().act("Restart", "director2", 5.0, 6.0).log("director2", 6.01, line)

    assert (LIVE in names(story)) is complaint


@pytest.mark.parametrize("state", ["BACKUP", None])
def test_a_child_that_has_become_nothing_leaves_a_vip_that_one_before_it_left(
    state: str | None,
) -> None:
    """A child is killed, and all is ended as another one is started."""
    story = quiet(12).without(of(Advertisement, "director1", 5.0))
    story.act("CrashVrrp", "director1", 5.0, 5.0, times=1)
    story.act("StopKeepalived", "director1", 5.1, None)
    story.log("director1", 5.0, "VRRP child process(4) died: Respawning")
    story.log("director1", 5.1, "Stopping").daemon("director1", 6.0, "ended", status=0)
    if state is not None:
        story.state("director1", 5.05, state)

    assert (HELD in names(story)) is (state is not None)
