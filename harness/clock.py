"""The one place that reads time: instants, windows, and the clock that every machine of a cluster
shares.

An *instant* is a number of seconds on ``CLOCK_MONOTONIC``, which all network namespaces of a kernel
share and no operator or NTP daemon steps. The kernel stamps frames with ``CLOCK_REALTIME``;
:func:`from_realtime` converts.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

Instant = float

_COARSE = 6
"""CLOCK_MONOTONIC_COARSE, which advances at each tick (``linux/time.h``)."""


def now() -> Instant:
    """The present instant, in seconds."""
    return time.monotonic_ns() / 1e9


def await_multiple(seconds: float) -> None:
    """Wait until the clock shows a whole multiple of ``seconds``."""
    time.sleep(seconds - time.monotonic() % seconds)


def let_others_act() -> None:
    """Let every other process do what it can do at this instant, where time is virtual.

    In virtual time a process goes on until it waits for something. Others that are ready run only
    then, and later by each reading of the clock.
    """
    time.sleep(0.001)


def realtime_ahead() -> int:
    """How many nanoseconds ``CLOCK_REALTIME`` is ahead of the clock of instants now."""
    return time.time_ns() - time.monotonic_ns()


def from_realtime(stamp: int, ahead: int) -> Instant:
    """The instant of a kernel time stamp, which is in nanoseconds of ``CLOCK_REALTIME``.

    ``ahead`` is what :func:`realtime_ahead` returns. A caller with many stamps asks for it once: in
    the embedded kernel every reading of a clock is a system call.
    """
    return (stamp - ahead) / 1e9


def to_realtime(instant: Instant) -> int:
    """The kernel's time stamp of an instant, in nanoseconds of ``CLOCK_REALTIME``."""
    return round(instant * 1e9) + realtime_ahead()


def tick() -> float:
    """How many seconds there are between two ticks of this kernel's clock (1/CONFIG_HZ)."""
    return time.clock_getres(_COARSE)


def milliseconds(seconds: float) -> str:
    """A time in milliseconds, to the microsecond where it is short."""
    return f"{seconds * 1000:.3f}" if abs(seconds) < 0.01 else f"{seconds * 1000:.1f}"


def duration(seconds: float) -> str:
    """A time with its unit, see :func:`milliseconds`."""
    return f"{milliseconds(seconds)} ms"


@dataclass(frozen=True)
class Window:
    """When something is due: from ``earliest`` to ``latest``, in seconds.

    Too early is as wrong as too late.
    """

    earliest: float
    latest: float

    def __post_init__(self) -> None:
        if self.earliest > self.latest:
            raise ValueError(
                f"a window cannot end ({self.latest} s) before it begins ({self.earliest} s)"
            )

    @classmethod
    def exactly(cls, seconds: float) -> Window:
        """The window of something that is due at one instant."""
        return cls(seconds, seconds)

    def __contains__(self, seconds: float) -> bool:
        return self.earliest <= seconds <= self.latest

    def __add__(self, other: Window) -> Window:
        """The window of two things that happen one after the other."""
        return Window(self.earliest + other.earliest, self.latest + other.latest)

    def with_slack(self, seconds: float) -> Window:
        """The window for a clock that may be wrong by up to ``seconds``, at either end."""
        return Window(self.earliest - seconds, self.latest + seconds)

    def __str__(self) -> str:
        return f"{self.earliest:.3f} s to {self.latest:.3f} s"
