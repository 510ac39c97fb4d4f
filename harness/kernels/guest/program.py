"""What makes an interpreter fit to run a program in virtual time; imported by the program, before
it starts.
"""

from __future__ import annotations

import builtins
import faulthandler
import io
import os
import select
import signal
import sys
from typing import TYPE_CHECKING

from harness.kernels.calls import linux
from harness.kernels.guest.standstill import CHANNEL, GOING_ON, WAITING

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


def prepare() -> None:
    """Have time stand still while this program waits for input, and its stack shown when SIGUSR1
    asks for it.

    The kernel may end a sleep up to 50 µs late, together with another timer if there is one.
    Whether there is depends on what ran before, so this program's sleeps are exact: clusters and
    scenarios begin at whole multiples of a tenth.
    """
    linux.prctl(linux.PR_SET_TIMERSLACK, 1)
    os.set_inheritable(CHANNEL, False)
    faulthandler.register(signal.SIGUSR1, file=os.dup(2))
    plain = sys.stdin
    keyboard = io.BufferedReader(_Keyboard(plain.fileno(), closefd=False))
    sys.stdin = io.TextIOWrapper(keyboard, plain.encoding, plain.errors, line_buffering=True)
    builtins.input = _input


def wait() -> None:
    """From now on virtual time stands still whenever nothing but input can make this program go
    on.
    """
    os.write(CHANNEL, WAITING)


def go_on() -> None:
    """There is work again."""
    os.write(CHANNEL, GOING_ON)


_plain_input = builtins.input


# Ctrl-C may come at any call of a function of Python's, so these call none between ``try`` and
# ``finally``: whoever has said that it waits, and does not take it back, has time stand still for
# ever.


def _input(prompt: object = "", /) -> str:
    try:
        os.write(CHANNEL, WAITING)
        return _plain_input(prompt)  # on a terminal the C library reads, past sys.stdin
    finally:
        os.write(CHANNEL, GOING_ON)


class _Keyboard(io.FileIO):
    """Standard input, announcing reads that have to wait."""

    def readinto(self, buffer: WriteableBuffer, /) -> int | None:
        if select.select([self], [], [], 0)[0]:
            return super().readinto(buffer)
        try:
            os.write(CHANNEL, WAITING)
            return super().readinto(buffer)
        finally:
            os.write(CHANNEL, GOING_ON)

    def readall(self) -> bytes:
        try:
            os.write(CHANNEL, WAITING)
            return super().readall()
        finally:
            os.write(CHANNEL, GOING_ON)
