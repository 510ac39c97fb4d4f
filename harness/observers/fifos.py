"""What programs in a machine write into a FIFO, line by line, at the instant at which it was
written.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from harness.observers.loop import Loop


class FifoObserver:
    """Reads lines from a descriptor that gives what there is without waiting, and owns it."""

    def __init__(self, loop: Loop, fd: int, on_line: Callable[[str], None]) -> None:
        self._loop, self._fd, self._on_line = loop, fd, on_line
        self._rest = b""
        loop.do(lambda: loop.watch(fd, self.read))

    def read(self) -> None:
        """Take all that has been written (loop thread only)."""
        while True:
            try:
                data = os.read(self._fd, 1 << 16)
            except BlockingIOError:
                return
            *lines, self._rest = (self._rest + data).split(b"\n")
            for line in lines:
                self._on_line(line.decode(errors="replace"))

    def close(self) -> None:
        """Take what there still is, and stop (loop thread only)."""
        self.read()
        self._loop.unwatch(self._fd)
        os.close(self._fd)
