"""Judgements over a timeline that a test has written: each is right about what happened, and
silent on no evidence.
"""

from __future__ import annotations

import random
from typing import Any

import pytest

from harness import measures
from harness.events import (
    AddressChanged,
    Advertisement,
    DestinationChanged,
    Event,
    Power,
    Renamed,
    Request,
    ServiceChanged,
    StreamChanged,
    make,
)
from harness.measures import NoEvidence, Tenure
from harness.timeline import Timeline

VIP = "172.16.10.50"
SERVICE = "TCP 172.16.10.50:80"


def address(
    timeline: Timeline, at: float, node: str, action: str, interface: str = "eth0", vip: str = VIP
) -> None:
    timeline.record(
        make(AddressChanged, at, node, action=action, address=vip, prefix=32, interface=interface)
    )


def adverts(
    timeline: Timeline, node: str, *instants: float, priority: int = 100, vrid: int = 51
) -> None:
    for at in instants:
        for seen_by, sent in ((node, True), ("client", False)):
            timeline.record(
                Advertisement(at, seen_by, vrid=vrid, priority=priority, interval=1.0, sent=sent)
            )


def asked(timeline: Timeline, at: float, status: int = 200, server: str | None = "web1") -> None:
    timeline.record(Request(at, "client", status=status, server=server))


# -- ownership -------------------------------------------------------------------------------------


def test_ownership_goes_from_one_to_the_other() -> None:
    timeline = Timeline()
    address(timeline, 1, "director1", "added")
    address(timeline, 5, "director1", "removed")
    address(timeline, 5.5, "director2", "added")
    assert measures.ownership(timeline, VIP) == [
        Tenure("director1", 1, 5),
        Tenure("director2", 5.5, None),
    ]
    assert measures.owners(timeline, VIP) == ["director2"]


def test_two_owners_are_told_by_name_whoever_was_first() -> None:
    timeline = Timeline()
    address(timeline, 1, "director2", "added")
    address(timeline, 2, "director1", "added")
    assert measures.owners(timeline, VIP) == ["director1", "director2"]


def test_a_machine_without_power_owns_nothing() -> None:
    timeline = Timeline()
    address(timeline, 1, "director1", "added")
    timeline.record(Power(3, "director1", action="off"))
    timeline.record(Power(4, "director1", action="on"))
    assert measures.ownership(timeline, VIP) == [Tenure("director1", 1, 3)]


def test_an_address_told_twice_is_held_from_the_first_time() -> None:
    timeline = Timeline()
    address(timeline, 1, "director1", "added")
    address(timeline, 2, "director1", "added")
    address(timeline, 3, "director1", "removed")
    address(timeline, 4, "director1", "removed")
    assert measures.ownership(timeline, VIP) == [Tenure("director1", 1, 3)]


def test_takeovers_are_one_nodes_and_between_two_instants() -> None:
    timeline = Timeline()
    for at in (1, 3, 5):
        address(timeline, at, "director2", "added")
        address(timeline, at + 1, "director2", "removed")
        address(timeline, at, "director1", "added")
    assert measures.takeovers(timeline, "director2", VIP, 2, 4) == [3]


def test_other_addresses_and_other_interfaces_are_no_ownership() -> None:
    timeline = Timeline()
    address(timeline, 1, "web1", "added", interface="lo")
    address(timeline, 1, "director1", "added", vip="172.16.10.51")
    assert measures.owners(timeline, VIP, "eth0") == []
    assert measures.owners(timeline, VIP) == ["web1"]


# -- reigns ----------------------------------------------------------------------------------------


def test_a_reign_ends_with_a_resignation_or_with_silence() -> None:
    timeline = Timeline()
    adverts(timeline, "director1", 1, 2, 3)
    adverts(timeline, "director1", 3.5, priority=0)
    adverts(timeline, "director2", 4, 5, 6)
    adverts(timeline, "director1", 4.5, 9)
    assert measures.reigns(timeline, 51) == [
        Tenure("director1", 1, 3),
        Tenure("director2", 4, 6),
        Tenure("director1", 4.5, 4.5),
        Tenure("director1", 9, 9),
    ]


def test_nobody_s_reign_is_no_evidence() -> None:
    timeline = Timeline()
    adverts(timeline, "director1", 1, vrid=52)
    timeline.record(Advertisement(1, "client", vrid=51, priority=100, interval=1.0, sent=False))
    with pytest.raises(NoEvidence, match="nobody advertised VRID 51"):
        measures.reigns(timeline, 51)
    with pytest.raises(NoEvidence):
        measures.split_brain(timeline, 51)


@pytest.mark.parametrize("lie", [{"ttl": 1}, {"checksum": False}, {"type": 2}, {"length": 99}])
def test_what_every_receiver_discards_is_no_second_master(lie: dict[str, Any]) -> None:
    timeline = Timeline()
    adverts(timeline, "director1", 1, 2, 3, 4, 5)
    for at in (1.5, 2.5, 3.5, 4.5):
        timeline.record(Advertisement(at, "phantom", sent=True, vrid=51, priority=200, **lie))
        timeline.record(Advertisement(at, "director1", sent=False, vrid=51, priority=200, **lie))
    assert measures.split_brain(timeline, 51) == []
    assert [reign.node for reign in measures.reigns(timeline, 51)] == ["director1"]
    assert measures.heard(timeline, "director1", 51) == []


def test_new_name_of_an_interface_takes_no_address_from_it() -> None:
    timeline = Timeline()
    address(timeline, 1, "director1", "added")
    timeline.record(Renamed(2, "director1", interface="wan0", before="eth0"))
    assert measures.owners(timeline, VIP, "eth0") == ["director1"]
    address(timeline, 3, "director1", "removed", interface="wan0")
    address(timeline, 4, "director2", "added")
    assert measures.owners(timeline, VIP, "eth0") == ["director2"]


def test_who_holds_what_is_told_of_all_addresses_at_once() -> None:
    timeline = Timeline()
    other = "172.16.10.51"
    address(timeline, 1, "director1", "added")
    address(timeline, 1, "director1", "added", vip=other)
    address(timeline, 1, "web1", "added", interface="lo")
    timeline.record(Renamed(2, "director1", interface="wan0", before="eth0"))
    address(timeline, 3, "director1", "removed", interface="wan0")
    address(timeline, 4, "director2", "added")
    assert measures.holders(timeline) == {
        (VIP, "eth0"): {"director2"}, (other, "eth0"): {"director1"}, (VIP, "lo"): {"web1"},
    }  # fmt: skip
    timeline.record(Power(5, "director1", action="off"))
    assert measures.holders(timeline)[other, "eth0"] == set()


def test_masters_side_by_side_are_a_split_brain() -> None:
    timeline = Timeline()
    adverts(timeline, "director1", 1, 2, 3, 4, 5)
    adverts(timeline, "director2", 3.2, 4.2, 5.2)
    ((first, second),) = measures.split_brain(timeline, 51)
    assert (first.node, second.node) == ("director1", "director2")


def test_one_last_word_of_the_outranked_is_no_split_brain() -> None:
    timeline = Timeline()
    adverts(timeline, "director2", 1, 2, 3, 4, priority=90)
    adverts(timeline, "director1", 3.9, 4.9, 5.9)
    assert measures.split_brain(timeline, 51) == []


def test_masters_in_turn_are_no_split_brain() -> None:
    """Whatever the order of events: a master that speaks only while the other is silent shares
    nothing with it.
    """
    rng = random.Random(3)
    for _ in range(20):
        timeline, at = Timeline(), 0.0
        for _ in range(6):
            node = rng.choice(["director1", "director2"])
            adverts(timeline, node, *(at + second for second in range(rng.randrange(1, 5))))
            at += 10
        assert measures.split_brain(timeline, 51) == []


def test_overlap() -> None:
    assert Tenure("a", 1, 5).overlap(Tenure("b", 3, 9)) == 2
    assert Tenure("a", 1, 2).overlap(Tenure("b", 3, 9)) == 0
    assert Tenure("a", 1, None).overlap(Tenure("b", 3, 9)) == 6
    assert Tenure("a", 1, None).overlap(Tenure("b", 3, None)) == float("inf")


# -- requests --------------------------------------------------------------------------------------


def test_outage_is_the_longest_time_without_a_good_answer() -> None:
    timeline = Timeline()
    for at, status in ((1.0, 200), (1.1, 200), (1.2, 0), (1.3, 503), (1.4, 200), (1.5, 200)):
        asked(timeline, at, status)
    assert measures.outage(timeline) == pytest.approx(0.3)
    assert measures.outage(timeline, since=1.35) == pytest.approx(0.1)


def test_outage_is_judged_from_the_scenario_s_own_beginning() -> None:
    timeline = Timeline()
    for at in (1, 9, 9.5, 10):
        asked(timeline, at)
    timeline.mark = 9
    assert measures.outage(timeline) == 0.5


def test_outage_without_two_good_answers_is_no_evidence() -> None:
    timeline = Timeline()
    with pytest.raises(NoEvidence, match="the client sent no request"):
        measures.outage(timeline)
    asked(timeline, 1)
    asked(timeline, 2, 0)
    with pytest.raises(NoEvidence, match="only 1 requests were answered"):
        measures.outage(timeline)


def test_a_stall_is_between_two_pieces_or_an_end() -> None:
    timeline = Timeline()
    timeline.record(StreamChanged(0.5, "client", action="began", port=7, path="/stream"))
    for at, port in ((1.0, 7), (1.5, 7), (2.0, 8), (4.0, 7)):
        timeline.record(StreamChanged(at, "client", action="received", port=port, bytes=10))
    assert measures.stall(timeline, 7, 1.0, 4.5) == 2.5
    assert measures.stall(timeline, 7, 4.5, 9.0) == 4.5
    assert measures.stall(timeline, 8, 0.0, 2.0) == 2.0
    with pytest.raises(NoEvidence, match="no stream came to port 9"):
        measures.stall(timeline, 9, 0.0, 2.0)


def test_distribution_counts_servers_and_those_that_nobody_served() -> None:
    timeline = Timeline()
    for server in ("web1", "web2", "web1", None):
        asked(timeline, 1, server=server)
    assert measures.distribution(measures.requests(timeline)) == {"web1": 2, "web2": 1, "None": 1}


# -- pool ------------------------------------------------------------------------------------------


def table(
    timeline: Timeline, at: float, kind: type[Event], action: str, **details: str | int
) -> None:
    timeline.record(make(kind, at, "director1", action=action, service=SERVICE, **details))


def lose_table(timeline: Timeline, at: float, kind: str) -> None:
    if kind == "service":
        table(timeline, at, ServiceChanged, "removed")
    else:
        timeline.record(Power(at, "director1", action="off"))


def test_pool_follows_the_table() -> None:
    timeline = Timeline()
    table(timeline, 1, ServiceChanged, "added")
    table(timeline, 1, DestinationChanged, "added", address="172.16.10.21:80", weight=1)
    table(timeline, 2, DestinationChanged, "added", address="172.16.10.22:80", weight=1)
    table(timeline, 3, DestinationChanged, "changed", address="172.16.10.21:80", weight=5)
    table(timeline, 4, DestinationChanged, "removed", address="172.16.10.22:80")
    assert measures.pool(timeline, "director1", SERVICE, at=1) == {"172.16.10.21:80": 1}
    assert measures.pool(timeline, "director1", SERVICE, at=2) == {
        "172.16.10.21:80": 1,
        "172.16.10.22:80": 1,
    }
    assert measures.pool(timeline, "director1", SERVICE) == {"172.16.10.21:80": 5}


@pytest.mark.parametrize("kind", ["service", "power"])
def test_a_table_that_is_gone_is_no_evidence(kind: str) -> None:
    timeline = Timeline()
    with pytest.raises(NoEvidence, match=f"director1 has no service {SERVICE} in its table"):
        measures.pool(timeline, "director1", SERVICE)
    table(timeline, 1, ServiceChanged, "added")
    assert measures.pool(timeline, "director1", SERVICE) == {}
    lose_table(timeline, 2, kind)
    with pytest.raises(NoEvidence):
        measures.pool(timeline, "director1", SERVICE)


def test_advert_gaps_are_between_one_nodes_own_and_without_resignations() -> None:
    timeline = Timeline()
    for at, node, sent, priority in (
        (1.0, "a", True, 100),
        (1.5, "b", True, 90),
        (1.6, "a", False, 90),
        (2.0, "a", True, 100),
        (2.25, "a", True, 0),
        (3.5, "a", True, 100),
    ):
        timeline.record(Advertisement(at, node, sent=sent, vrid=51, priority=priority))
    assert measures.advert_gaps(timeline, "a", 51) == [1.0, 1.5]
    assert measures.advert_gaps(timeline, "a", 51, since=2.0) == [1.5]
    with pytest.raises(measures.NoEvidence, match="b sent 1 advertisements"):
        measures.advert_gaps(timeline, "b", 51)


# -- silence ---------------------------------------------------------------------------------------


def test_what_a_backup_heard_is_what_arrived_and_is_not_below_its_own_priority() -> None:
    timeline = Timeline()
    adverts(timeline, "director1", 1, 2, 3)
    adverts(timeline, "director2", 2.5, priority=80)
    assert [event.at for event in measures.heard(timeline, "client", 51, priority=90)] == [1, 2, 3]
    assert [event.at for event in measures.heard(timeline, "client", 51)] == [1, 2, 2.5, 3]
    assert measures.heard(timeline, "director1", 51) == []


def test_a_silence_counts_once_and_from_the_last_advertisement() -> None:
    timeline = Timeline()
    adverts(timeline, "director1", 1, 2, 9, 10)
    heard = measures.heard(timeline, "client", 51)
    assert measures.silences(heard, 3.6, until=13) == [5.6]
    assert measures.silences(heard, 3.6, until=14) == [5.6, 13.6]
    assert measures.silences(heard, 8, until=14) == []


def test_no_advertisement_is_no_evidence_of_silence() -> None:
    with pytest.raises(NoEvidence, match="no advertisement arrived"):
        measures.silences([], 3.6, until=10)
