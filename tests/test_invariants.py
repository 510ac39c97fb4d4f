"""The invariants on hand-made events: each is silent where all is well, and speaks of the
mistake that was put in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from harness.events import Advertisement, Arp, Event, Notification, StateChanged
from harness.search import invariants
from harness.search.edits import edits_of
from harness.search.invariants import INVARIANTS, judge
from harness.search.invariants.__main__ import page
from harness.search.invariants.addresses import HELD, SILENT, STRANGERS
from harness.search.invariants.advertising import PACE, TRUE
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
from harness.topology import SyncGroup
from tests import test_invariants_of_sharing
from tests.story import DOWN, WEB1, WEB2, Story, failover, quiet

TAKEN, BACK = 5.5 + DOWN["director2"], 12.0 + DOWN["director1"]


def names(story: Story) -> set[str]:
    return {violation.invariant for violation in judge(story.observed())}


def removed_server() -> Story:
    """A server is stopped at 5 s, both directors remove it at 7 s; it is started at 12 s and
    back at 15 s.
    """
    story = quiet(80).act("StopHttpd", "web1", 5.0, 12.0)
    story.daemon("web1", 5.0, "ended", "httpd", -9).daemon("web1", 12.0, "started", "httpd")
    for director in ("director1", "director2"):
        story.pool(director, 7.0, "removed").pool(director, 15.0, "added")
    return story.request(8.0, "web2")


def out_of_the_table(*checked: float) -> Story:
    """The master checks a server that it has removed at 7 s at these instants."""
    story = quiet(20).act("StopHttpd", "web1", 5.0, None)
    story.daemon("web1", 5.0, "ended", "httpd", -9)
    for director in ("director1", "director2"):
        story.pool(director, 7.0, "removed")
    return story.checks(WEB1, 1, 3, 5, 6, 7, *checked)


def inhibited(weight: int | None) -> Story:
    """Of a service with inhibit_on_failure the master gives a server that is stopped at 5 s this
    weight at 7 s, or removes it.
    """
    story = quiet(30).act("StopHttpd", "web1", 5.0, None)
    story.daemon("web1", 5.0, "ended", "httpd", -9)
    director = story.setting.directors["director1"]
    tables = tuple(
        replace(each, service=replace(each.service, inhibit_on_failure=True))
        for each in director.tables
    )
    one = {"director1": replace(director, tables=tables)}
    story.setting = replace(story.setting, directors=one)
    return story.pool("director1", 7.0, "changed" if weight == 0 else "removed", weight=weight)


def sorry(added: float, removed: float) -> Story:
    """All real servers of the master are stopped at 5 s and removed at 7 s, started at 20 s and
    back at 23 s; its sorry server is in the table from ``added`` to ``removed``.
    """
    story = quiet(80)
    director = story.setting.directors["director1"]
    (table,) = director.tables
    sorry_server = replace(table.destinations[0], address="172.16.10.30")
    one = replace(director, tables=(replace(table, sorry=(sorry_server,)),))
    story.setting = replace(story.setting, directors={"director1": one})
    for web, address in (("web1", WEB1), ("web2", WEB2)):
        story.act("StopHttpd", web, 5.0, 20.0)
        story.daemon(web, 5.0, "ended", "httpd", -9).daemon(web, 20.0, "started", "httpd")
        story.pool("director1", 7.0, "removed", address).pool("director1", 23.0, "added", address)
    story.pool("director1", added, "added", "172.16.10.30:80")
    return story.pool("director1", removed, "removed", "172.16.10.30:80")


def owner_that_waits() -> Story:
    """The owner of the address is started at 12 s, and waits as a backup does."""
    story = failover(40)
    changed = {}
    for name, director in story.setting.directors.items():
        (one,) = director.instances
        if name == "director1":
            one = replace(one, priority=255, state="MASTER")
        changed[name] = replace(director, instances=(one,))
    story.setting = replace(story.setting, directors=changed)
    return story


def maintenance(noticed: float = 6.0) -> Story:
    """The switch is turned at 5.2 s for good, and the master says 80 from ``noticed`` on: the
    backup takes over.
    """
    story = (
        Story(20).act("Maintenance", "director1", 5.2, None).advertises("director1", 0.5, noticed)
    )
    last = max(event.at for event in story.events if isinstance(event, Advertisement))
    taken = last + DOWN["director2"]
    story.advertises("director1", last + 1, taken, priority=80)
    story.takes("director2", taken).advertises("director2", taken, 20)
    return story.yields("director1", taken)


def told(*states: str) -> Story:
    """The master resigns at 5 s and takes over again, and the FIFO hears of these states."""
    story = (
        Story(12, notifications=True)
        .advertises("director1", 0.5, 5)
        .advert("director1", 5.0, priority=0)
    )
    story.yields("director1", 5.0).takes("director1", 5 + 156 / 256).advertises(
        "director1", 5 + 156 / 256, 12
    )
    story.act("DeleteVip", "director1", 5.0, 5.0)
    for number, state in enumerate(states):
        text = f'INSTANCE "VI_1" {state} 100'
        story.events.append(Notification(5 + number, "director1", channel="fifo", text=text))
    return story


def edited(edit: str, healed: float | None = 18.0) -> Story:
    """The first director reads another configuration at 5 s."""
    story = Story(20).advertises("director1", 0.5, 20)
    names = [each.name for each in edits_of(story.setting.directors["director1"].config)]
    (name,) = (name for name in names if name.startswith(edit))
    return story.act("Reconfigure", "director1", 5.0, healed, edit=name).log(
        "director1", 5.0, "Reloading"
    )


def unweighted() -> Story:
    """The switch for maintenance has no weight."""
    story = quiet()
    changed = {}
    for name, director in story.setting.directors.items():
        (one,) = director.instances
        scripts = tuple(replace(script, weight=0) for script in one.track_scripts)
        changed[name] = replace(director, instances=(replace(one, track_scripts=scripts),))
    story.setting = replace(story.setting, directors=changed)
    return story


def grouped(story: Story) -> Story:
    """The first director is master of another instance as well, in a sync group with the first."""
    changed = {}
    for name, director in story.setting.directors.items():
        (one,) = director.instances
        group = SyncGroup(name="both", members=("VI_1", "VI_2"))
        other = replace(one, name="VI_2", vrid=52, vip="172.16.10.60")
        changed[name] = replace(director, instances=(one, other), sync_groups=(group,))
    story.setting = replace(story.setting, directors=changed)
    story.before.append(StateChanged(-4, "director1", instance="VI_2", state="MASTER"))
    return story


def group_told(*states: str) -> Story:
    """The same where the instance is all of a sync group, whose name the FIFO hears as well."""
    story = told("BACKUP", "MASTER")
    group = SyncGroup(name="G", members=("VI_1",))
    changed = {
        name: replace(director, sync_groups=(group,))
        for name, director in story.setting.directors.items()
    }
    story.setting = replace(story.setting, directors=changed)
    for state in states:
        text = f'GROUP "G" {state} 0'
        story.events.append(Notification(5 + 156 / 256, "director1", channel="fifo", text=text))
    return story


def scripted(*told: str) -> Story:
    """The backup takes over, for the master resigns at 5 s, and scripts hear of these states."""
    story = (
        Story(9).notifying().advertises("director1", 0.5, 4.6).advert("director1", 5.0, priority=0)
    )
    story.act("StopKeepalived", "director1", 5.0, None).log("director1", 5.0, "Stopping")
    story.address("director1", 5.0, "removed")
    taken = 5.0 + 166 / 256
    story.takes("director2", taken).advertises("director2", taken, 9)
    for state in told:
        story.events.append(Notification(taken, "director2", channel="script", text=state.lower()))
    return story


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


def both_reign() -> Story:
    """The backup takes over though it hears the master, and goes on."""
    return quiet().takes("director2", 5.6).advertises("director2", 5.6, 20)


def of(
    kind: type[Event], node: str, since: float = 0.0, until: float = 1e9
) -> Callable[[Event], bool]:
    return lambda event: (
        isinstance(event, kind) and event.node == node and since <= event.at <= until
    )


def hasty(wait: float) -> Story:
    """The master boots again, and takes over so soon after its start."""
    story = failover(14).without(lambda event: event.at > 12.5)
    story.takes("director1", 12 + wait).advertises("director1", 12 + wait, 14)
    return story.yields("director2", 12 + wait)


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


def partition() -> Story:
    """The backup is deaf for VRRP, and a master as well, from 6.148 s on; the master hears it,
    and answers.
    """
    taken = 2.5 + DOWN["director2"]
    story = (
        Story(12).act("DropAdvertisements", "director2", 3.0, None).advertises("director1", 0.5, 3)
    )
    story.advertises("director1", 3.5, 12, heard=False)
    story.takes("director2", taken, 5, 5).advertises("director2", taken, 12)
    for number in range(6):
        for _ in range(5):
            story.announces("director1", taken + number)
        story.advert("director1", taken + number, heard=False)
    return story.without(
        lambda event: event.at > 6.2 and event.at % 1 == 0.5 and event.node == "director1"
    )


EXCUSES: list[tuple[str, Callable[[], Story]]] = [
    (
        "a partition allows two masters",
        lambda: (
            Story(12)
            .act("DropAdvertisements", "director2", 3.0, None)
            .advertises("director1", 0.5, 3)
            .advertises("director1", 3.5, 12, heard=False)
            .takes("director2", 2.5 + DOWN["director2"])
            .advertises("director2", 2.5 + DOWN["director2"], 12, heard=False)
        ),
    ),
    (
        "a hung master keeps its VIP",
        lambda: (
            Story(9)
            .act("HangKeepalived", "director1", 3.0, None)
            .advertises("director1", 0.5, 3)
            .takes("director2", 2.5 + DOWN["director2"])
            .advertises("director2", 2.5 + DOWN["director2"], 9)
        ),
    ),
    (
        "a killed one leaves it behind",
        lambda: (
            Story(9)
            .act("KillKeepalived", "director1", 3.0, None)
            .advertises("director1", 0.5, 3)
            .daemon("director1", 3.0, "ended", status=-9)
            .takes("director2", 2.5 + DOWN["director2"])
            .advertises("director2", 2.5 + DOWN["director2"], 9)
        ),
    ),
    (
        "an unplugged one sends nothing",
        lambda: (
            quiet(4.4)
            .act("Mute", "director1", 2.6, None)
            .without(of(Advertisement, "director1", 2.6))
            .without(of(Advertisement, "director2", 2.6))
        ),
    ),
    (
        "a deed that is not known excuses everything",
        lambda: (
            quiet()
            .act("Earthquake", "web2", 4.0, None)
            .pool("director1", 5.0, "removed")
            .without(of(Advertisement, "director1", 17))
        ),
    ),
    (
        "a checker that starts anew tries again",
        lambda: (
            out_of_the_table(9, 10, 12, 14, 16, 18)
            .act("Reload", "director1", 8.0, 8.0)
            .log("director1", 8.0, "Reloading")
        ),
    ),
    (
        "whose page was well once is tried again",
        lambda: out_of_the_table(9, 11, 12, 14).log(
            "director1", 9.001, "HTTP status code success to [172.16.10.21]:tcp:80 url(/)"
        ),
    ),
    ("a second round goes with an advertisement", lambda: partition().announces("director1", 11.5)),
    (
        "a client that ends is not answered",
        lambda: quiet().request(5.0, None, status=0, error="given up"),
    ),
    (
        "what an operator does by hand",
        lambda: (
            quiet().act("Weigh", "director1", 5.0, None).pool("director1", 5.0, "changed", weight=0)
        ),
    ),
]


@pytest.mark.parametrize("story", [row[1] for row in EXCUSES], ids=[row[0] for row in EXCUSES])
def test_what_a_deed_explains_is_no_violation(story: Callable[[], Story]) -> None:
    assert judge(story().observed()) == []


def test_a_peer_that_nobody_can_resolve_keeps_unicast_from_the_wire() -> None:
    def missing(peers: tuple[str, ...]) -> Story:
        story = quiet().without(of(Advertisement, "director1", 5.4, 5.6))
        director = story.setting.directors["director1"]
        (one,) = director.instances
        changed = replace(director, instances=(replace(one, unicast_peers=peers),))
        story.setting = replace(
            story.setting, directors={**story.setting.directors, "director1": changed}
        )
        return story

    (peer,) = quiet().setting.directors["director2"].addresses["eth0"][:1]

    assert PACE in names(missing((peer,)))
    assert PACE not in names(missing((peer,)).act("BlackHole", "director2", 5.0, 8.0))
    assert PACE in names(missing(()).act("BlackHole", "director2", 5.0, 8.0))


def test_an_advertisement_of_other_vips_may_prolong_a_backup_s_wait() -> None:
    def others(event: Event) -> Event:
        return (
            replace(event, addresses="172.16.10.99") if isinstance(event, Advertisement) else event
        )

    story = quiet(12)
    lost = story.without(of(Advertisement, "director2", 3.0))
    assert TAKES in names(lost)

    story = quiet(12)
    story.events = [
        others(event) if event.at > 3 and event.node == "director2" else event
        for event in story.events
    ]
    assert TAKES not in names(story)
