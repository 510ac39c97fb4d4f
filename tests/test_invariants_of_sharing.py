"""Invariants of routes, of what a reload adds and tells, and of who is sent where, are silent about
what only looks like a mistake.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.events import Link, RouteChanged, RuleChanged
from harness.search.invariants import judge
from harness.search.invariants.reloading import AGAIN, JOINS
from harness.search.invariants.routing import ROUTED
from harness.search.invariants.sharing import SHARED, STAYS
from harness.search.invariants.telling import RELOADS
from tests.stories import names
from tests.stories_of_sharing import (
    ROUTE,
    asked,
    at_two_ports,
    joined,
    route,
    routed,
    told,
    tracked,
    with_instance,
    with_own_text,
)
from tests.story import Story, failover, quiet

WELL: dict[str, Callable[[], Story]] = {
    "the master has its route": routed,
    "another interval is told of nobody": lambda: told('INSTANCE "VI_1" MASTER_PRIORITY 100'),
    "a priority in fault is told as a backup's": lambda: told(
        'INSTANCE "VI_1" BACKUP_PRIORITY 1'
    ).state("director1", 4.0, "FAULT"),
    "an added VIP": lambda: joined(5, 5),
    "an added VIP, as a text of one's own has it": lambda: with_own_text(
        joined(1, 1), "global_defs {\n    vrrp_garp_master_repeat 1\n}\n"
    ),
    "one after the other": lambda: asked(*["web1", "web2"] * 3),
    "one at two ports": at_two_ports,
    "another scheduler": lambda: asked(*["web1"] * 6, scheduler="sh"),
    "too few to tell": lambda: asked(*["web1"] * 5),
    "an edit of what is tracked": lambda: tracked(False),
    "who stays": lambda: asked(*["web1"] * 6, persistence=50),
}


@pytest.mark.parametrize("story", WELL.values(), ids=WELL)
def test_these_invariants_are_silent_where_all_is_well(story: Callable[[], Story]) -> None:
    mine = {ROUTED, JOINS, AGAIN, RELOADS, SHARED, STAYS}
    assert [each for each in judge(story().observed()) if each.invariant in mine] == []


def test_a_child_that_is_started_as_its_director_is_to_reload_tells_of_its_group() -> None:
    story = told('GROUP "G" MASTER 100')
    story.log("director1", 5.001, "VRRP child process(4) died: Respawning")
    story.log("director1", 5.002, "Starting VRRP child process, pid=48")

    assert AGAIN not in {each.invariant for each in judge(story.observed())}


@pytest.mark.parametrize("edited", [4.9, 5.2])
def test_a_group_that_an_edit_makes_is_told_of(edited: float) -> None:
    """The reload that follows is queued, or takes the edit with it."""
    edit = "no vrrp_sync_group G"
    story = told('GROUP "G" MASTER 100').act("Reconfigure", "director1", 2.0, edited, edit=edit)

    assert AGAIN not in names(story)


def test_a_group_that_was_something_else_after_its_reload_is_told_of() -> None:
    story = told('GROUP "G" MASTER 100')
    story.state("director1", 5.002, "FAULT").state("director1", 5.009, "MASTER")

    assert AGAIN not in names(story)


def test_routes_that_went_with_an_interface_are_not_missed() -> None:
    story = routed(route("director1", 6.0, "removed")).act("SetDown", "director1", 5.0, 5.5)

    assert ROUTED not in {each.invariant for each in judge(story.observed())}


@pytest.mark.parametrize(("moved", "complaint"), [(-3.0, False), (-5.0, True)])
def test_a_route_may_have_gone_with_an_interface_before(moved: float, complaint: bool) -> None:
    """The kernel does not say so: a backup was master, and its interface was down for a moment."""
    story = routed()
    story.before += [
        route("director2", -4, "added"),
        Link(moved, "director2", interface="eth0", up=True),
    ]

    assert (ROUTED in {each.invariant for each in judge(story.observed())}) == complaint


@pytest.mark.parametrize(("moved", "complaint"), [(-3.0, False), (-5.0, True)])
def test_an_orderly_end_leaves_no_route_that_may_have_gone_before(
    moved: float, complaint: bool
) -> None:
    story = routed()
    story.before += [
        route("director2", -4, "added"),
        Link(moved, "director2", interface="eth0", up=True),
    ]
    story.act("StopKeepalived", "director2", 0.001, None).log("director2", 0.001, "Stopping")
    story.daemon("director2", 1.001, "ended", status=0)

    text = "ended in an orderly way"
    assert any(text in each.text for each in judge(story.observed())) is complaint


@pytest.mark.parametrize("said", [True, False])
def test_a_child_that_has_become_nothing_leaves_what_one_before_it_left(said: bool) -> None:
    """keepalived is ended while its new child waits for its startup delay."""
    story = routed().act("CrashVrrp", "director1", 5.0, 5.0)
    story.act("Restart", "director1", 6.0, 7.0).log("director1", 6.0, "Stopping")
    story.daemon("director1", 7.0, "ended", status=0)
    if said:
        story.state("director1", 5.5, "BACKUP")

    assert (ROUTED in {each.invariant for each in judge(story.observed())}) == said


def test_routes_of_a_process_that_was_killed_may_stay() -> None:
    story = routed().act("CrashVrrp", "director1", 5.0, None).state("director1", 7.0, "BACKUP")

    assert ROUTED not in {each.invariant for each in judge(story.observed())}


def test_who_has_got_the_number_of_a_master_has_its_routes() -> None:
    """It says that it is backup, and is master from the next reload on without a word."""
    edit = "VI_1 and VI_2 have each other's number"
    story = routed().act("Reconfigure", "director1", 5.0, 5.0, edit=edit)
    story.log("director1", 5.0, "Reloading").state("director1", 5.01, "BACKUP")
    story.log("director1", 5.02, "Reloading")

    assert ROUTED not in {each.invariant for each in judge(story.observed())}


@pytest.mark.parametrize("source", ["all", "any", "default", "0.0.0.0/0"])
def test_everything_is_the_same_network_however_it_is_written(source: str) -> None:
    """The kernel tells of none where a prefix is 0."""
    story = with_instance(
        quiet(),
        virtual_routes=("0.0.0.0/0 via 172.16.10.21",),
        virtual_rules=(f"from {source} lookup 100",),
    )
    story.before += [
        RouteChanged(-4, "director1", action="added", destination="default"),
        RuleChanged(-4, "director1", action="added", preference=9, source="all", table=100),
    ]

    assert ROUTED not in {each.invariant for each in judge(story.observed())}


def test_a_failover_leaves_routes_where_nobody_has_any() -> None:
    assert ROUTED not in {each.invariant for each in judge(failover().observed())}


@pytest.mark.parametrize("hangs", [True, False])
def test_who_hangs_as_it_becomes_master_sets_its_routes_later(hangs: bool) -> None:
    story = with_instance(failover(), virtual_routes=(ROUTE,))
    taken, _, given_back, _ = (each.at for each in story.events if each.kind == "state")
    if hangs:
        story.act("HangKeepalived", "director2", taken + 0.001, taken + 4.0)
    story.before.append(route("director1", -4, "added"))
    story.events += [
        route("director2", taken + 4.001, "added"),
        route("director2", given_back + 0.001, "removed"),
    ]

    assert (ROUTED in {each.invariant for each in judge(story.observed())}) is not hangs
