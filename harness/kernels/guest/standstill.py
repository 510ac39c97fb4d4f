"""Virtual time stands still while the program waits for somebody to type.

A guest that is idle jumps to its next timer, so at a prompt its cluster would live through hours.
Three parties prevent that. The program says that it waits before it reads
(:mod:`harness.kernels.guest.program`). Pid 1 is then never idle, and tells the host when everything
else is. The host stops the kernel process until it has something to send
(:mod:`harness.kernels.host.relay`). Between these steps no time passes, since there is always
somebody with work to do.
"""

from __future__ import annotations

import os
import time

from harness.kernels import wire
from harness.kernels.calls import linux

CHANNEL = 3  # the program's descriptor that leads to pid 1
# What the program writes there: that it waits, that it goes on; that a process with a limit to its
# processor time was started, that one has ended.
WAITING, GOING_ON, LIMITED, UNLIMITED = b"w", b"g", b"l", b"u"

# It ends when nothing else can run, unless that has read the clock several times, each of which
# costs 256 ns. Spinning would not do: without passing time the scheduler has no reason to let
# others run.
_BREATH = 2e-6
_FIRST_TICKS = 0.03  # until then, the kernel's timers are no finer than its ticks


class Standstill:
    """Pid 1's part."""

    def __init__(self, line: int) -> None:
        self.channel, program_end = os.pipe()
        self.program_action = (os.POSIX_SPAWN_DUP2, program_end, CHANNEL)
        self.active = False
        self._line = line
        self._limited = 0
        self._taken = 0
        self._told: int | None = None
        self._rested = False
        time.sleep(_FIRST_TICKS)
        self._load = os.open("/proc/loadavg", os.O_RDONLY)

    def count(self) -> None:
        """A frame has come from the host."""
        self._taken = (self._taken + 1) % 256

    def listen(self) -> None:
        """The program has said something."""
        said = os.read(self.channel, 64)
        self.active = self._waits(said)
        self._told = None
        if more := said.count(LIMITED) - said.count(UNLIMITED):
            self._limited += more
            payload = b"yes" if self._limited else b""
            wire.write_all(self._line, wire.frame(wire.LIMITED, payload))
        linux.prctl(linux.PR_SET_TIMERSLACK, 1)

    def _waits(self, said: bytes) -> bool:
        last = max(said.rfind(WAITING), said.rfind(GOING_ON))
        return self.active if last < 0 else said[last:].startswith(WAITING)

    def hold(self, quiet: bool) -> bool:
        """Let everything else run; True once nothing can: then :meth:`tell` the host, to be stopped
        by it.

        Call it again and again, each time saying whether there was nothing else to do (``quiet``).
        """
        if not quiet:
            self._rested = False
            return False
        if self._rested and self._told != self._taken and self._alone():
            return True
        time.sleep(_BREATH)
        self._rested = True
        return False

    def tell(self) -> None:
        """Tell the host that everything waits for it."""
        wire.write_all(self._line, wire.frame(wire.IDLE, bytes([self._taken])))
        self._told = self._taken

    def _alone(self) -> bool:
        # proc_loadavg(5): the fourth field is the number of runnable threads, "/", the number of
        # all.
        return os.pread(self._load, 64, 0).split()[3].startswith(b"1/")
