"""The caller's terminal and standard streams, as the program in the guest is to find them."""

from __future__ import annotations

import fcntl
import os
import queue
import stat
import termios
import threading
from collections.abc import Callable
from typing import Any

_RAW_INPUT = (
    termios.BRKINT | termios.ICRNL | termios.IGNCR | termios.INLCR | termios.INPCK | termios.ISTRIP
    | termios.IXON | termios.PARMRK
)  # fmt: skip
_RAW_LOCAL = termios.ECHO | termios.ECHONL | termios.ICANON | termios.IEXTEN | termios.ISIG


def streams() -> list[str]:
    """What the program's descriptors 0 to 2 are: "terminal", "data" (a pipe), "null", or "stdout"
    (the same pipe).
    """
    kinds = [_kind(descriptor) for descriptor in range(3)]
    if kinds[0] == "terminal" and not _in_foreground(kinds[1]):
        # Someone else reads the keyboard: a pager behind a pipe, or the shell if this is a
        # background job.
        kinds[0] = "null"
    if kinds[1] == kinds[2] == "data" and os.path.sameopenfile(1, 2):
        kinds[2] = "stdout"
    return kinds


def _kind(descriptor: int) -> str:
    try:
        status = os.fstat(descriptor)
    except OSError:
        return "null"
    if os.isatty(descriptor):
        return "terminal"
    is_null = stat.S_ISCHR(status.st_mode) and status.st_rdev == os.stat("/dev/null").st_rdev
    return "null" if is_null else "data"


def _in_foreground(stdout: str) -> bool:
    return stdout == "terminal" and os.tcgetpgrp(0) == os.getpgrp()


class Terminal:
    """The caller's terminal; while it is raw, every key goes to the guest, whose terminal makes
    signals of some.
    """

    def __init__(self, kinds: list[str]) -> None:
        self.descriptor = kinds.index("terminal")
        self.interactive = kinds[0] == "terminal"
        self.original: list[Any] = termios.tcgetattr(self.descriptor)
        self.raw = [*self.original[:6], list(self.original[6])]
        self.raw[0] &= ~_RAW_INPUT
        self.raw[1] &= ~termios.OPOST
        self.raw[3] &= ~_RAW_LOCAL
        self.raw[6][termios.VMIN], self.raw[6][termios.VTIME] = 1, 0

    def guest_attributes(self) -> list[Any]:
        """The attributes (as of ``termios.tcgetattr``) of the guest's terminal."""
        attributes = [*self.original[:6], list(self.original[6])]
        # Nothing in the guest could continue a program that was stopped by a key.
        attributes[6][termios.VSUSP] = b"\0"
        if not self.interactive:
            # This terminal stays as it is, and would see each line's end translated twice.
            attributes[1] &= ~termios.OPOST
        return attributes

    def size(self) -> bytes:
        """The window's size, as struct winsize."""
        return fcntl.ioctl(self.descriptor, termios.TIOCGWINSZ, bytes(8))

    def make_raw(self) -> None:
        """Hand the keyboard to the guest. Keys typed before stay typed."""
        if self.interactive:
            termios.tcsetattr(self.descriptor, termios.TCSANOW, self.raw)

    def restore(self) -> None:
        """Put the terminal back, once all output is on it."""
        if self.interactive:
            termios.tcsetattr(self.descriptor, termios.TCSADRAIN, self.original)


class Writer:
    """Writes to a descriptor from a thread, so that a slow reader stops neither signals nor the
    guest's clock.
    """

    _PIECES = 1024  # of at most 64 KiB each; more than that waits

    def __init__(self, descriptor: int, on_closed: Callable[[], None]) -> None:
        self._descriptor = descriptor
        self._on_closed = on_closed
        self._queue: queue.Queue[bytes] = queue.Queue(self._PIECES)
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def write(self, data: bytes) -> None:
        """Have ``data`` written."""
        self._queue.put(data)

    def finish(self) -> None:
        """Wait until all is written."""
        self._queue.put(b"")
        self._thread.join()

    def _work(self) -> None:
        is_open = True
        while data := self._queue.get():
            try:
                while data and is_open:
                    data = data[os.write(self._descriptor, data) :]
            except OSError:
                is_open = False
                self._on_closed()
