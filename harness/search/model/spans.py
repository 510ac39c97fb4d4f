"""Spans of time, and what is done with many of them (pure)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

from harness.clock import Instant


@dataclass(frozen=True, order=True)
class Span:
    """From ``since`` until ``until``, both in seconds on the timeline."""

    since: Instant
    until: Instant

    @property
    def length(self) -> float:
        """In seconds; nothing has a negative one."""
        return max(0.0, self.until - self.since)

    def has(self, instant: Instant) -> bool:
        """Whether an instant lies in it, its ends included."""
        return self.since <= instant <= self.until

    def covers(self, other: Span) -> bool:
        """Whether all of another lies in it."""
        return self.since <= other.since and other.until <= self.until

    def meets(self, other: Span) -> bool:
        """Whether both share an instant."""
        return self.since <= other.until and other.since <= self.until


def joined(spans: Iterable[Span]) -> list[Span]:
    """The same time as the fewest spans, in order."""
    found: list[Span] = []
    for span in sorted(spans):
        if found and span.since <= found[-1].until:
            found[-1] = Span(found[-1].since, max(found[-1].until, span.until))
        else:
            found.append(span)
    return found


def without(spans: Iterable[Span], others: Iterable[Span]) -> list[Span]:
    """What is left of ``spans`` where none of ``others`` is."""
    left = list(spans)
    for other in others:
        parts: list[Span] = []
        for span in left:
            if not span.meets(other):
                parts.append(span)
                continue
            if span.since < other.since:
                parts.append(Span(span.since, other.since))
            if other.until < span.until:
                parts.append(Span(other.until, span.until))
        left = parts
    return left


def both(spans: Iterable[Span], others: Iterable[Span]) -> list[Span]:
    """The time that is in one of ``spans`` and in one of ``others``."""
    many = list(others)
    found = []
    for span in spans:
        for other in many:
            shared = Span(max(span.since, other.since), min(span.until, other.until))
            if shared.since <= shared.until:
                found.append(shared)
    return joined(found)


def cut(span: Span, others: Iterable[Span]) -> list[Span]:
    """A span in parts: cut wherever one of ``others`` begins or ends."""
    edges = {edge for other in others for edge in (other.since, other.until)}
    inside = sorted(edge for edge in edges if span.since < edge < span.until)
    return [Span(one, other) for one, other in pairwise([span.since, *inside, span.until])]


def any_meets(spans: Iterable[Span], other: Span) -> bool:
    """Whether one of them shares an instant with ``other``."""
    return any(span.meets(other) for span in spans)
