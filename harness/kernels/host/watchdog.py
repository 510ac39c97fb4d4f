"""The host's watch over a guest in virtual time: whether its clock still moves."""

from __future__ import annotations

import argparse
import contextlib
import os
import time
from enum import Enum, auto
from pathlib import Path

WATCHDOG = 30
"""The limit unless another is given, in seconds."""

PROCESSOR_LIMIT = 5
"""Seconds of processor that a keepalived may take to read its configuration, in any time."""

LONGEST = 86_400
"""A day: whoever means longer means never, which is 0."""

_PATIENCE = 10
"""How many limits a guest may go without progress that does not get the processor."""


def limit(text: str) -> float:
    """The limit that an option gives, as argparse's ``type``: 0 (never), or at least one second and
    at most a day.
    """
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1
    if seconds != 0 and not 1 <= seconds <= LONGEST:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no limit: give seconds, 1 to {LONGEST}, or 0 for never"
        )
    return seconds


_RELIEFS = 5
"""How often what computes is ended while the guest makes no progress. A daemon starts a child that
has died anew, and that computes as well, until it waits before it tries once more.
"""

_GRACE = 5.0
"""Seconds that a step has to help at the least, before the next one is taken."""


class Step(Enum):
    """What is done with a guest whose time does not move, one after the other until it does."""

    END_LIMITED = auto()
    """End what was started with a limit to its processor time, and computes: virtual time does not
    count that.
    """
    END_SPINNING = auto()
    """End any process that computes; if that is the program alone, its scenario."""
    INTERRUPT = auto()
    """Have the program say where it is, and end in order."""
    GIVE_UP = auto()


class Watchdog:
    """Knows how long the guest may still go without progress. ``limit`` is in seconds of real time;
    0 is for ever.

    A guest that computes for ever takes the processor. One that hardly gets it, because others do,
    is given more time: what has to be over is the limit, and a quarter of it with the processor.
    """

    def __init__(self, limit: float, guard: int, *, gradually: bool = False) -> None:
        """``guard``: the process below which the guest's are. ``gradually``: :meth:`take_step` is
        called each time.
        """
        self.limit, self._guard = limit, guard
        self._limited = self._spoken = False
        self._steps = _steps(limit) if gradually else [(Step.GIVE_UP, limit)]
        self._step = 0
        self._reliefs = 0
        self._wait = limit
        self._fed = 0.0
        self._due: float | None = None
        self._worked: float | None = None

    def feed(self) -> None:
        """The guest makes progress, or can from now on."""
        self._step = self._reliefs = 0
        self._spoken = False
        self._begin()

    def set_limited(self, limited: bool) -> None:
        """Whether the guest runs anything whose processor time is limited.

        That has its time from now on, unless a step has disturbed the guest already.
        """
        self._limited = limited
        if limited and not self._spoken and self._due is not None:
            self._step = 0
            self._begin()

    def relieved(self) -> None:
        """What computed was ended: what does so next is another process, which is told and ended as
        well.
        """
        self._reliefs += 1
        if self._reliefs < _RELIEFS:
            self._step = 0
            self._begin()

    def take_step(self) -> Step | None:
        """What is to be done now that its time is over; it has the next step's time for that to
        help.

        None is nothing yet: each step speaks to the guest, whose scheduler then has its processes
        run in another order, and that shows in what is measured. A run that collects its scenarios
        makes no progress either, and on a slow machine that takes as long as the first step waits.
        """
        step, _ = self._steps[self._step]
        self._step = min(self._step + 1, len(self._steps) - 1)
        self._begin()
        if step is Step.END_LIMITED and not self._limited:
            return None
        self._spoken = True
        return step

    def _share(self) -> float:
        """How much of its time it must have had the processor, since the first half was over.

        The first step is for what computes for ever, and not for what reads its configuration
        slowly because others have the processor.
        """
        return 0.9 if self._steps[self._step][0] is Step.END_LIMITED else 0.25

    @property
    def stepping(self) -> bool:
        """Whether a step has been taken, and has not helped yet."""
        return self._spoken

    def _begin(self) -> None:
        _, self._wait = self._steps[self._step]
        self._fed = time.monotonic()
        self._due = self._fed + self._wait / 2 if self.limit else None
        self._worked = None

    def suspend(self) -> None:
        """The guest is not meant to make progress until the next :meth:`feed`."""
        self._due = None

    def left(self) -> float | None:
        """How long may be waited until :meth:`expired` is to be asked; None is for ever."""
        return None if self._due is None else max(0.0, self._due - time.monotonic())

    def expired(self) -> bool:
        """Whether the guest has had its time; asked when nothing is :meth:`left`."""
        now, worked = time.monotonic(), processor_time(self._guard)
        if self._worked is None:  # half of the limit is over
            self._worked = worked
        elif (
            worked - self._worked >= self._share() * self._wait
            or now - self._fed >= _PATIENCE * self._wait
        ):
            return True
        self._due = now + self._wait / 2
        return False


def _steps(limit: float) -> list[tuple[Step, float]]:
    """Each step, and the seconds without progress before it.

    A scenario that was ended has its failure told, and the last one is followed by the report,
    which takes seconds on a busy machine and no virtual time: the program has the limit again, up
    to the usual one, before it is interrupted.
    """
    last = [(Step.INTERRUPT, max(_GRACE, min(limit, WATCHDOG))), (Step.GIVE_UP, _GRACE)]
    if limit <= PROCESSOR_LIMIT:
        return [(Step.END_SPINNING, limit), *last]
    return [
        (Step.END_LIMITED, PROCESSOR_LIMIT),
        (Step.END_SPINNING, limit - PROCESSOR_LIMIT),
        *last,
    ]


def processor_time(process: int) -> float:
    """Seconds of processor that a process and all below it have had (proc_pid_stat(5)); those that
    have ended are their parents' and count too.
    """
    parents, ticks = {}, {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has just ended
            fields = (
                path.read_bytes().rpartition(b")")[2].split()
            )  # before it is a name, in any encoding or none
            parents[path.parent.name], ticks[path.parent.name] = (
                fields[1].decode(),
                sum(map(int, fields[11:15])),
            )
    total, below = 0, {str(process)}
    while below:
        total += sum(ticks.get(each, 0) for each in below)
        below = {child for child, parent in parents.items() if parent in below}
    return total / os.sysconf("SC_CLK_TCK")
