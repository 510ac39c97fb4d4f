"""Stories of :mod:`tests.story` that several tests of invariants begin with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from harness.events import Advertisement, Event, Notification, StateChanged
from harness.search.edits import edits_of
from harness.search.invariants import judge
from harness.topology import SyncGroup
from harness.topology.notification import REPORT
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


def edited(edit: str, healed: float | None = 18.0, ended: float = 20) -> Story:
    """The first director reads another configuration at 5 s."""
    story = Story(ended).advertises("director1", 0.5, ended)
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


def group_started(*states: str) -> Story:
    """Whoever is alone in a sync group becomes master as it starts, and the FIFO hears of it."""
    story = group_told()
    story.events.clear()
    story.acts.clear()
    story.before = [event for event in story.before if not isinstance(event, StateChanged)]
    story.state("director1", 4.0, "MASTER").advertises("director1", 4.0, story.ended)
    for text in ('INSTANCE "VI_1" MASTER 100', *(f'GROUP "G" {each} 0' for each in states)):
        story.events.append(Notification(4.0, "director1", channel="fifo", text=text))
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


def quorum_told(*told: str) -> Story:
    """The quorum of the only virtual server is lost and gained again, and scripts hear of this."""
    story = quiet()
    for name, director in story.setting.directors.items():
        tables = tuple(
            replace(
                each,
                service=replace(
                    each.service, quorum_up=f"{REPORT} up", quorum_down=f"{REPORT} down"
                ),
            )
            for each in director.tables
        )
        directors = {**story.setting.directors, name: replace(director, tables=tables)}
        story.setting = replace(story.setting, directors=directors)
    story.log("director1", 5.0, "Lost quorum 1-0=1 > 0 for VS [172.16.10.50]:tcp:80")
    story.log("director1", 7.0, "Gained quorum 1+0=1 <= 2 for VS [172.16.10.50]:tcp:80")
    for number, text in enumerate(told):
        at = 5.0 + 2 * number
        story.events.append(Notification(at, "director1", channel="script", text=text))
    return story


def both_reign() -> Story:
    """The backup takes over though it hears the master, and goes on."""
    return quiet().takes("director2", 5.6).advertises("director2", 5.6, 20)


HANGS = 2.5 + DOWN["director2"]


def hung() -> Story:
    """The backup hears the master again as it becomes one itself, and does nothing from then on."""
    story = Story(12).act("DropAdvertisements", "director2", 3.0, 5.8)
    story.advertises("director1", 0.5, 3).advertises("director1", 3.5, 5.8, heard=False)
    story.takes("director2", HANGS, later=0).advert("director2", HANGS)
    for _ in range(5):
        story.announces("director1", HANGS + 0.001)
    return story.advertises("director1", HANGS + 0.001, 12)


def of(
    kind: type[Event], node: str, since: float = 0.0, until: float = 1e9
) -> Callable[[Event], bool]:
    return lambda event: (
        isinstance(event, kind) and event.node == node and since <= event.at <= until
    )


def impatient() -> Story:
    """The master boots again, and does not wait for ``vrrp_startup_delay``."""
    story = failover(20)
    directors = {
        name: replace(director, startup_delay=4.0)
        for name, director in story.setting.directors.items()
    }
    story.setting = replace(story.setting, directors=directors)
    return story


def hasty(wait: float) -> Story:
    """The master boots again, and takes over so soon after its start."""
    story = failover(14).without(lambda event: event.at > 12.5)
    story.takes("director1", 12 + wait).advertises("director1", 12 + wait, 14)
    return story.yields("director2", 12 + wait)


def patient(silent: float, taken: float) -> Story:
    """The master boots again at 12 s, with a ``preempt_delay`` of five seconds. It hears the lower
    one from 12.148 s on, which loses its power at ``silent``, and is master at ``taken``.
    """
    story = failover(22).without(lambda event: event.at > min(silent, 15.5))
    directors = {}
    for name, director in story.setting.directors.items():
        (one,) = director.instances
        directors[name] = replace(director, instances=(replace(one, preempt_delay=5.0),))
    story.setting = replace(story.setting, directors=directors)
    story.advertises("director2", 16.148, min(silent, taken))
    if silent < taken:
        story.act("PowerOff", "director2", silent, None).dies("director2", silent)
    else:
        story.yields("director2", taken)
    return story.takes("director1", taken).advertises("director1", taken, 22)
