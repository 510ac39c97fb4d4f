"""What looks like a mistake and is none: a deed explains it, and no invariant complains."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from harness.events import Advertisement, Arp, Event, Notification
from harness.search.invariants import judge
from harness.search.invariants.advertising import PACE
from harness.search.invariants.announcing import ANNOUNCED, REASON
from harness.search.invariants.election import TAKES, WAITS, YIELDS
from harness.search.invariants.rest import RESTORED
from harness.search.invariants.telling import RELOADS, TOLD
from harness.topology import SyncGroup, TrackedFile
from tests.stories import (
    names,
    of,
    out_of_the_table,
    owner_that_waits,
    partition,
    patient,
)
from tests.story import DOWN, VIP, Story, quiet

PEER = "172.16.10.12"


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
        "one that was hung counts from what it heard before",
        lambda: (
            Story(9)
            .act("KillKeepalived", "director1", 3.0, None)
            .act("HangKeepalived", "director2", 2.8, 2.9)
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


def test_a_kernel_may_send_late_what_a_master_has_said_to_its_peer() -> None:
    """By then that one has yielded: its kernel did not know where the peer is, and kept it."""
    first = "172.16.10.11"

    def late(story: Story) -> Story:
        said = [each for each in story.events if isinstance(each, Advertisement)]
        for each in said:
            to = first if each.source == PEER else PEER
            story.events[story.events.index(each)] = replace(each, destination=to)
        story.setting = replace(
            story.setting,
            directors={
                name: replace(
                    each,
                    instances=tuple(
                        replace(one, unicast_peers=(PEER if name == "director1" else first,))
                        for one in each.instances
                    ),
                )
                for name, each in story.setting.directors.items()
            },
        )
        return story

    backup = late(quiet().advert("director2", 5.8)).act("BlackHole", "director2", 3.0, 4.4)
    assert YIELDS in names(backup)
    has_yielded = late(
        quiet().state("director2", 5.0, "MASTER").state("director2", 5.7, "BACKUP")
        .advert("director2", 5.8)
    )  # fmt: skip
    assert YIELDS in names(has_yielded)
    assert YIELDS not in names(has_yielded.act("BlackHole", "director2", 3.0, 4.4))
    master = late(quiet().state("director2", 5.0, "MASTER").advert("director2", 5.8))
    assert YIELDS in names(master.act("BlackHole", "director2", 3.0, 4.4))


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


def test_a_master_with_peers_need_not_answer_what_comes_by_multicast() -> None:
    """It must discard that, as a lower master's, too."""
    story = quiet().advert("director2", 5.2, priority=50, destination="224.0.0.18")
    changed = {
        name: replace(
            each, instances=tuple(replace(one, unicast_peers=(PEER,)) for one in each.instances)
        )
        for name, each in story.setting.directors.items()
    }
    story.setting = replace(story.setting, directors=changed)

    assert ANNOUNCED not in names(story)


def test_a_kernel_may_answer_another_ones_announcement() -> None:
    """It does so by itself, where the director has the VIP."""
    said = Arp(
        5.0,
        "director2",
        interface="eth0",
        sent=True,
        operation="reply",
        sender=VIP,
        target=VIP,
        gratuitous=True,
    )
    story = quiet()
    story.events.append(said)

    assert REASON not in names(story)


@pytest.mark.parametrize("grouped", [True, False])
def test_a_script_tells_of_a_fault_into_which_a_group_takes_its_instance(grouped: bool) -> None:
    """The log has nothing of that (``vrrp_sync.c``, ``vrrp_sync_fault``)."""
    story = quiet().notifying()
    groups = (SyncGroup(name="G", members=("VI_1",)),) if grouped else ()
    directors = story.setting.directors
    director = replace(directors["director1"], sync_groups=groups)
    story.setting = replace(story.setting, directors={**directors, "director1": director})
    story.events.append(Notification(4.0, "director1", channel="script", text="fault"))

    assert (TOLD in names(story)) != grouped


@pytest.mark.parametrize(("after", "hasty"), [(0.3, True), (0.66, False)])
def test_a_resignation_with_other_vips_may_be_heeded(after: float, hasty: bool) -> None:
    """Skew_Time is to be waited for in any case."""
    story = Story(9).advertises("director1", 0.5, 4.6)
    story.advert("director1", 5.0, priority=0, addresses="172.16.10.60")
    story.yields("director1", 5.0).takes("director2", 5 + after)
    story.advertises("director2", 5 + after, 9)

    assert (YIELDS in names(story)) == hasty


@pytest.mark.parametrize(
    ("delay", "at", "expected"), [(2.0, 17.76, False), (2.0, 28.0, True), (0.0, 17.76, True)]
)
def test_a_delay_begins_when_the_lower_one_has_taken_over(
    delay: float, at: float, expected: bool
) -> None:
    """A master whose interface was down for a second hears the lower one at 9.15 s, 6.65 s after
    its own last word, accepts it for two more, and is master 6.61 s later. A reload has no part in
    it.
    """
    story = Story(32).act("SetDown", "director1", 3.0, 4.0).address("director1", at, "added")
    directors = {}
    for name, director in story.setting.directors.items():
        (one,) = director.instances
        patient = replace(one, preempt_delay=delay, advert_int=2, track_scripts=())
        directors[name] = replace(director, instances=(patient,))
    story.setting = replace(story.setting, directors=directors)

    assert (RESTORED in names(story)) == expected
    assert (RELOADS in names(story.act("Reload", "director1", at - 1, at - 1))) == expected


def discarding(taken: float | None, own: float = 6.0) -> Story:
    """The master has a lower priority from 3.6 s on, which the backup discards; the backup's own
    changes at ``own``.
    """
    file = TrackedFile(name="bonus", path="/run/bonus", weight=1)
    story = Story(20)
    directors = {
        name: replace(
            each, instances=tuple(replace(one, track_files=(file,)) for one in each.instances)
        )
        for name, each in story.setting.directors.items()
    }
    story.setting = replace(story.setting, directors=directors)
    number = {"file": "bonus", "path": file.path}
    story.act("WriteNumber", "director1", 3.6, None, value=-50, **number)
    story.act("WriteNumber", "director2", own, None, value=1, **number)
    story.advertises("director1", 0.5, 3.6).advertises("director1", 4.5, taken or 20, priority=50)
    return story if taken is None else story.takes("director2", taken)


def test_words_tell_a_priority_that_changes_while_a_lower_master_is_discarded() -> None:
    """keepalived waits anew then; a wait without an end, or without a change, is another matter."""

    def said(story: Story) -> list[str]:
        return [each.text for each in judge(story.observed()) if each.invariant == TAKES]

    words = "while its priority may have changed"
    assert words in said(discarding(9.0))[0]
    assert words not in said(discarding(None))[0]
    assert words not in said(discarding(9.0, own=15.0))[0]


@pytest.mark.parametrize("waits", [True, False])
def test_who_waits_for_its_script_after_a_start_tells_of_a_fault(waits: bool) -> None:
    """The log has nothing of it where the script has not succeeded before."""
    story = (
        quiet(7.0).act("StopKeepalived", "director1", 4.0, 5.0).log("director1", 4.0, "Stopping")
    )
    story.daemon("director1", 5.0, "ended", status=0).daemon("director1", 5.0, "started")
    directors = story.setting.directors
    director = replace(directors["director1"], told=True)
    if not waits:
        plain = replace(director.instances[0], track_scripts=())
        director = replace(director, instances=(plain,))
    story.setting = replace(story.setting, directors={**directors, "director1": director})
    text = 'INSTANCE "VI_1" FAULT 100'
    story.events.append(Notification(5.5, "director1", channel="fifo", text=text))

    assert (TOLD in names(story)) != waits


@pytest.mark.parametrize("said", [True, False])
def test_an_owner_that_was_in_fault_while_it_was_to_wait_is_a_backup_then(said: bool) -> None:
    """It is started at 12 s, and its interface has no link until 13.5 s."""
    story = owner_that_waits()
    directors = story.setting.directors
    director = replace(directors["director1"], startup_delay=1.0)
    story.setting = replace(story.setting, directors={**directors, "director1": director})
    if said:
        story.state("director1", 12.1, "FAULT").state("director1", 12.5, "BACKUP")

    assert (TAKES in names(story)) != said


def test_what_came_while_it_was_hung_counts_from_when_it_first_woke_up() -> None:
    """It is hung once more for a moment before it takes over."""
    story = (
        Story(25).advertises("director1", 0.5, 8.6).act("KillKeepalived", "director1", 9.0, None)
    )
    story.daemon("director1", 9.0, "ended", status=-9)
    story.act("HangKeepalived", "director2", 3.0, 10.0)
    story.act("HangKeepalived", "director2", 11.0, 11.01)
    taken = 10.0 + DOWN["director2"]
    story.takes("director2", taken).advertises("director2", taken, 25)

    assert YIELDS not in names(story)


@pytest.mark.parametrize(("taken", "hasty"), [(18.75, False), (16.5, True)])
def test_preempt_delay_begins_with_what_is_heard_before_startup_delay_is_over(
    taken: float, hasty: bool
) -> None:
    """It boots at 12 s, hears the lower master from 12.148 s on, and takes part from 15 s on."""
    story = patient(30.0, taken)
    directors = story.setting.directors
    director = replace(directors["director1"], startup_delay=3.0)
    story.setting = replace(story.setting, directors={**directors, "director1": director})

    assert (WAITS in names(story)) is hasty
