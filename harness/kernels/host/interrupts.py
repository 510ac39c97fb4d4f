"""What ends a command in order: the signals that ask for it, as an exception."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterable
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


def install_once() -> None:
    """From now on only the first Ctrl-C interrupts. The second one, as people press it, would
    interrupt the end that the first one has begun; the third ends the process at once.
    """
    _once((signal.SIGINT,), signal.default_int_handler, lambda number: KeyboardInterrupt())


def install() -> None:
    """From now on SIGTERM, SIGHUP and SIGQUIT raise :class:`Ended`, unless they are ignored, as
    under nohup.

    Only the first one does; the third ends the process at once. Elsewhere than in the main thread
    nothing changes.
    """
    _once(_ENDING, signal.SIG_DFL, Ended)


def _once(
    numbers: Iterable[int], usual: object, interruption: Callable[[int], BaseException]
) -> None:
    """Have only the first of these signals raise its ``interruption``, where they are handled as
    ``usual`` now.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    heard: list[int] = []

    def interrupt(number: int, frame: FrameType | None) -> None:
        heard.append(number)
        if len(heard) == 1:
            raise interruption(number)
        if len(heard) > _PATIENCE:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

    for number in numbers:
        if signal.getsignal(number) is usual:
            signal.signal(number, interrupt)
