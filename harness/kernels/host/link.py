"""The host's way to the guest and to its guard: frames and orders, and what virtual time asks of
whoever sends them.
"""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from dataclasses import dataclass
from io import FileIO

from harness.kernels import wire
from harness.kernels.host.watchdog import Watchdog


@dataclass(frozen=True)
class Ends:
    """What leads to a guest and its guard.

    ``sending`` and ``receiving`` carry the frames of :mod:`harness.kernels.wire` to and from the
    guest, ``log`` what the kernel prints, ``control`` the guard's orders. The process ``guard``
    ends with the kernel.
    """

    sending: socket.socket
    receiving: socket.socket
    log: FileIO
    control: FileIO
    guard: int


class Link:
    """Sends; and wakes the guest for it, if it was halted. Threads may share it."""

    def __init__(self, ends: Ends, virtual: bool, watchdog: Watchdog) -> None:
        self._ends, self._virtual, self._watchdog = ends, virtual, watchdog
        self._lock = threading.Lock()
        self._sent = 0
        self._halted = False

    def send(self, kind: bytes, payload: bytes = b"") -> None:
        """Send a frame to the guest."""
        with self._lock:
            self._sent = (self._sent + 1) % 256
            if self._halted:
                self._halted = False
                self.order(wire.GO)
                self._watchdog.feed()
            with suppress(OSError):  # The kernel is gone, which the reading side reports.
                self._ends.sending.sendall(wire.frame(kind, payload))

    def send_urgently(self, kind: bytes, payload: bytes = b"") -> None:
        """Send a frame that is to arrive even if a guest process keeps the CPU (see
        ``confine._prod``).
        """
        self.send(kind, payload)
        if self._virtual:
            self.order(wire.PROD)

    def halt(self, taken: int) -> None:
        """The guest waits for input and had ``taken`` frames (modulo 256): stop it, unless more are
        on their way.
        """
        with self._lock:
            if taken == self._sent:
                self._halted = True
                self.order(wire.HALT)
                self._watchdog.suspend()

    def order(self, order: bytes) -> None:
        """Give the guard an order."""
        with suppress(OSError):
            self._ends.control.write(order)
