"""Misconfigurations that advertisements show, on hand-made timelines."""

from __future__ import annotations

from typing import Any

import pytest

from harness.diagnosis import Setup, diagnose
from harness.events import Log
from harness.timeline import Timeline
from tests.diagnosed import SETUP, advert, found, healthy


@pytest.mark.parametrize(
    ("other", "name"),
    [
        ({"vrid": 52}, "VRID mismatch"),
        ({"addresses": "172.16.10.60"}, "foreign cluster with the same VRID"),
        ({"interval": 2}, "advert_int mismatch"),
        ({"version": 3}, "VRRP version mismatch"),
    ],
)
def test_two_advertisers_that_differ_in_one_thing(other: dict[str, Any], name: str) -> None:
    timeline = healthy()
    advert(timeline, 2, "director2", "director1", **{"priority": 70, **other})
    assert found(timeline) == [(name, ("director1", "director2"))]
    (told,) = diagnose(timeline, SETUP)
    assert [(event.at, event.node) for event in told.shown] == [(1, "director1"), (2, "director2")]


def test_version_3_may_advertise_at_two_intervals() -> None:
    timeline = Timeline()
    advert(timeline, 1, "director1", "director2", version=3)
    advert(timeline, 2, "director2", "director1", version=3, interval=2)
    assert found(timeline, Setup({}, {}, {})) == []


@pytest.mark.parametrize(
    ("ways", "expected"), [((True, False), 1), ((False, True), 1), ((True, True), 0)]
)
def test_two_checksums_are_told_and_no_firewall(ways: tuple[bool, bool], expected: int) -> None:
    timeline = Timeline()
    for at, node, other, priority, way in (
        (1, "director1", "director2", 100, ways[0]),
        (1.5, "director2", "director1", 70, ways[1]),
    ):
        advert(timeline, at, node, other, version=3, priority=priority, pseudo_header=way)
    names = [each.name for each in diagnose(timeline, Setup({}, {}, {}), 0)]
    assert names == ["VRRP checksum mismatch" if expected else "firewall drops advertisements"]


def test_the_same_vrid_on_two_lans_is_no_foreign_cluster() -> None:
    timeline = healthy()
    advert(timeline, 2, "router", addresses="172.16.20.60")
    assert found(timeline) == []


def test_who_advertises_no_vip_at_all_is_no_foreign_cluster() -> None:
    timeline = healthy()
    advert(timeline, 2, "director2", "director1", priority=70, addresses="")
    assert found(timeline) == []


ELSEWHERE = "unicast to an address at which keepalived does not listen"
MIXED = "unicast and multicast mixed"
GROUP = "224.0.0.18"


@pytest.mark.parametrize(
    ("to_second", "to_first", "name"),
    [
        (["of director2"], "of director1", None),
        (["another"], "of director1", ELSEWHERE),
        (["another", "of director2"], "of director1", None),
        ([GROUP], GROUP, None),
        (["of director2"], GROUP, MIXED),
        (["another"], GROUP, MIXED),
    ],
)
def test_a_director_hears_unicast_only_at_the_address_that_it_speaks_from(
    to_second: list[str], to_first: str, name: str | None
) -> None:
    timeline = healthy()
    for destination in to_second:
        advert(timeline, 5, "director1", "director2", destination=destination)
    advert(timeline, 9, "director2", "director1", priority=70, destination=to_first)

    about_unicast = [each for each, _ in found(timeline) if each in (ELSEWHERE, MIXED)]
    assert about_unicast == ([] if name is None else [name])


def test_unicast_that_does_not_arrive_is_not_called_multicast() -> None:
    timeline = healthy()
    advert(timeline, 5, "director1", destination="172.16.10.92")
    advert(timeline, 5, "director2", priority=70, destination="172.16.10.11")

    assert {name for name, _ in found(timeline, since=4)} == {"unicast does not arrive"}


def test_what_does_not_arrive_is_blocked() -> None:
    timeline = healthy()
    advert(timeline, 5, "director1")
    advert(timeline, 5, "director2", priority=70)
    blocked = [
        ("multicast blocked", ("director1", "director2")),
        ("multicast blocked", ("director2", "director1")),
    ]
    assert found(timeline, since=4) == blocked


@pytest.mark.parametrize(("lowered", "expected"), [(80, 1), (60, 0), (100, 0)])
def test_a_lowered_priority_is_to_fall_below_the_next(lowered: int, expected: int) -> None:
    timeline = healthy()
    advert(timeline, 2, "director1", "director2", priority=lowered)
    assert len(found(timeline)) == expected


def test_two_owners_of_one_vip() -> None:
    timeline = healthy()
    advert(timeline, 2, "director1", "director2", priority=255)
    assert found(timeline) == []
    advert(timeline, 2, "director2", "director1", priority=255)
    assert found(timeline) == [("two address owners", ("director1", "director2"))]
    advert(
        timeline, 3, "director1", "director2", priority=254
    )  # as 2.2.7 does when it hears the other
    assert found(timeline) == [("two address owners", ("director1", "director2"))]


@pytest.mark.parametrize("flaw", [{"ttl": 254}, {"checksum": False}])
def test_an_advertisement_that_everybody_discards(flaw: dict[str, Any]) -> None:
    """It has arrived all the same, so nothing is blocked on its way."""
    timeline = Timeline()
    advert(timeline, 2, "director2", "director1", priority=70)
    advert(timeline, 2, "director1", "director2", **flaw)
    pair = Setup(SETUP.directors, {}, {})
    assert found(timeline, pair) == [("advertisement that everybody discards", ("director2",))]


def two_that_advertise(timeline: Timeline, *heard: float, until: float = 9) -> None:
    """The second goes on although the first, which is better, arrives at its wire."""
    for at in heard:
        advert(timeline, at, "director1", "director2")
    advert(timeline, until, "director2", "director1", priority=70)


@pytest.mark.parametrize(
    ("heard", "until", "expected"),
    [
        ([5.0], 5.5, True),
        ([4.0, 5.0], 7.5, True),
        ([5.0], 5.001, False),
        ([4.0, 5.0], 8.5, False),
        ([], 9, False),
    ],
    ids=["just now", "again and again", "this moment", "long ago", "never"],
)
def test_a_director_that_does_not_take_in_what_arrives(
    heard: list[float], until: float, expected: bool
) -> None:
    timeline = Timeline()
    two_that_advertise(timeline, *heard, until=until)
    found_ones = [
        name for name in found(timeline, Setup({}, {}, {})) if name[0] != "multicast blocked"
    ]
    assert found_ones == [("firewall drops advertisements", ("director2",))] * expected


@pytest.mark.parametrize("priority", [0, 60])
def test_who_gives_up_its_claim_may_be_followed(priority: int) -> None:
    timeline = Timeline()
    advert(timeline, 4, "director1", "director2")
    advert(timeline, 5, "director1", "director2", priority=priority)
    advert(timeline, 6, "director2", "director1", priority=70)
    assert found(timeline, Setup({}, {}, {})) == []


def test_what_explains_it_better_is_told_instead() -> None:
    timeline = Timeline()
    two_that_advertise(timeline, 4.0, 5.0)
    complaint = "(VI_1) received an invalid passwd!"
    timeline.record(Log(5, "director2", daemon="keepalived", line=complaint))
    assert found(timeline, Setup({}, {}, {})) == [("authentication mismatch", ("director2",))]
