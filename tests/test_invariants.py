"""The invariants on hand-made events: each is silent where all is well, and speaks of the
mistake that was put in.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.events import Advertisement, Arp
from harness.search import invariants
from harness.search.invariants import INVARIANTS, judge
from harness.search.invariants.__main__ import page
from harness.search.invariants.addresses import HELD, SILENT, STRANGERS
from harness.search.invariants.advertising import ACTS, PACE, TRUE
from harness.search.invariants.announcing import ANNOUNCED, REASON
from harness.search.invariants.answering import ANSWERED
from harness.search.invariants.balance import SERVED, TABLES
from harness.search.invariants.checking import CHECKED
from harness.search.invariants.daemons import ONCE
from harness.search.invariants.editing import EDITED
from harness.search.invariants.election import FAULTY, TAKES, TOGETHER, WAITS, YIELDS
from harness.search.invariants.rest import RESTORED
from harness.search.invariants.telling import RELOADS, TOLD
from harness.search.observed import Observed, Violation
from tests import test_invariants_of_sharing
from tests.stories import (
    BACK,
    TAKEN,
    both_reign,
    edited,
    group_started,
    group_told,
    grouped,
    hasty,
    hung,
    impatient,
    inhibited,
    maintenance,
    names,
    of,
    out_of_the_table,
    owner_that_waits,
    patient,
    removed_server,
    scripted,
    sorry,
    told,
    unweighted,
)
from tests.story import DOWN, WEB1, WEB2, Story, failover, quiet

WELL: list[Callable[[], Story]] = [
    lambda: (
        quiet()
        .act("CrashVrrp", "director2", 5.0, 5.0)
        .log("director2", 5.0, "Starting VRRP child process, pid=8")
        .log("director2", 6.0, "VRRP child process(8) died: Respawning")
        .log("director2", 6.0, "Starting VRRP child process, pid=9")
    ),
    quiet,
    failover,
    removed_server,
    maintenance,
    lambda: patient(12.5, TAKEN + 3 + DOWN["director1"]),
    lambda: out_of_the_table(9, 11, 13, 15, 17, 19),
    lambda: inhibited(0),
    lambda: sorry(7.0, 23.0),
    lambda: quiet().act("PowerOff", "web1", 5.0, 6.0).request(8.0, None, status=0),
    lambda: told("BACKUP", "MASTER"),
    lambda: group_told("MASTER"),
    lambda: scripted("MASTER"),
    lambda: (
        edited("no real_server 172.16.10.21")
        .pool("director1", 5.0, "removed")
        .pool("director1", 18.0, "added")
    ),
    lambda: quiet().act("Reload", "director1", 5.0, 5.0).log("director1", 5.0, "Reloading"),
]


@pytest.mark.parametrize("story", WELL)
def test_no_invariant_complains_where_all_is_well(story: Callable[[], Story]) -> None:
    assert judge(story().observed()) == []


MISTAKES: list[tuple[str, str, Callable[[], Story]]] = [
    ("two masters", YIELDS, both_reign),
    ("a lower claim answers a higher one", YIELDS, lambda: quiet().advert("director2", 5.8)),
    (
        "a resignation is not waited for",
        YIELDS,
        lambda: (
            Story(9)
            .advertises("director1", 0.5, 4.6)
            .advert("director1", 5.0, priority=0)
            .yields("director1", 5.0)
            .takes("director2", 5.3)
            .advertises("director2", 5.3, 9)
        ),
    ),
    ("an owner waits as a backup does", TAKES, owner_that_waits),
    ("a start is not waited for", WAITS, lambda: hasty(1.0)),
    ("vrrp_startup_delay is not waited for", WAITS, impatient),
    ("preempt_delay is not waited for", WAITS, lambda: patient(30.0, BACK)),
    (
        "a master that falls silent is not waited for",
        WAITS,
        lambda: patient(12.5, TAKEN + 2.9 + DOWN["director1"]),
    ),
    (
        "nobody takes over",
        TAKES,
        lambda: (
            Story(15)
            .advertises("director1", 0.5, 5.87)
            .act("PowerOff", "director1", 5.87, None)
            .dies("director1", 5.87)
        ),
    ),
    (
        "the takeover comes late",
        TAKES,
        lambda: (
            Story(11)
            .advertises("director1", 0.5, 5.87)
            .act("PowerOff", "director1", 5.87, None)
            .dies("director1", 5.87)
            .takes("director2", TAKEN + 0.5)
            .advertises("director2", TAKEN + 0.5, 11)
        ),
    ),
    (
        "the higher priority does not preempt",
        TAKES,
        lambda: (
            failover(30).without(lambda event: event.at > 12.5).advertises("director2", 13.148, 30)
        ),
    ),
    (
        "the master has no VIP",
        HELD,
        lambda: (
            failover()
            .takes("director2", TAKEN, held=False)
            .without(
                lambda event: (
                    event.kind == "address" and event.node == "director2" and event.at < 10
                )
            )
        ),
    ),
    ("the VIP vanishes", HELD, lambda: quiet().address("director1", 5.0, "removed")),
    ("the backup has it, too", HELD, lambda: quiet().address("director2", 5.0, "added")),
    (
        "the old master keeps it",
        HELD,
        lambda: failover().without(
            lambda event: event.kind == "address" and event.node == "director2" and event.at > 12
        ),
    ),
    (
        "an orderly end leaves it",
        HELD,
        lambda: (
            Story(8)
            .advertises("director1", 0.5, 5)
            .log("director1", 5.0, "Stopping")
            .advert("director1", 5.0, priority=0)
            .daemon("director1", 6.0, "ended", status=0)
            .act("StopKeepalived", "director1", 5.0, None)
            .takes("director2", 5.648)
            .advertises("director2", 5.648, 8)
        ),
    ),
    (
        "another address comes",
        STRANGERS,
        lambda: quiet().address("director1", 5.0, "added", "172.16.10.77"),
    ),
    ("a real server answers", SILENT, lambda: quiet().answers_arp("web1", 5.0)),
    (
        "nobody takes over after a resignation",
        TAKES,
        lambda: (
            Story(8)
            .advertises("director1", 0.5, 4.6)
            .advert("director1", 5.0, priority=0)
            .yields("director1", 5.0)
            .act("StopKeepalived", "director1", 5.0, None)
        ),
    ),
    (
        "one advertisement is missing",
        PACE,
        lambda: quiet().without(of(Advertisement, "director1", 5.4, 5.6)),
    ),
    ("one too many", PACE, lambda: quiet().advert("director1", 5.8)),
    ("they end", PACE, lambda: quiet().without(of(Advertisement, "director1", 17))),
    ("a master hangs", ACTS, hung),
    ("another priority", TRUE, lambda: Story(20).advertises("director1", 0.5, 20, priority=99)),
    ("another interval", TRUE, lambda: Story(20).advertises("director1", 0.5, 20, interval=2.0)),
    (
        "another VIP",
        TRUE,
        lambda: Story(20).advertises("director1", 0.5, 20, addresses="172.16.10.51"),
    ),
    ("a wrong checksum", TRUE, lambda: Story(20).advertises("director1", 0.5, 20, checksum=False)),
    (
        "a weight that does not count",
        TRUE,
        lambda: quiet(20).act("Maintenance", "director1", 5.2, None),
    ),
    (
        "too few announcements",
        ANNOUNCED,
        lambda: (
            failover()
            .without(of(Arp, "director2", TAKEN - 1, TAKEN + 1))
            .takes("director2", TAKEN, 4, 0)
        ),
    ),
    ("a fault without a cause", FAULTY, lambda: quiet().state("director2", 9.0, "FAULT")),
    (
        "a cause without a fault",
        FAULTY,
        lambda: unweighted().act("Maintenance", "director2", 5.0, None),
    ),
    (
        "a group does not heed its member's script",
        FAULTY,
        lambda: grouped(unweighted()).act("Maintenance", "director2", 5.0, None),
    ),
    (
        "a group is torn apart",
        TOGETHER,
        lambda: grouped(quiet()).state("director1", 9.0, "BACKUP"),
    ),
    (
        "a stranger is advertised to",
        TRUE,
        lambda: quiet().advert("director1", 9.5, destination="172.16.10.99"),
    ),
    ("a backup announces the VIP", REASON, lambda: quiet().announces("director2", 9.0)),
    ("a master announces it again and again", REASON, lambda: quiet().announces("director1", 12.0)),
    ("another VRID", TRUE, lambda: quiet().advert("director2", 9.0, vrid=52)),
    (
        "a lower master is not answered",
        ANNOUNCED,
        lambda: quiet().act("DropAdvertisements", "director2", 5.0, 9.8).advert("director2", 9.9),
    ),
    ("a script is not run", TOLD, lambda: scripted("BACKUP")),
    (
        "no second round",
        ANNOUNCED,
        lambda: failover().without(of(Arp, "director2", TAKEN + 4, TAKEN + 6)),
    ),
    ("a group's state is not told", TOLD, group_told),
    ("a false notification", TOLD, lambda: told("BACKUP", "FAULT")),
    ("one that is missing", TOLD, lambda: told("MASTER")),
    ("one too many notifications", TOLD, lambda: told("BACKUP", "MASTER", "BACKUP")),
    (
        "a reload moves the table",
        RELOADS,
        lambda: (
            quiet()
            .act("Reload", "director1", 5.0, 5.0)
            .pool("director1", 5.1, "removed")
            .pool("director1", 5.2, "added")
        ),
    ),
    ("a server that was taken out stays", EDITED, lambda: edited("no real_server 172.16.10.21")),
    ("a new weight does not count", EDITED, lambda: edited("weight 3 in real_server 172.16.10.22")),
    ("a service that was taken out stays", EDITED, lambda: edited("no virtual_server")),
    (
        "an edit takes out too much",
        EDITED,
        lambda: (
            edited("no real_server 172.16.10.21")
            .pool("director1", 5.0, "removed")
            .pool("director1", 5.1, "removed", WEB2)
        ),
    ),
    (
        "a failing server that is to stay is not there",
        EDITED,
        lambda: (
            edited("inhibit_on_failure in real_server 172.16.10.21", 40.0, 50)
            .act("StopHttpd", "web1", 6.0, 40.0)
            .pool("director1", 9.0, "removed")
        ),
    ),
    (
        "one that fails stays with its weight",
        EDITED,
        lambda: edited("nopreempt", 40.0, 50).act("StopHttpd", "web1", 6.0, 40.0),
    ),
    (
        "a dead server stays",
        TABLES,
        lambda: (
            quiet(30).act("StopHttpd", "web1", 5.0, None).daemon("web1", 5.0, "ended", "httpd", -9)
        ),
    ),
    ("a good server leaves", TABLES, lambda: quiet().pool("director2", 5.0, "removed")),
    ("its weight is another", TABLES, lambda: quiet().pool("director1", 5.0, "changed", weight=3)),
    (
        "a server does not come back",
        TABLES,
        lambda: removed_server().without(
            lambda event: event.kind == "destination" and event.at > 10
        ),
    ),
    ("a removed server answers", SERVED, lambda: removed_server().request(9.0, "web1", 4001)),
    (
        "a server stays away",
        RESTORED,
        lambda: removed_server().without(
            lambda event: event.kind == "destination" and event.at > 10
        ),
    ),
    (
        "the VIP goes on moving",
        RESTORED,
        lambda: failover(90).yields("director1", 80).takes("director2", 80),
    ),
    (
        "the VIP stays away",
        RESTORED,
        lambda: (
            failover(70)
            .without(lambda event: event.at > BACK - 1)
            .advertises("director2", 15.148, 70)
        ),
    ),
    (
        "a daemon stays away",
        RESTORED,
        lambda: removed_server().without(lambda event: event.kind == "daemon" and event.at == 12),
    ),
    (
        "a child is started twice",
        ONCE,
        lambda: (
            quiet()
            .log("director1", 5.0, "Starting VRRP child process, pid=8")
            .log("director1", 6.0, "Starting VRRP child process, pid=9")
        ),
    ),
    ("a client is not answered", ANSWERED, lambda: quiet().request(5.0, None, status=0)),
    ("a sorry server comes late", TABLES, lambda: sorry(15.0, 23.0)),
    ("a sorry server stays", TABLES, lambda: sorry(7.0, 60.0)),
    ("an inhibited server is removed", TABLES, lambda: inhibited(None)),
    (
        "a VIP has another prefix",
        HELD,
        lambda: (
            quiet()
            .address("director1", 5.0, "removed")
            .address("director1", 5.0, "added", prefix=24)
        ),
    ),
    (
        "a server that is out is checked again and again",
        CHECKED,
        lambda: out_of_the_table(9, 10, 12, 14, 16, 18),
    ),
    (
        "a server is checked without a pause",
        CHECKED,
        lambda: quiet().checks(WEB1, *[n / 2 for n in range(40)]),
    ),
    ("a server is forgotten", CHECKED, lambda: quiet().checks(WEB1, 1, 3, 5)),
    ("a daemon dies", "daemons live", lambda: quiet().daemon("web1", 5.0, "ended", "httpd", -11)),
    (
        "a child dies",
        "daemons live",
        lambda: quiet().log("director1", 5.0, "pid 61 exited due to signal 11"),
    ),
    (
        "a timer is late",
        "daemons keep up",
        lambda: quiet().log("director1", 15.0, "A thread timer expired 2.257894 seconds ago"),
    ),
    (
        "memory is corrupted",
        "nothing alarming is logged",
        lambda: quiet().log("director1", 5.0, "malloc(): corrupted top size"),
    ),
]


@pytest.mark.parametrize(
    ("invariant", "story"), [row[1:] for row in MISTAKES], ids=[row[0] for row in MISTAKES]
)
def test_the_invariant_speaks_of_the_mistake(invariant: str, story: Callable[[], Story]) -> None:
    assert invariant in names(story())


def test_a_group_that_was_never_backup_is_told_apart_from_one_that_was() -> None:
    """Known defects hide one of them only."""

    def of_groups(story: Story) -> list[str]:
        return [each.text for each in judge(story.observed()) if each.invariant == TOLD]

    assert of_groups(group_started("MASTER")) == []
    assert [" from their start on, " in each for each in of_groups(group_started())] == [True]
    assert [" from their start on, " in each for each in of_groups(group_told())] == [False]


def test_every_invariant_has_a_mistake_and_a_source() -> None:
    assert {row[1] for row in (*MISTAKES, *test_invariants_of_sharing.MISTAKES)} == set(INVARIANTS)
    for name, function in INVARIANTS.items():
        assert function.__doc__, name
        assert any(
            word in function.__doc__ for word in ("RFC", "keepalived", "Kernel", "timers")
        ), name


def test_the_page_of_invariants_is_up_to_date() -> None:
    written = (Path(__file__).parent.parent / "docs/invariants.md").read_text("utf-8")
    assert page() == written, "out of date: make docs"


def test_an_invariant_that_raises_is_unknown_and_no_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(observed: Observed) -> list[Violation]:
        raise ZeroDivisionError("division by zero")

    monkeypatch.setitem(INVARIANTS, "broken", broken)
    (violation,) = judge(quiet().observed())
    assert (violation.invariant, violation.kind) == ("broken", invariants.UNKNOWN)
    assert "ZeroDivisionError" in violation.text
