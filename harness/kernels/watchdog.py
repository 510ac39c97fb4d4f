"""The host's watch over a guest in virtual time: whether its clock still moves."""

from __future__ import annotations

import time


class Watchdog:
    """Knows how long the guest may still go without progress. ``limit`` is in seconds of real time; 0 is for ever."""

    def __init__(self, limit: float) -> None:
        self.limit = limit
        self._due: float | None = None

    def feed(self) -> None:
        """The guest makes progress, or can from now on."""
        self._due = time.monotonic() + self.limit if self.limit else None

    def suspend(self) -> None:
        """The guest is not meant to make progress until the next :meth:`feed`."""
        self._due = None

    def left(self) -> float | None:
        """How long may still be waited; None is for ever."""
        return None if self._due is None else max(0.0, self._due - time.monotonic())
