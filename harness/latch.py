"""What one thread waits for and another brings about, though Ctrl-C may interrupt the waiting at
any moment.
"""

from __future__ import annotations

import threading
from contextlib import suppress


class Latch:
    """As :class:`threading.Event`, whose methods it has.

    That one is Python code around a lock. Where a signal interrupts the main thread just after it
    has taken that lock, the exception leaves without giving it back, and the other thread waits in
    ``set`` for ever. Here is one lock, which is open once the latch is set; to take it is a single
    step in C, which is interrupted before or not at all.
    """

    def __init__(self) -> None:
        self._closed = threading.Lock()
        self._closed.acquire()
        self._is_set = False

    def set(self) -> None:
        """Let everybody go on who waits, or will."""
        self._is_set = True
        with suppress(RuntimeError):  # it is open
            self._closed.release()

    def clear(self) -> None:
        """Have them wait again."""
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
