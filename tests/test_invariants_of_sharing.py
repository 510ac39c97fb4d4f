"""Invariants of routes, of what a reload adds and tells, and of who is sent where, on hand-made
timelines.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from harness.events import (
    DestinationChanged,
    Link,
    Notification,
    Request,
    RouteChanged,
    RuleChanged,
)
from harness.search.edits import edits_of
from harness.search.invariants import judge
from harness.search.invariants.reloading import AGAIN, JOINS
from harness.search.invariants.routing import ROUTED
from harness.search.invariants.sharing import SHARED, STAYS
from harness.search.invariants.telling import RELOADS
from harness.topology import SyncGroup
from tests.story import VIP, Story, failover, quiet

FURTHER = "172.16.10.60"
ROUTE, RULE = "10.9.0.0/24 via 172.16.10.21 dev eth0", "from 172.16.10.99 lookup 100 priority 1000"


def with_instance(story: Story, **changed: Any) -> Story:
    """The same with other instances."""
    directors = {
        name: replace(each, instances=tuple(replace(own, **changed) for own in each.instances))
        for name, each in story.setting.directors.items()
    }
    story.setting = replace(story.setting, directors=directors)
    return story


def route(node: str, at: float, action: Any) -> RouteChanged:
    """It gets or loses the virtual route."""
    return RouteChanged(at, node, action=action, destination="10.9.0.0/24", table=254)


def rule(node: str, at: float, action: Any) -> RuleChanged:
    """It gets or loses the virtual rule."""
    return RuleChanged(
        at, node, action=action, preference=1000, source="172.16.10.99/32", table=100
    )


def routed(*events: RouteChanged | RuleChanged) -> Story:
    """The master has a route and a rule at first."""
    story = with_instance(quiet(), virtual_routes=(ROUTE,), virtual_rules=(RULE,))
    story.before += [route("director1", -4, "added"), rule("director1", -4, "added")]
    story.events += events
    return story


def joined(at_once: int, again: int) -> Story:
    """A reload at 5 s gives the master its second VIP back, which it announces so often."""
    story = with_instance(Story(20), vip=(VIP, FURTHER), garp_master_delay=2)
    story.advertises("director1", 0.5, 20, addresses=f"{VIP} {FURTHER}")
    config = story.setting.directors["director1"].config
    name = next(each.name for each in edits_of(config) if each.name.startswith("priority 95"))
    story.act("Reconfigure", "director1", 2.0, 5.0, edit=name)
    story.log("director1", 2.0, "Reloading").log("director1", 5.0, "Reloading")
    story.address("director1", 5.01, "added", FURTHER)
    for at, count in ((5.01, at_once), (7.5, again)):
        for _ in range(count):
            story.announces("director1", at, FURTHER)
    return story


def with_own_text(story: Story, text: str) -> Story:
    """The same with a text of the user's own in each keepalived.conf."""
    directors = {
        name: replace(each, config=each.config + text, own_text=True)
        for name, each in story.setting.directors.items()
    }
    story.setting = replace(story.setting, directors=directors)
    return story


def told(text: str) -> Story:
    """The master, whose instance is a sync group, reloads at 5 s, and the FIFO hears this."""
    story = Story(20, notifications=True).advertises("director1", 0.5, 20)
    story.act("Reload", "director1", 5.0, 5.0).log("director1", 5.0, "Reloading")
    group = SyncGroup(name="G", members=("VI_1",))
    directors = {
        name: replace(each, sync_groups=(group,)) for name, each in story.setting.directors.items()
    }
    story.setting = replace(story.setting, directors=directors)
    story.events.append(Notification(5.01, "director1", channel="fifo", text=text))
    return story


def asked(*servers: str, scheduler: str = "rr", persistence: int | None = None) -> Story:
    """A client is answered by these, one after the other, ten times a second."""
    story = quiet()
    directors = {}
    for name, each in story.setting.directors.items():
        tables = tuple(
            replace(
                table,
                service=replace(
                    table.service, scheduler=scheduler, persistence_timeout=persistence
                ),
            )
            for table in each.tables
        )
        directors[name] = replace(each, tables=tables)
    story.setting = replace(story.setting, directors=directors)
    for number, server in enumerate(servers):
        answer = Request(
            5 + number / 10,
            "client",
            status=200,
            server=story.setting.servers[server],
            address=VIP,
            port=4000 + number,
        )
        story.events.append(answer)
    return story


def at_two_ports() -> Story:
    """The first real server answers at a port of a weight, and not at one of weight 0."""
    story = asked(*["web1", "web2"] * 6)
    directors = {}
    for name, each in story.setting.directors.items():
        (table,) = each.tables
        first = table.destinations[0]
        more = (*table.destinations, replace(first, port=81, weight=0))
        directors[name] = replace(each, tables=(replace(table, destinations=more),))
        story.before.append(
            DestinationChanged(
                -8,
                name,
                action="added",
                service=table.name,
                address=f"{first.address}:81",
                weight=0,
            )
        )
    story.setting = replace(story.setting, directors=directors)
    return story


def tracked(moves: bool) -> Story:
    """The master stops tracking its script from 5 s to 12 s, and loses the VIP when that is back,
    or does not.
    """
    story = Story(30).advertises("director1", 0.5, 30)
    config = story.setting.directors["director1"].config
    name = next(each.name for each in edits_of(config) if each.name.startswith("no track_script"))
    story.act("Reconfigure", "director1", 5.0, 12.0, edit=name)
    story.log("director1", 5.0, "Reloading").log("director1", 12.0, "Reloading")
    if moves:
        story.address("director1", 12.1, "removed").address("director1", 12.2, "added")
    return story


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

MISTAKES: list[tuple[str, str, Callable[[], Story]]] = [
    ("a master loses its route", ROUTED, lambda: routed(route("director1", 5.0, "removed"))),
    ("a backup gets it, too", ROUTED, lambda: routed(route("director2", 5.0, "added"))),
    ("a master loses its rule", ROUTED, lambda: routed(rule("director1", 5.0, "removed"))),
    (
        "an orderly end leaves it",
        ROUTED,
        lambda: (
            routed()
            .act("StopKeepalived", "director1", 5.0, None)
            .log("director1", 5.0, "Stopping")
            .daemon("director1", 6.0, "ended", status=0)
        ),
    ),
    ("an added VIP is not announced", JOINS, lambda: joined(0, 5)),
    ("an added VIP is announced once", JOINS, lambda: joined(5, 0)),
    ("a group is told of again", AGAIN, lambda: told('GROUP "G" MASTER 100')),
    ("a master's priority as a backup's", AGAIN, lambda: told('INSTANCE "VI_1" BACKUP_PRIORITY 1')),
    (
        "a priority in fault as a master's",
        AGAIN,
        lambda: told('INSTANCE "VI_1" MASTER_PRIORITY 1').state("director1", 4.0, "FAULT"),
    ),
    ("a script that is well costs the VIP", RELOADS, lambda: tracked(True)),
    ("a server gets nothing", SHARED, lambda: asked(*["web1"] * 6)),
    ("a client is sent elsewhere", STAYS, lambda: asked("web1", "web1", "web2", persistence=50)),
]


@pytest.mark.parametrize("story", WELL.values(), ids=WELL)
def test_these_invariants_are_silent_where_all_is_well(story: Callable[[], Story]) -> None:
    mine = {ROUTED, JOINS, AGAIN, RELOADS, SHARED, STAYS}
    assert [each for each in judge(story().observed()) if each.invariant in mine] == []


@pytest.mark.parametrize(
    ("invariant", "story"), [row[1:] for row in MISTAKES], ids=[row[0] for row in MISTAKES]
)
def test_these_invariants_speak_of_the_mistake(invariant: str, story: Callable[[], Story]) -> None:
    assert invariant in {each.invariant for each in judge(story().observed())}


def test_a_child_that_is_started_as_its_director_is_to_reload_tells_of_its_group() -> None:
    story = told('GROUP "G" MASTER 100')
    story.log("director1", 5.001, "VRRP child process(4) died: Respawning")
    story.log("director1", 5.002, "Starting VRRP child process, pid=48")

    assert AGAIN not in {each.invariant for each in judge(story.observed())}


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
