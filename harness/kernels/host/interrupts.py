"""What ends a command in order: the signals that ask for it, as an exception."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Final

INTERRUPTED: Final = 130
"""The exit status of a command that was interrupted, whichever signal did it."""

_ENDING = (signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
_PATIENCE = 2
"""So many signals are one interruption: ``timeout`` and a closed terminal send each twice, to us
and to our group.
"""


class Ended(KeyboardInterrupt):
    """Somebody has asked this process to end: as by Ctrl-C, and ``number`` is the signal."""

    def __init__(self, number: int) -> None:
        super().__init__(f"ended by {signal.Signals(number).name}")
        self.number = number


def install() -> None:
    """From now on SIGTERM, SIGHUP and SIGQUIT raise :class:`Ended`, unless they are ignored, as
    under nohup.

    Only the first one does; the third ends the process at once. Elsewhere than in the main thread
    nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    heard: list[int] = []

    def interrupt(number: int, frame: FrameType | None) -> None:
        heard.append(number)
        if len(heard) == 1:
            raise Ended(number)
        if len(heard) > _PATIENCE:
            _end_at_once(number)

    for number in _ENDING:
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, interrupt)


def begin_end() -> Callable[[], None]:
    """Ctrl-C has begun the end. A second one, as people press it, is not to interrupt that, and
    the third ends the process at once; until what is returned is called.
    """
    on_main_thread = threading.current_thread() is threading.main_thread()
    if not on_main_thread or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
        return lambda: None
    heard: list[int] = []

    def wait(number: int, frame: FrameType | None) -> None:
        heard.append(number)
        if len(heard) >= _PATIENCE:
            _end_at_once(number)

    signal.signal(signal.SIGINT, wait)

    def restore() -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)

    return restore


def _end_at_once(number: int) -> None:
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
