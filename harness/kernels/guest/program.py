"""What makes an interpreter fit to run a program in virtual time; imported by the program, before
it starts.
"""

from __future__ import annotations

import builtins
import contextlib
import faulthandler
import fcntl
import io
import os
import select
import signal
import sys
import termios
from typing import TYPE_CHECKING

from harness.kernels.calls import linux
from harness.kernels.guest.standstill import CHANNEL, GOING_ON, LIMITED, UNLIMITED, WAITING
from harness.kernels.wire import STEPS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from _typeshed import WriteableBuffer


def prepare() -> None:
    """Have time stand still while this program waits for input, and its stack shown when SIGUSR1
    asks for it.

    The kernel may end a sleep up to 50 µs late, together with another timer if there is one.
    Whether there is depends on what ran before, so this program's sleeps are exact: clusters and
    scenarios begin at whole multiples of a tenth.
    """
    global _prepared
    _prepared = True
    linux.prctl(linux.PR_SET_TIMERSLACK, 1)
    for descriptor in (CHANNEL, STEPS):
        os.set_inheritable(descriptor, False)
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


@contextlib.contextmanager
def interrupting() -> Iterator[None]:
    """For what a signal has the main thread do: time passes meanwhile, also if it waits for input.

    Whoever waits says so in ``_said`` before it tells pid 1: a signal between the two has pid 1
    told twice, and never the wrong thing.
    """
    os.write(CHANNEL, GOING_ON)
    try:
        yield
    finally:
        os.write(CHANNEL, _said)


def take_step() -> None:
    """Tell that this program gets on, also where no virtual time passes.

    Pid 1 looks there only when it is asked to end what computes: to wake it each time would have
    what it passes on come at another moment, and others run in another order.
    """
    if _prepared:
        os.write(STEPS, b".")


def begin_limited() -> None:
    """A process with a limit to its processor time is about to be started.

    The host looks for one that computes for ever, which disturbs the guest, only while there is
    one. Pid 1 tells it before this returns: what computes would not let it. In real time the kernel
    keeps the limit, and this does nothing.
    """
    if not _prepared:
        return
    os.write(CHANNEL, LIMITED)
    while any(fcntl.ioctl(CHANNEL, termios.FIONREAD, bytes(4))):
        os.sched_yield()


def end_limited() -> None:
    """It has ended, or did not start."""
    if _prepared:
        os.write(CHANNEL, UNLIMITED)


_prepared = False
_plain_input = builtins.input
_said = GOING_ON


# Ctrl-C may come at any call of a function of Python's, so these call none between ``try`` and
# ``finally``: whoever has said that it waits, and does not take it back, has time stand still for
# ever.


def _input(prompt: object = "", /) -> str:
    global _said
    try:
        _said = WAITING
        os.write(CHANNEL, _said)
        return _plain_input(prompt)  # on a terminal the C library reads, past sys.stdin
    finally:
        _said = GOING_ON
        os.write(CHANNEL, _said)


class _Keyboard(io.FileIO):
    """Standard input, announcing reads that have to wait."""

    def readinto(self, buffer: WriteableBuffer, /) -> int | None:
        global _said
        if select.select([self], [], [], 0)[0]:
            return super().readinto(buffer)
        try:
            _said = WAITING
            os.write(CHANNEL, _said)
            return super().readinto(buffer)
        finally:
            _said = GOING_ON
            os.write(CHANNEL, _said)

    def readall(self) -> bytes:
        global _said
        try:
            _said = WAITING
            os.write(CHANNEL, _said)
            return super().readall()
        finally:
            _said = GOING_ON
            os.write(CHANNEL, _said)
