"""How things stood at an instant of a timeline, which tells only what changed. Pure."""

from __future__ import annotations

from typing import Any

from harness.clock import Instant
from harness.events import AddressChanged, Event, Link, class_of
from harness.timeline import EVER, Timeline

_STANDING = {
    "power": (),
    "link": ("interface",),
    "address": ("address", "interface"),
    "route": ("destination", "table", "metric"),
    "rule": ("preference", "source", "table"),
    "daemon": ("name",),
    "state": ("instance",),
    "service": ("service",),
    "destination": ("service", "address"),
}
"""The kinds of events that say how things are from then on, and the details that say of what."""

_GONE_WITH_A_MACHINE = ("state", "address", "route", "rule", "service", "destination")
"""The kinds of which nothing holds any more once a machine is off; without a daemon, its state."""


def standing(timeline: Timeline, at: Instant) -> list[Event]:
    """What held at an instant: the last word on each thing that a timeline tells of.

    A scenario that shares its cluster with others finds VIPs owned and tables full, which none of
    its events says.
    """
    last: dict[tuple[Any, ...], Event] = {}
    for event in timeline.events(*map(class_of, _STANDING), since=EVER, until=at):
        names = _STANDING[event.kind]
        last[event.node, event.kind, *(getattr(event, name) for name in names)] = event
        if getattr(event, "action", None) in ("off", "ended"):
            gone = _GONE_WITH_A_MACHINE if event.kind == "power" else ("state",)
            for key in [key for key in last if key[0] == event.node and key[1] in gone]:
                del last[key]
    present = [event for event in last.values() if getattr(event, "action", None) != "removed"]
    return sorted(present, key=lambda event: event.at)


def addresses(held: list[Event], node: str) -> str:
    """A node's interfaces with their addresses, a line each, of what held."""
    lines = []
    for link in (event for event in held if isinstance(event, Link) and event.node == node):
        on_it = [
            e
            for e in held
            if isinstance(e, AddressChanged) and e.node == node and e.interface == link.interface
        ]
        words = [
            link.interface,
            "up" if link.up else "down",
            *(f"{event.address}/{event.prefix}" for event in on_it),
        ]
        lines.append(" ".join(words) + "\n")
    return "".join(lines)
