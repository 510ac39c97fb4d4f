"""A latch: one thread waits for it and another sets it. Ctrl-C may interrupt the wait at any
moment.
"""

from __future__ import annotations

import threading
from contextlib import suppress


class Latch:
    """As :class:`threading.Event`, with the same methods.

    ``threading.Event`` is Python code around a lock. If a signal interrupts the main thread just
    after it has taken that lock, the exception leaves the lock taken, and the other thread waits in
    ``set`` for ever. A latch is one lock, which is open once the latch is set. Taking it is one
    step in C, which a signal interrupts before or not at all.
    """

    def __init__(self) -> None:
        self._closed = threading.Lock()
        self._closed.acquire()
        self._is_set = False

    def set(self) -> None:
        """Wake every thread that waits, and let later ones pass."""
        self._is_set = True
        with suppress(RuntimeError):  # it is open
            self._closed.release()

    def clear(self) -> None:
        """Make threads wait again."""
        self._is_set = False
        self._closed.acquire(blocking=False)

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it is set, for at most ``timeout`` seconds (None: for ever); returns whether
        it is.
        """
        if not self._is_set and self._closed.acquire(
            timeout=-1 if timeout is None else max(0.0, timeout)
        ):
            self.set()  # there may be others
        return self._is_set
