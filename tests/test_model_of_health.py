"""The search's model of the checkers: when a real server is well, on hand-made timelines."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.daemons.httpd import TRICKLE_PAUSE
from harness.events import FaultChanged, Log
from harness.keepalived import timers
from harness.keepalived.timers import Symptom
from harness.search.model.health import health
from harness.search.model.spans import Span
from harness.topology.checks import Check, HttpGet, TcpCheck, UdpCheck, Url
from tests.story import SLACK, quiet


def test_a_server_is_ill_after_the_latest_removal_and_well_after_the_latest_recovery() -> None:
    story = quiet(60).act("StopHttpd", "web1", 5.0, 20.0)
    (table,) = story.setting.directors["director1"].tables
    gone = timers.removal(table.service, Symptom.REFUSED).latest
    back = timers.recovery(table.service, Symptom.REFUSED).latest
    found = health(story.observed(), "director1", table, "172.16.10.21")
    assert found.ill == [Span(5 + gone + SLACK, 20)]
    assert found.well[0] == Span(
        0, 5 + timers.removal(table.service, Symptom.REFUSED).earliest - SLACK
    )
    assert found.well[1].since >= 20 + back
    assert health(story.observed(), "director1", table, "172.16.10.22").well == [Span(0, 60)]


def test_a_machine_that_boots_may_refuse_the_second_attempt() -> None:
    story = quiet(60).act("PowerOff", "web1", 5.0, 7.05)
    (table,) = story.setting.directors["director1"].tables
    soonest = timers.removal(table.service, Symptom.REFUSED).earliest - SLACK
    found = health(story.observed(), "director1", table, "172.16.10.21")
    assert found.well[0].until == 5 + soonest


@pytest.mark.parametrize(
    ("check", "deed", "path", "symptom"),
    [
        (HttpGet("/p", digest="0" * 32), "ChangePage", "/p", Symptom.REFUSED),
        (HttpGet("/p"), "ChangePage", "/p", None),
        (HttpGet("/p"), "RemovePage", "/p", Symptom.REFUSED),
        (HttpGet("/p"), "SlowPage", "/p", Symptom.SILENT),
        (HttpGet("/p"), "SlowPage", "/another", None),
        (TcpCheck(), "SlowPage", "/p", None),
    ],
)
def test_a_page_matters_to_whoever_looks_at_it(
    check: Check, deed: str, path: str, symptom: Symptom | None
) -> None:
    story = quiet(60).act(deed, "web1", 5.0, 40.0, path=path)
    (table,) = story.setting.directors["director1"].tables
    table = replace(table, service=replace(table.service, check=check))
    found = health(story.observed(), "director1", table, "172.16.10.21")
    if symptom is None:
        assert (found.well, found.ill) == ([Span(0, 60)], [])
    else:
        gone = timers.removal(table.service, symptom).latest
        assert found.ill == [Span(5 + gone + SLACK, 40)]


def test_one_page_of_several_may_be_noticed_later() -> None:
    """Each is asked for in its turn."""
    story = quiet(60).act("RemovePage", "web1", 5.0, 40.0, path="/p")
    (table,) = story.setting.directors["director1"].tables
    table = replace(table, service=replace(table.service, check=HttpGet("/p", more=(Url("/q"),))))
    found = health(story.observed(), "director1", table, "172.16.10.21")
    soonest = timers.removal(table.service, Symptom.REFUSED).earliest - SLACK
    assert found.well[0].until == 5 + soonest
    assert not found.ill


def test_an_answer_that_trickles_takes_its_time_whatever_it_says() -> None:
    """Each of two tries gets its answer in two parts."""

    def ill_from(path: str) -> float:
        story = quiet(60).act("RemovePage", "web1", 5.0, 40.0, path=path)
        (table,) = story.setting.directors["director1"].tables
        asked = replace(table, service=replace(table.service, check=HttpGet(path, retry=1)))
        return health(story.observed(), "director1", asked, "172.16.10.21").ill[0].since

    assert ill_from("/trickle/page") == pytest.approx(ill_from("/page") + 2 * TRICKLE_PAUSE)


def test_the_first_check_after_an_earlier_reload_decides_alone() -> None:
    """What a reload before the sequence began has left is no failure of this one."""
    story = quiet(60).act("StopHttpd", "web1", 1.0, 20.0)
    (table,) = story.setting.directors["director1"].tables
    line = "Activating healthchecker for service [172.16.10.21]:tcp:80 for VS [172.16.10.50]:tcp:80"

    def well_until() -> float:
        return health(story.observed(), "director1", table, "172.16.10.21").well[0].until

    assert well_until() == 1 + timers.removal(table.service, Symptom.REFUSED).earliest - SLACK
    story.before.append(Log(-1, "director2", daemon="keepalived", line=line))
    assert well_until() > 1
    story.before.append(Log(-1, "director1", daemon="keepalived", line=line))
    assert well_until() == 1


@pytest.mark.parametrize(
    ("node", "healed", "first"), [("web1", -1, False), ("web2", -1, True), ("web1", -60, True)]
)
def test_a_check_that_failed_before_is_still_tried_again(
    node: str, healed: float, first: bool
) -> None:
    """A server that was down for a moment just before is out at once if it is down again."""
    story = quiet(60).act("StopHttpd", "web1", 1.0, 20.0)
    (table,) = story.setting.directors["director1"].tables
    story.before += [
        FaultChanged(healed - 0.5, node, name="StopHttpd", action="injected"),
        FaultChanged(healed, node, name="StopHttpd", action="healed"),
    ]
    found = health(story.observed(), "director1", table, "172.16.10.21")
    soonest = timers.removal(table.service, Symptom.REFUSED).earliest - SLACK
    assert found.well[0].until == 1 + (soonest if first else 0)


@pytest.mark.parametrize(
    ("check", "ill"),
    [(UdpCheck(retry=0), False), (UdpCheck("what", True, "that", retry=0), True)],
)
@pytest.mark.parametrize("deed", ["BlackHole", "PowerOff"])
def test_who_waits_for_an_error_alone_may_never_notice_a_black_hole(
    check: Check, ill: bool, deed: str
) -> None:
    story = quiet(60).act(deed, "web1", 5.0, 50.0)
    (table,) = story.setting.directors["director1"].tables
    table = replace(table, service=replace(table.service, check=check))
    assert bool(health(story.observed(), "director1", table, "172.16.10.21").ill) is ill
