"""What makes an interpreter fit to run a program in virtual time; imported by the program, before it starts."""

from __future__ import annotations

import builtins
import faulthandler
import io
import os
import select
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from harness.kernels.standstill import CHANNEL, GOING_ON, WAITING

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer


def prepare() -> None:
    """Have time stand still while this program waits for input, and its stack shown when SIGUSR1 asks for it."""
    os.set_inheritable(CHANNEL, False)
    faulthandler.register(signal.SIGUSR1, file=os.dup(2))
    plain = sys.stdin
    keyboard = io.BufferedReader(_Keyboard(plain.fileno(), closefd=False))
    sys.stdin = io.TextIOWrapper(keyboard, plain.encoding, plain.errors, line_buffering=True)
    builtins.input = _input


@contextmanager
def waiting() -> Iterator[None]:
    """Virtual time stands still inside the block: for whoever waits for a person without reading ``sys.stdin``."""
    wait()
    try:
        yield
    finally:
        go_on()


def wait() -> None:
    """From now on virtual time stands still whenever nothing but input can make this program go on."""
    os.write(CHANNEL, WAITING)


def go_on() -> None:
    """There is work again."""
    os.write(CHANNEL, GOING_ON)


_plain_input = builtins.input


def _input(prompt: object = "", /) -> str:
    with waiting():  # On a terminal the C library reads, past sys.stdin.
        return _plain_input(prompt)


class _Keyboard(io.FileIO):
    """Standard input, announcing reads that have to wait."""

    def readinto(self, buffer: WriteableBuffer, /) -> int | None:
        if select.select([self], [], [], 0)[0]:
            return super().readinto(buffer)
        with waiting():
            return super().readinto(buffer)

    def readall(self) -> bytes:
        with waiting():
            return super().readall()
