"""The timeline: events in order, queries at their edges, and waits that end at once or in time."""

from __future__ import annotations

import io
import json
import random
import threading
from collections.abc import Callable, Collection
from typing import Any, Literal

import pytest

from harness.errors import HarnessError
from harness.events import (
    AddressChanged,
    Advertisement,
    Arp,
    Link,
    Log,
    Power,
    Request,
    RouteChanged,
    UnknownName,
    make,
)
from harness.report.standing import addresses, standing
from harness.timeline import Timeline, TooLate

VIP = "172.16.10.50"


def filled(*instants: float) -> Timeline:
    timeline = Timeline()
    for number, at in enumerate(instants):
        timeline.record(Log(at, "a" if number % 2 else "b", daemon="keepalived", line=str(number)))
    return timeline


def test_events_come_in_the_order_in_which_they_happened() -> None:
    instants = [random.Random(1).randrange(50) / 10 for _ in range(200)]
    events = filled(*instants).events(Log)
    assert [event.at for event in events] == sorted(instants)
    for at in set(instants):  # at one instant, in the order in which they were recorded
        numbers = [int(event.line) for event in events if event.at == at]
        assert numbers == sorted(numbers)


def test_since_and_until_are_inclusive() -> None:
    timeline = filled(1, 2, 3, 4)
    assert [event.at for event in timeline.events(since=2, until=3)] == [2, 3]
    assert [event.at for event in timeline.events(since=2.5)] == [3, 4]
    assert timeline.events(since=4.5) == []


def test_events_are_chosen_by_kind_node_and_details() -> None:
    timeline = filled(1, 2, 3)
    timeline.record(Power(2.5, "a", action="off"))
    assert [event.at for event in timeline.events(Log, node="b")] == [1, 3]
    assert [event.at for event in timeline.events(line="1")] == [2]
    assert [event.kind for event in timeline.events(node="a")] == ["log", "power"]
    assert timeline.events(Power, action="on") == []


def test_the_latest_event_is_the_last_that_fits() -> None:
    timeline = filled(1, 2, 3, 4)
    timeline.record(Power(5, "a", action="off"))
    last = timeline.latest(Log, lambda event: event.at < 4)
    assert last is not None
    assert last.at == 3
    last = timeline.latest(Log, lambda event: True, node="b")
    assert last is not None
    assert last.at == 3
    assert timeline.latest(Log, lambda event: event.at > 4) is None
    assert timeline.latest(Link, lambda event: True) is None


def test_a_query_by_kind_has_what_was_only_captured_recorded_first() -> None:
    timeline = Timeline()

    def settle(kinds: Collection[str]) -> None:
        if "arp" in kinds:
            timeline.record(Arp(1, "a", sent=True, sender=VIP))

    timeline.on_query(settle)
    assert timeline.events(Log, Power) == []
    assert [event.kind for event in timeline.events(Arp)] == ["arp"]
    assert [event.kind for event in timeline.events()] == ["arp", "arp"]


def test_what_has_happened_is_not_waited_for() -> None:
    timeline = filled(1, 2, 3)
    assert timeline.wait_for(Log, node="b", since=2, until=timeline.now()).at == 3


def test_waiting_ends_with_the_event_from_another_thread() -> None:
    timeline = Timeline()
    waiting = threading.Event()

    def look() -> str | None:
        waiting.set()
        return next((event.line for event in timeline.events(Log)), None)

    def record() -> None:
        waiting.wait()
        timeline.record(Log(timeline.now(), "a", daemon="httpd", line="there"))

    recorder = threading.Thread(target=record)
    recorder.start()
    try:
        assert timeline.wait_until(look, timeline.now() + 60, "a line") == "there"
    finally:
        recorder.join()
    assert timeline.now() < 30


def test_only_what_matters_is_looked_at_again() -> None:
    timeline = Timeline()
    looks = []

    def look() -> str | None:
        looks.append(len(timeline.events()))
        if len(looks) > 1:
            return "on"
        line, power = Log(0, "a", daemon="httpd", line=""), Power(0, "a", action="on")
        for event in (line, line, power, line):
            timeline.record(event)
        return None

    assert (
        timeline.wait_until(look, timeline.now() + 5, "power", lambda event: event.kind == "power")
        == "on"
    )
    assert looks == [0, 4]
    with pytest.raises(TooLate):
        timeline.wait_until(
            lambda: looks.append(0), timeline.now() + 0.01, "nothing", lambda event: False
        )
    assert len(looks) == 4  # at the beginning, and when it is too late


def test_waiting_in_vain_names_what_was_wanted() -> None:
    timeline = filled(1)
    with pytest.raises(TooLate, match=r"^address action=added on director1: not until 0\.000 s$"):
        timeline.wait_for(AddressChanged, node="director1", until=0, action="added")
    with pytest.raises(TooLate, match=r"^log on any node: not until "):
        timeline.wait_for(Log, since=2, until=timeline.now() + 0.01)
    assert issubclass(TooLate, HarnessError)


def test_time_passes() -> None:
    timeline = Timeline()
    began = timeline.now()
    timeline.let_pass(0.02)
    assert timeline.now() >= began + 0.02


def test_the_file_has_an_event_a_line() -> None:
    timeline = Timeline()
    timeline.record(Request(1.0123456789, "client", status=200, error=None, server="wéb1"))
    timeline.record(Power(0.5, "director1", action="on"))
    file = io.StringIO()
    timeline.write(file)
    power, request = (json.loads(line) for line in file.getvalue().splitlines())
    assert power == {"at": 0.5, "node": "director1", "kind": "power", "action": "on"}
    assert (request["at"], request["status"], request["error"], request["server"]) == (
        1.012345679,
        200,
        None,
        "wéb1",
    )
    file = io.StringIO()
    timeline.write(file, since=1)
    assert len(file.getvalue().splitlines()) == 1


def held(
    at: float, action: Literal["added", "removed"], address: str, prefix: int = 32
) -> AddressChanged:
    return AddressChanged(
        at, "director1", action=action, address=address, prefix=prefix, interface="eth0"
    )


def test_how_things_stand_is_the_last_word_on_each() -> None:
    timeline = Timeline()
    timeline.record(Link(0.0, "director1", interface="eth0", up=False))
    timeline.record(held(1.0, "added", "10.0.0.1", 24))
    timeline.record(Link(2.0, "director1", interface="eth0", up=True))
    timeline.record(held(3.0, "added", "10.0.0.50"))
    timeline.record(held(4.0, "removed", "10.0.0.50"))
    timeline.record(Power(5.0, "director1", action="off"))
    told = [addresses(standing(timeline, at), "director1") for at in (1.0, 3.0, 4.0, 5.0)]
    assert told == [
        "eth0 down 10.0.0.1/24\n",
        "eth0 up 10.0.0.1/24 10.0.0.50/32\n",
        "eth0 up 10.0.0.1/24\n",
        "eth0 up\n",
    ]
    assert addresses(standing(timeline, 5.0), "director2") == ""


def test_routes_of_one_destination_stand_apart_by_table_and_metric() -> None:
    def route(at: float, action: Any, table: int = 254, metric: int = 0) -> RouteChanged:
        network = "10.9.0.0/24"
        return RouteChanged(
            at, "director1", action=action, destination=network, table=table, metric=metric
        )

    timeline = Timeline()
    for event in (route(1.0, "added"), route(2.0, "added", 100), route(3.0, "added", metric=5)):
        timeline.record(event)
    timeline.record(route(4.0, "removed"))

    assert [event.at for event in standing(timeline, 3.0)] == [1.0, 2.0, 3.0]
    assert [event.at for event in standing(timeline, 4.0)] == [2.0, 3.0]
    timeline.record(Power(5.0, "director1", action="off"))
    assert [event.kind for event in standing(timeline, 5.0)] == ["power"]


@pytest.mark.parametrize(
    ("query", "meant"),
    [
        (
            lambda timeline: timeline.events("adress"),
            "'adress' is no kind of event, which are classes",
        ),
        (lambda timeline: timeline.events("address"), "did you mean 'AddressChanged'"),
        (
            lambda timeline: timeline.events(Advertisement, priorty=90),
            "'priorty' is no detail of advertisement: did you mean",
        ),
        (
            lambda timeline: timeline.events(priorty=90),
            "'priorty' is no detail of any event: did you mean 'priority'",
        ),
        (
            lambda timeline: timeline.events(Log, node="director9"),
            "'director9' is no node: did you mean 'director1'",
        ),
        (
            lambda timeline: timeline.events(Power, action="added"),
            "action is never 'added': there are off, on",
        ),
        (lambda timeline: timeline.events(Advertisement, priority="90"), "priority is never '90'"),
        (
            lambda timeline: timeline.wait_for(Log, until=0, deamon="httpd"),
            "'deamon' is no detail of log: did you mean",
        ),
    ],
)
def test_a_query_cannot_be_misspelt(query: Callable[[Timeline], object], meant: str) -> None:
    timeline = Timeline()
    timeline.nodes = ["director1", "client"]
    with pytest.raises(UnknownName, match=meant):
        query(timeline)


def test_events_of_several_kinds_at_one_instant_are_in_the_order_in_which_they_were_recorded() -> (
    None
):
    timeline = Timeline()
    for number in range(6):
        if number % 2:
            timeline.record(make(Power, 1.0, str(number), action="on"))
        else:
            timeline.record(make(Log, 1.0, str(number), daemon="a", line="here"))
    timeline.record(make(Power, 0.5, "earlier", action="on"))

    expected = ["earlier", *"012345"]
    assert [event.node for event in timeline.events(Log, Power)] == expected
    assert [event.node for event in timeline.events()] == expected
    assert [event.node for event in timeline.events(Log, Power, since=1.0)] == expected[1:]
    assert [event.node for event in timeline.events(Power, until=0.9)] == ["earlier"]
    assert [event.node for event in timeline.before(1.0).events()] == ["earlier"]
