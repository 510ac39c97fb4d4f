"""Events as the lines of a short table: what says nothing new is left out, and repetition is one
line. Pure.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from harness.clock import Instant, duration
from harness.events import (
    Advertisement,
    Arp,
    ConnectionChanged,
    Event,
    Expected,
    FaultChanged,
    Judged,
    Missed,
    Request,
    StateChanged,
)
from harness.report.words import words, worth_a_line

Style = Literal["", "fault", "missed", "master"]
"""What deserves a colour."""

_REPEATED: Final = ("advertisement", "arp", "request", "stream", "connection", "mail", "log")
"""The kinds that say the same many times over; of all others each event counts."""

_ACROSS: Final = ("fault", "judged", "missed")


@dataclass(frozen=True)
class Line:
    """One line: ``across`` is one that concerns the whole cluster rather than what its node did."""

    at: Instant
    node: str
    text: str
    style: Style = ""
    across: bool = False


@dataclass(frozen=True)
class _Repeated:
    """Events of one node in a row that say the same."""

    first: Event
    last: Event
    count: int = 1
    servers: frozenset[str] = frozenset()
    slowest: float = 0.0


def lines(events: Sequence[Event]) -> list[Line]:
    """What happened, in order; repetition is told where it began, with how long it went on.

    Whatever else happens in the cluster ends a repetition, so that what came before it and what
    after stay apart.
    """
    return [_line(each) for each in sorted(_folded(events), key=lambda each: each.first.at)]


def windows(events: Sequence[Event]) -> list[Line]:
    """Where each window opens and closes; one that is only expected has an end and no known
    beginning.
    """
    due: dict[tuple[str, str, float], Expected | Judged | Missed] = {}
    for event in events:
        if isinstance(event, Expected | Judged | Missed):
            due[event.node, event.what, event.since] = event
    found = []
    for event in due.values():
        missed = isinstance(event, Missed) or (isinstance(event, Judged) and not event.met)
        style: Style = "missed" if missed else ""
        if isinstance(event, Judged):
            found.append(
                Line(
                    event.earliest, event.node, f"/ {event.what}: due from here", style, across=True
                )
            )
        found.append(
            Line(event.latest, event.node, f"\\ {event.what}: due until here", style, across=True)
        )
    return found


def _folded(events: Sequence[Event]) -> Iterator[_Repeated]:
    open_: dict[tuple[str, ...], _Repeated] = {}
    for event in filter(worth_a_line, events):
        if event.kind not in _REPEATED:
            yield from open_.values()
            open_.clear()
            yield _Repeated(event, event)
            continue
        topic = _topic(event)
        before = open_.get(topic)
        if before is not None and _said(before.first) != _said(event):
            yield before
            before = None
        open_[topic] = _again(before or _Repeated(event, event, 0), event)
    yield from open_.values()


def _topic(event: Event) -> tuple[str, ...]:
    """What it is about: a word on the same that is another word ends a repetition."""
    match event:
        case Advertisement():
            return event.node, event.kind, str(event.vrid)
        case Arp():
            return event.node, event.kind, event.sender, event.target
        case ConnectionChanged():
            return event.node, event.kind, event.client, event.server
    return event.node, event.kind


def _said(event: Event) -> Hashable:
    """Equal for events that say the same: a request's says whether it was answered, not how fast,
    nor by whom.
    """
    if isinstance(event, Request):
        return event.status == 200 or (event.status, event.error)
    return words(event)


def _again(before: _Repeated, event: Event) -> _Repeated:
    if isinstance(event, Request):
        servers = before.servers | ({event.server} if event.server else set())
        before = replace(before, servers=servers, slowest=max(before.slowest, event.latency))
    return replace(before, last=event, count=before.count + 1)


def _line(each: _Repeated) -> Line:
    event = each.first
    text = words(event)
    if each.count > 1:
        if isinstance(event, Request):
            answered = (
                ", ".join(sorted(each.servers))
                if event.status == 200
                else event.error or str(event.status)
            )
            after = "in" if event.status == 200 else "after"
            text = f"GET: {answered} {after} up to {duration(each.slowest)}"
        lasted = each.last.at - event.at
        text = f"{each.count} x {text}" + (
            f", over {duration(lasted)}" if lasted >= _WORTH_TELLING else ""
        )
    return Line(event.at, event.node, text, _style(event), across=event.kind in _ACROSS)


_WORTH_TELLING: Final = 0.001
"""Seconds that a repetition goes on; five gratuitous ARPs at once are at once."""


def _style(event: Event) -> Style:
    match event:
        case FaultChanged():
            return "fault"
        case Judged(met=False) | Missed():
            return "missed"
        case StateChanged(state="MASTER"):
            return "master"
    return ""
