"""A prompt that two type at: somebody at the keyboard, and the buttons of a page."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import selectors
import signal
import sys
import termios
import tty
from collections.abc import Callable, Iterator
from types import FrameType

_END = b"\x04"


def shared(act: Callable[[], int], commands: int) -> int:
    """Call ``act`` in a fork that has a terminal of its own, and return its exit status.

    What is typed here is typed there, and so is each line that comes from ``commands``. In the fork
    this does not return, but returns what ``act`` does.
    """
    sys.stdout.flush()
    pid, terminal = pty.fork()
    if not pid:
        return act()
    try:
        with _raw_keyboard(), _same_size(terminal):
            _relay(terminal, commands)
    finally:
        os.close(terminal)  # hangs up, which ends the fork if it has not ended
        _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status) if os.WIFEXITED(status) else 128 + status % 128


def _relay(terminal: int, commands: int) -> None:
    with selectors.DefaultSelector() as selector:
        for source in (terminal, commands, 0):
            with contextlib.suppress(PermissionError):  # a regular file is read at once, or not
                selector.register(source, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                try:
                    data = os.read(key.fd, 4096)
                except OSError:  # the fork has ended
                    data = b""
                if key.fd == terminal:
                    if not data:
                        return
                    _write(1, data)
                elif data:
                    _write(terminal, data.replace(b"\n", b"\r") if key.fd == commands else data)
                else:
                    selector.unregister(key.fd)
                    if key.fd == 0:
                        _write(terminal, _END)


def _write(descriptor: int, data: bytes) -> None:
    with contextlib.suppress(OSError):
        while data:
            data = data[os.write(descriptor, data) :]


@contextlib.contextmanager
def _raw_keyboard() -> Iterator[None]:
    """Each key goes to the fork's terminal, which makes of it what it makes of keys."""
    if not os.isatty(0):
        yield
        return
    before = termios.tcgetattr(0)
    tty.setraw(0)
    try:
        yield
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)


@contextlib.contextmanager
def _same_size(terminal: int) -> Iterator[None]:
    """The fork's terminal has as many columns as this one, also when that changes."""

    def copy(number: int = 0, frame: FrameType | None = None) -> None:
        with contextlib.suppress(OSError):
            size = fcntl.ioctl(0, termios.TIOCGWINSZ, bytes(8))
            fcntl.ioctl(terminal, termios.TIOCSWINSZ, size)

    copy()
    before = signal.signal(signal.SIGWINCH, copy)
    try:
        yield
    finally:
        signal.signal(signal.SIGWINCH, before)
