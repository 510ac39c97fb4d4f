"""Invariants of IPVS tables that take quorums and starts into account, on hand-made timelines."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.events import AddressChanged, DestinationChanged, Request
from harness.search.edits import edits_of
from harness.search.invariants import judge
from harness.search.invariants.balance import SERVED, TABLES
from harness.search.invariants.editing import EDITED
from harness.search.invariants.quorums import QUORUM
from harness.topology.checks import Check, FileCheck, HttpGet
from harness.topology.tracking import TrackedFile
from tests.stories import inhibited, names, quorum_told
from tests.story import WEB1, WEB2, Story, quiet


def halved(quorum: int, hysteresis: int, apologizes: bool) -> Story:
    """Of two real servers of weight 2, one is stopped at 5 s and removed at 7 s. The sorry server
    takes the place of both then, or nobody does.
    """
    story = quiet(30)
    story.before = [
        replace(each, weight=2) if isinstance(each, DestinationChanged) else each
        for each in story.before
    ]
    director = story.setting.directors["director1"]
    (table,) = director.tables
    own = tuple(replace(each, weight=2) for each in table.destinations)
    service = replace(table.service, quorum=quorum, hysteresis=hysteresis)
    sorry_server = replace(own[0], address="172.16.10.30")
    tables = (replace(table, service=service, destinations=own, sorry=(sorry_server,)),)
    one = {"director1": replace(director, tables=tables)}
    story.setting = replace(story.setting, directors=one)
    story.act("StopHttpd", "web1", 5.0, None).daemon("web1", 5.0, "ended", "httpd", -9)
    story.pool("director1", 7.0, "removed", WEB1)
    if apologizes:
        story.pool("director1", 7.0, "removed", WEB2)
        story.pool("director1", 7.0, "added", "172.16.10.30:80")
    return story


def alpha(added: float, weight: int = 1, check: Check | None = None) -> Story:
    """The checker of a service with alpha is started at 5 s, and the servers are in its table from
    ``added`` on.
    """
    story = quiet(30).act("Restart", "director1", 4.0, 5.0)
    director = story.setting.directors["director1"]
    changed = {"alpha": True} if check is None else {"alpha": True, "check": check}
    tables = tuple(
        replace(each, service=replace(each.service, **changed)) for each in director.tables
    )
    story.setting = replace(
        story.setting, directors={"director1": replace(director, tables=tables)}
    )
    story.daemon("director1", 4.0, "ended", status=0).daemon("director1", 5.0, "started")
    for address in (WEB1, WEB2):
        story.pool("director1", 4.0, "removed", address)
        story.pool("director1", added, "added", address, weight=weight)
    return story


def said(story: Story) -> list[str]:
    """What is said of the tables."""
    return [each.text for each in judge(story.observed()) if each.invariant == TABLES]


@pytest.mark.parametrize(
    ("quorum", "hysteresis", "apologizes", "complaint"),
    [
        (4, 0, True, ""),
        (4, 0, False, "lacks its sorry server 172.16.10.30:80, and there is no quorum"),
        (3, 1, False, ""),
        (3, 1, True, "still has its sorry server 172.16.10.30:80, and there is a quorum"),
        (2, 0, False, ""),
        (2, 0, True, "still has its sorry server 172.16.10.30:80, and there is a quorum"),
    ],
)
def test_a_sorry_server_serves_while_there_is_no_quorum(
    quorum: int, hysteresis: int, apologizes: bool, complaint: str
) -> None:
    """Half of all weight is left: 2 of 4."""
    found = said(halved(quorum, hysteresis, apologizes))
    assert any(complaint in text for text in found) if complaint else not found


def test_with_alpha_nobody_serves_before_a_check() -> None:
    assert said(alpha(7.0)) == []
    assert "before it was checked" not in str(said(alpha(5.001, weight=0)))  # inhibit_on_failure
    assert f"has {WEB1} before it was checked" in said(alpha(5.001))[0]
    edited = alpha(5.001).act("Reconfigure", "director1", 5.0, 5.0, edit="no alpha")
    weighed = alpha(5.001).act("Weigh", "director1", 4.5, 5.0)
    assert "before it was checked" not in str(said(edited)) + str(said(weighed))
    assert "before it was checked" not in str(
        said(alpha(5.001, check=FileCheck(TrackedFile(name="drain", path="/run/drain"))))
    )


@pytest.mark.parametrize(
    ("kind", "edit", "judged"),
    [
        ("Reload", "", True),
        ("CrashVrrp", "", True),
        ("CrashCheckers", "", False),
        ("Reconfigure", "priority 95 in vrrp_instance VI_1", True),
        ("Reconfigure", "no real_server 172.16.10.21 80", False),
    ],
)
def test_the_scripts_of_a_quorum_may_say_else_if_checkers_die_or_servers_change(
    kind: str, edit: str, judged: bool
) -> None:
    story = quorum_told("down").act(kind, "director1", 4.0, 4.0, edit=edit)

    assert (QUORUM in names(story)) is judged


def test_a_quorum_that_is_missing_at_a_start_is_told_as_one_that_is_lost() -> None:
    story = quorum_told("down", "up", "down")
    story.log("director1", 9.0, "Starting with quorum down for VS [172.16.10.50]:tcp:80")

    assert QUORUM not in names(story)


@pytest.mark.parametrize("by_hand", [True, False])
def test_what_an_operator_has_set_stays_until_keepalived_changes_it(by_hand: bool) -> None:
    """The weight that was taken back by hand is the one of a server which has failed meanwhile."""
    story = inhibited(0).pool("director1", 8.0, "changed", weight=1)
    if by_hand:
        story.act("Weigh", "director1", 6.0, 8.0, server="web1", weight=0)

    assert (TABLES in names(story)) is not by_hand


@pytest.mark.parametrize("by_hand", [True, False])
def test_what_an_operator_has_set_stays_where_an_edit_changes_something_else(by_hand: bool) -> None:
    story = inhibited(0).pool("director1", 8.0, "changed", weight=1)
    director = story.setting.directors["director1"]
    text = director.config.replace("lb_kind DR\n", "lb_kind DR\n    inhibit_on_failure\n")
    story.setting = replace(story.setting, directors={"director1": replace(director, config=text)})
    story.act("Reconfigure", "director1", 12.0, 29.0, edit="priority 95 in vrrp_instance VI_1")
    story.log("director1", 12.0, "Reloading")
    if by_hand:
        story.act("Weigh", "director1", 6.0, 8.0, server="web1", weight=0)

    assert (EDITED in names(story)) is not by_hand


@pytest.mark.parametrize(("server", "at_once"), [("172.16.10.21", True), ("172.16.10.22", False)])
def test_who_is_not_tried_again_after_an_edit_is_out_at_once(server: str, at_once: bool) -> None:
    story = quiet(30)
    director = story.setting.directors["director1"]
    (table,) = director.tables
    check = HttpGet("/", retry=3, delay_before_retry=1, warmup=0)
    tables = (replace(table, service=replace(table.service, check=check)),)
    words = "delay_before_retry 1\n"
    text = director.config.replace(words, f"retry 3\n            {words}")
    one = {"director1": replace(director, tables=tables, config=text)}
    story.setting = replace(story.setting, directors=one)
    edits = [each.name for each in edits_of(text)]
    (edit,) = (each for each in edits if each.startswith("retry 0") and server in each)
    story.act("Reconfigure", "director1", 2.0, 28.0, edit=edit).log("director1", 2.0, "Reloading")
    story.act("StopHttpd", "web1", 10.0, 20.0).pool("director1", 11.0, "removed")
    story.pool("director1", 23.0, "added")

    assert (EDITED in names(story)) is not at_once


@pytest.mark.parametrize("asked", ["172.16.10.50", "172.16.10.52"])
def test_who_asks_a_group_is_served_by_the_table_of_the_address_that_was_asked(asked: str) -> None:
    """An edit has taken the second address out of the group, and its table with it."""
    story = quiet(30)
    director = story.setting.directors["director1"]
    (table,), (one,) = director.tables, director.instances
    service = replace(table.service, group=(("172.16.10.52", 80),))
    tables = tuple(replace(table, name=name, service=service) for name in service.names)
    changed = replace(
        director, tables=tables, instances=(replace(one, vip=("172.16.10.50", "172.16.10.52")),)
    )
    story.setting = replace(story.setting, directors={"director1": changed})
    vip = next(each for each in story.before if isinstance(each, AddressChanged))
    story.before.append(replace(vip, address="172.16.10.52"))
    story.events.append(Request(8.0, "client", status=200, server="web1", address=asked, port=4000))

    assert (SERVED in names(story)) is (asked == "172.16.10.52")
