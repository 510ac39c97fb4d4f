"""Frames on a timeline, where each machine that received one has an event of its own: one of them
all. Pure.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from typing import Final

from harness.events import Advertisement, Arp, Event, Ndp

FLIGHT: Final = 2.0
"""Seconds within which a frame arrives, if it does at all."""


@dataclass
class Told:
    """An event, and of a frame that was sent the machines that received it."""

    event: Event
    heard: list[str] = field(default_factory=list)

    @property
    def heard_by(self) -> tuple[str, ...]:
        """The machines that received it."""
        return tuple(self.heard)


def told(events: Sequence[Event]) -> list[Told]:
    """The events in order; one that says that a frame was received is left out where the sender's
    is there.
    """
    sent: dict[Hashable, list[Told]] = defaultdict(list)
    found = []
    ordered = sorted(events, key=lambda event: (event.at, not event.details.get("sent", True)))
    for event in ordered:
        if not isinstance(event, Advertisement | Arp | Ndp):
            found.append(Told(event))
        elif event.sent:
            found.append(Told(event))
            sent[_frame(event)].append(found[-1])
        elif not _delivered(event, sent[_frame(event)]):
            found.append(Told(event))
    return found


def _frame(event: Event) -> Hashable:
    """The same for all events of equal frames."""
    details = {
        name: value for name, value in event.details.items() if name not in ("sent", "interface")
    }
    return event.kind, tuple(details.items())


def _delivered(event: Event, candidates: list[Told]) -> bool:
    """Whether it is the arrival of one of these, of which the oldest counts that its machine has
    not received yet.
    """
    for sent in candidates:
        if (
            event.at - sent.event.at <= FLIGHT
            and event.node not in sent.heard
            and event.node != sent.event.node
        ):
            sent.heard.append(event.node)
            return True
    return False
