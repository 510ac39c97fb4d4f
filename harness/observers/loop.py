"""The thread in which all observers live: one selector, timers, no polling."""

from __future__ import annotations

import contextlib
import heapq
import itertools
import os
import selectors
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, TypeVar

from harness.clock import Instant, now
from harness.errors import HarnessError
from harness.latch import Latch

T = TypeVar("T")

SWITCH_INTERVAL = 0.0005
STALL = 0.05
"""Seconds by which a timer is late when the machine counts as starved: from when to when is kept as
``stalls``.
"""


class Loop:
    """Calls back when file descriptors become readable or writable, and at instants (see
    :mod:`harness.clock`).
    """

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._timers: list[tuple[Instant, int, Callable[[], None]]] = []
        self._order = itertools.count()
        self._handed: deque[Callable[[], None]] = deque()
        self._wake = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._selector.register(self._wake, selectors.EVENT_READ, self._take_handed)
        self._stopping = False
        self._open = threading.Lock()  # held while the wake-up's descriptor is used or closed
        self._closed = False
        self.failure: BaseException | None = None
        self.stalls: list[tuple[Instant, Instant]] = []
        self._thread = threading.Thread(target=self._run, name="observers", daemon=True)

    def start(self) -> None:
        """Begin. Threads from now on yield the interpreter after half a millisecond: an event is
        stamped when read.
        """
        sys.setswitchinterval(SWITCH_INTERVAL)
        self._thread.start()

    def stop(self) -> None:
        """End the thread and close what is left; raises what went wrong in an observer, if anything
        did.
        """
        self.hand(self._stop)
        self._thread.join()
        self._selector.close()
        with self._open:
            self._closed = True
            os.close(self._wake)
        self.check()

    def check(self) -> None:
        """Raise what an observer raised: a recorder that broke must not look like a quiet
        network.
        """
        if isinstance(self.failure, (HarnessError, OSError)):
            raise HarnessError(
                f"recording stopped, so the timeline is not complete: {self.failure}"
            )
        if self.failure is not None:
            raise RuntimeError(
                "an observer failed, so the timeline is not complete"
            ) from self.failure

    def hand(self, work: Callable[[], None]) -> None:
        """Have something done in the loop's thread, soon; from any thread. Not once it has
        ended.
        """
        with self._open:
            if not self._closed:
                self._handed.append(work)
                os.eventfd_write(self._wake, 1)

    def do(self, work: Callable[[], T], *, though_failed: bool = False) -> T:
        """Have something done in the loop's thread, wait for it, and return or raise what it did.

        A loop that has failed raises that instead, unless the work is to be done all the same
        (``though_failed``).
        """
        if threading.current_thread() is self._thread:
            return work()
        done = Latch()
        outcome: list[Any] = []

        def carry_out() -> None:
            try:
                outcome.append(work())
            except BaseException as problem:
                outcome.extend((None, problem))
            done.set()

        if not though_failed:
            self.check()
        if self._closed:
            raise RuntimeError("the observers have been stopped")
        self.hand(carry_out)
        if self.failure is not None:  # which may have been since the check
            self._do_handed()
        done.wait()
        if len(outcome) == 2:
            raise outcome[1]
        result: T = outcome[0]
        return result

    def watch(
        self, fd: int, callback: Callable[[], None], events: int = selectors.EVENT_READ
    ) -> None:
        """Call back whenever ``fd`` is ready (loop thread only)."""
        self._selector.register(fd, events, callback)

    def rewatch(self, fd: int, callback: Callable[[], None], events: int) -> None:
        """Wait for something else on ``fd`` (loop thread only)."""
        self._selector.modify(fd, events, callback)

    def unwatch(self, fd: int) -> None:
        """Forget ``fd``, if it is still watched (loop thread only)."""
        with contextlib.suppress(KeyError):
            self._selector.unregister(fd)

    def at(self, instant: Instant, callback: Callable[[], None]) -> None:
        """Call back at an instant (loop thread only)."""
        heapq.heappush(self._timers, (instant, next(self._order), callback))

    def _stop(self) -> None:
        self._stopping = True

    def _take_handed(self) -> None:
        os.eventfd_read(self._wake)
        self._do_handed()

    def _do_handed(self) -> None:
        while True:
            try:
                work = self._handed.popleft()
            except IndexError:  # two threads may be at it
                return
            work()

    def _run(self) -> None:
        # Python acts on an interrupt in the main thread, but not at once if this one is given it.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            while not self._stopping:
                for key, _ in self._selector.select(self._until_next_timer()):
                    if (
                        self._selector.get_map().get(key.fd) == key
                    ):  # a callback before it may have closed it
                        key.data()
                while self._timers and self._timers[0][0] <= (moment := now()):
                    due, _, callback = heapq.heappop(self._timers)
                    if moment - due > STALL:
                        self.stalls.append((due, moment))
                    callback()
        except BaseException as problem:
            self.failure = problem
            self._do_handed()  # nobody may wait for ever for a loop that is gone

    def _until_next_timer(self) -> float | None:
        return max(0.0, self._timers[0][0] - now()) if self._timers else None
