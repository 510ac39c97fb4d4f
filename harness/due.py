"""What is due, and whether it was on time: recorded where a scenario waits and judges, so that it
can be drawn.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from types import CodeType, FrameType

from harness.clock import Instant, Window, duration, milliseconds
from harness.events import Event, Expected, Judged, Missed, Value
from harness.timeline import Timeline, TooLate

# from a comparison to the statement that made it: a generator, a helper of the scenario's
_CALLERS = 14

Place = tuple[CodeType, int]
"""A line of a function."""


@dataclass(frozen=True)
class Comparison:
    """A measured time was compared with its window: whether it was ``met``, and by which lines,
    innermost first.
    """

    met: bool
    places: tuple[Place, ...]

    def was_made_by(self, code: CodeType, first: int, last: int) -> bool:
        """Whether a statement made it: the lines from ``first`` to ``last`` of a function."""
        return any(where is code and first <= line <= last for where, line in self.places)


@dataclass(frozen=True)
class Due(Window):
    """A window that notes what was compared with it: ``seconds in due`` calls ``note`` with the
    answer.
    """

    note: Callable[[bool], None] = field(repr=False, compare=False, kw_only=True)

    def __contains__(self, seconds: float) -> bool:
        met = super().__contains__(seconds)
        self.note(met)
        return met


@dataclass(frozen=True)
class Verdict:
    """Whether something was on time: true or false, and in words, which pytest shows where it was
    not.
    """

    judged: Judged

    def __bool__(self) -> bool:
        return self.judged.met

    def __repr__(self) -> str:
        return f"{self.judged.node} {judged_in_words(self.judged)}"


def judged_in_words(event: Judged) -> str:
    """What was judged, for whoever knows on which node."""
    since = event.since
    verdict = "in" if event.met else "NOT IN"
    return (
        f"{event.what} after {duration(event.measured - since)}: {verdict}"
        f" {milliseconds(event.earliest - since)} to {duration(event.latest - since)}"
    )


class Took(float):
    """How many seconds something took, as a wait returns it: a number that knows what it measured.

    ``node`` did ``what`` at the instant ``at``, which is so many seconds after ``since``.
    """

    node: str
    what: str
    since: Instant
    at: Instant

    _judge: Callable[[Took, Window, Instant], Verdict]

    @classmethod
    def measured(
        cls,
        expected: Expected,
        since: Instant,
        at: Instant,
        judge: Callable[[Took, Window, Instant], Verdict],
    ) -> Took:
        """What was ``expected`` has happened ``at`` this instant; ``judge`` compares it with a
        window.
        """
        took = cls(at - since)
        took.node, took.what, took.since, took.at = expected.node, expected.what, since, at
        took._judge = judge
        return took

    def within(self, due: Window) -> Verdict:
        """Whether it took so long, by this machine's clock; the answer is on the timeline and in
        the report.
        """
        return self._judge(self, due, self.since)

    def happened_within(self, due: Window) -> Verdict:
        """The same where the window is of instants: ``took.happened_within(candidate + due)``."""
        return self._judge(self, due, 0.0)


class Expectations:
    """Records ``expected`` when a wait begins, and ``judged`` when what came of it is compared with
    its window.
    """

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self.comparisons: list[Comparison] = []

    def begin_scenario(self) -> None:
        """Forget what the scenarios before have compared."""
        self.comparisons = []

    def wait_for(
        self,
        what: str,
        kind: type[Event],
        node: str,
        since: Instant,
        until: float,
        slack: float,
        **details: Value,
    ) -> Took:
        """Wait for the first event that fits; returns how long after ``since``, in seconds.

        ``what`` says it in words. TooLate is raised ``slack`` seconds after the latest, ``until``
        seconds after ``since``.
        """
        began, latest = round(since, 9), round(since + until, 9)
        expected = Expected(self._timeline.now(), node, what=what, since=began, latest=latest)
        self._timeline.record(expected)
        try:
            event = self._timeline.wait_for(
                kind, node=node, since=since, until=since + until + slack, **details
            )
        except TooLate:
            self._timeline.record(
                Missed(self._timeline.now(), node, what=what, since=began, latest=latest)
            )
            raise TooLate(f"{node} {what}: due within {until:.3f} s, and it has not") from None

        def judge(took: Took, due: Window, start: Instant) -> Verdict:
            return self._judge(took, due.with_slack(slack), start)

        return Took.measured(expected, since, event.at, judge)

    def _judge(self, took: Took, window: Window, start: Instant) -> Verdict:
        """Whether it happened in a window that begins to count at ``start``."""
        met = took.at - start in window
        self.note(met)
        judged = Judged(
            self._timeline.now(),
            took.node,
            what=took.what,
            since=round(took.since, 9),
            earliest=round(start + window.earliest, 9),
            latest=round(start + window.latest, 9),
            measured=took.at,
            met=met,
        )
        return Verdict(self._timeline.record(judged))

    def within(self, window: Window) -> Due:
        """The window, which notes what is compared with it."""
        return Due(window.earliest, window.latest, note=self.note)

    def on_time(self, times: Sequence[float], expected: Sequence[float], slack: float) -> bool:
        """Whether there are as many times as expected, and each is the expected one, ``slack``
        seconds more or less.
        """
        met = len(times) == len(expected) and all(
            time in Window.exactly(due).with_slack(slack)
            for time, due in zip(times, expected, strict=True)
        )
        self.note(met)
        return met

    def note(self, met: bool) -> None:
        """Keep who compares, so that an assertion about time can be told from others when it
        fails.
        """
        places: list[Place] = []
        frame: FrameType | None = sys._getframe(1)
        while frame is not None and len(places) < _CALLERS:
            places.append((frame.f_code, frame.f_lineno))
            frame = frame.f_back
        self.comparisons.append(Comparison(met, tuple(places)))
