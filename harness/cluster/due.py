"""What is due, and whether it was on time: recorded where a scenario waits and judges, so that it can be drawn."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import CodeType, FrameType

from harness.clock import Instant, Window
from harness.events import Event, Expected, Judged, Missed, Value
from harness.timeline import Timeline, TooLate

_SAME = 1e-9
_CALLERS = 12  # from a comparison to the statement that made it: a generator, a helper of the scenario's

Place = tuple[CodeType, int]
"""A line of a function."""


@dataclass(frozen=True)
class Comparison:
    """A measured time was compared with its window: whether it was ``met``, and by which lines, innermost first."""

    met: bool
    places: tuple[Place, ...]

    def was_made_by(self, code: CodeType, first: int, last: int) -> bool:
        """Whether a statement made it: the lines from ``first`` to ``last`` of a function."""
        return any(where is code and first <= line <= last for where, line in self.places)


@dataclass(frozen=True)
class Due(Window):
    """A window that tells what it was asked: ``seconds in due`` calls ``tell`` with the seconds and the answer."""

    tell: Callable[[float, bool], None] = field(repr=False, compare=False, kw_only=True)

    def __contains__(self, seconds: float) -> bool:
        met = super().__contains__(seconds)
        self.tell(seconds, met)
        return met


class Expectations:
    """Records ``expected`` when a wait begins, and ``judged`` when what came of it is compared with its window."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._waits: list[tuple[str, str, Instant, Instant]] = []
        self.comparisons: list[Comparison] = []

    def begin_scenario(self) -> None:
        """Forget what the scenarios before have compared."""
        self.comparisons = []

    def wait_for(
        self, what: str, kind: type[Event], node: str, since: Instant, until: float, slack: float, **details: Value
    ) -> float:
        """Wait for the first event that fits; returns how long after ``since``, in seconds.

        ``what`` says it in words. TooLate is raised ``slack`` seconds after the latest, ``until`` seconds after
        ``since``.
        """
        began, latest = round(since, 9), round(since + until, 9)
        self._timeline.record(Expected(self._timeline.now(), node, what=what, since=began, latest=latest))
        try:
            event = self._timeline.wait_for(kind, node=node, since=since, until=since + until + slack, **details)
        except TooLate:
            self._timeline.record(Missed(self._timeline.now(), node, what=what, since=began, latest=latest))
            raise TooLate(f"{node} {what}: due within {until:.3f} s, and it has not") from None
        self._waits.append((node, what, since, event.at))
        return event.at - since

    def within(self, window: Window) -> Due:
        """The window, which records what is compared with it."""

        def tell(seconds: float, met: bool) -> None:
            self._note(met)
            for node, what, since, at in reversed(self._waits):
                for start in (since, 0.0):  # measured from the beginning of the wait, or on the timeline itself
                    if abs(start + seconds - at) < _SAME:
                        self._timeline.record(
                            Judged(
                                self._timeline.now(),
                                node,
                                what=what,
                                since=round(since, 9),
                                earliest=round(start + window.earliest, 9),
                                latest=round(start + window.latest, 9),
                                measured=at,
                                met=met,
                            )
                        )
                        return

        return Due(window.earliest, window.latest, tell=tell)

    def on_time(self, times: Sequence[float], expected: Sequence[float], slack: float) -> bool:
        """Whether there are as many times as expected, and each is the expected one, ``slack`` seconds more or less."""
        met = len(times) == len(expected) and all(
            time in Window.exactly(due).with_slack(slack) for time, due in zip(times, expected, strict=True)
        )
        self._note(met)
        return met

    def _note(self, met: bool) -> None:
        """Keep who compares, so that an assertion about time can be told from others when it fails."""
        places: list[Place] = []
        frame: FrameType | None = sys._getframe(1)
        while frame is not None and len(places) < _CALLERS:
            places.append((frame.f_code, frame.f_lineno))
            frame = frame.f_back
        self.comparisons.append(Comparison(met, tuple(places)))
