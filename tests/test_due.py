"""What a wait returns: a number that knows what it measured, and judges itself against a window."""

from __future__ import annotations

import pytest

from harness.clock import Window
from harness.due import Expectations, Took
from harness.events import AddressChanged, Judged, Missed
from harness.timeline import Timeline, TooLate

VIP = "172.16.10.50"


def takes_at(at: float, timeline: Timeline, slack: float = 0.0) -> tuple[Expectations, Took]:
    """A wait that began at 10, for a VIP that comes at ``at``."""
    timeline.record(
        AddressChanged(at, "director2", action="added", address=VIP, prefix=24, interface="eth0")
    )
    expectations = Expectations(timeline)
    took = expectations.wait_for(
        f"takes {VIP}", AddressChanged, "director2", 10, 4, slack, address=VIP
    )
    return expectations, took


def test_a_wait_returns_a_number_that_knows_what_it_measured() -> None:
    _, took = takes_at(13.5, Timeline())
    assert took == 3.5
    assert (took.node, took.what, took.since, took.at) == ("director2", f"takes {VIP}", 10, 13.5)


@pytest.mark.parametrize(
    ("window", "met"), [(Window(3, 3.5), True), (Window(3, 3.4), False), (Window(3.6, 4), False)]
)
def test_a_judgement_is_on_the_timeline_with_its_window(window: Window, met: bool) -> None:
    timeline = Timeline()
    expectations, took = takes_at(13.5, timeline)
    verdict = took.within(window)
    assert bool(verdict) is met
    assert repr(verdict).startswith(f"director2 takes {VIP} after 3500.0 ms: ")
    (judged,) = timeline.events(Judged)
    assert (judged.since, judged.earliest, judged.latest) == (
        10,
        10 + window.earliest,
        10 + window.latest,
    )
    assert (judged.node, judged.what, judged.measured, judged.met) == (
        "director2",
        took.what,
        13.5,
        met,
    )
    assert [comparison.met for comparison in expectations.comparisons] == [met]


@pytest.mark.parametrize(("window", "met"), [(Window(13, 13.5), True), (Window(13.6, 14), False)])
def test_a_window_of_instants_is_not_counted_from_the_wait(window: Window, met: bool) -> None:
    timeline = Timeline()
    _, took = takes_at(13.5, timeline)
    assert bool(took.happened_within(window)) is met
    (judged,) = timeline.events(Judged)
    assert (judged.earliest, judged.latest) == (window.earliest, window.latest)


def test_the_machine_s_slack_widens_each_window() -> None:
    _, took = takes_at(13.5, Timeline(), slack=0.2)
    assert took.within(Window(3, 3.4))
    assert not took.within(Window(3, 3.2))


def test_a_wait_in_vain_is_on_the_timeline() -> None:
    timeline = Timeline()
    expectations = Expectations(timeline)
    with pytest.raises(TooLate, match=r"director2 takes it: due within 4\.000 s, and it has not"):
        expectations.wait_for("takes it", AddressChanged, "director2", -10, 4, 0, address=VIP)
    (missed,) = timeline.events(Missed)
    assert (missed.since, missed.latest) == (-10, -6)


def test_a_comparison_by_hand_is_noted_and_not_drawn() -> None:
    timeline = Timeline()
    expectations = Expectations(timeline)
    assert 3.5 in expectations.within(Window(3, 4))
    assert 4.5 not in expectations.within(Window(3, 4))
    assert [comparison.met for comparison in expectations.comparisons] == [True, False]
    assert not timeline.events(Judged)
