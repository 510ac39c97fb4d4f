"""What a scenario does, waits for and judges."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from harness.events.event import Event


@dataclass(frozen=True, kw_only=True)
class FaultChanged(Event):
    """A fault begins or ends."""

    kind = "fault"
    name: str
    action: Literal["injected", "healed"]


@dataclass(frozen=True, kw_only=True)
class Expected(Event):
    """A scenario begins to wait."""

    kind = "expected"
    what: str
    since: Annotated[float, "instant"]
    latest: Annotated[float, "instant"]


@dataclass(frozen=True, kw_only=True)
class Judged(Event):
    """A scenario has compared what it waited for with its window."""

    kind = "judged"
    what: str
    since: Annotated[float, "instant"]
    earliest: Annotated[float, "instant"]
    latest: Annotated[float, "instant"]
    measured: Annotated[float, "instant"]
    met: bool


@dataclass(frozen=True, kw_only=True)
class Missed(Event):
    """A scenario has waited in vain."""

    kind = "missed"
    what: str
    since: Annotated[float, "instant"]
    latest: Annotated[float, "instant at which it was due"]
