"""The frames that the host and pid 1 of the embedded kernel exchange over one serial line.

A frame is its kind (one byte), the length of its payload (four bytes, big-endian) and the payload. One line for
everything keeps the order: when the exit status arrives, all output has arrived.
"""

from __future__ import annotations

import os

TYPE_CHECKING = False  # that of `typing` takes 15 ms to import
if TYPE_CHECKING:
    from collections.abc import Iterator

# From the guest. The two output kinds are the digits of the descriptors.
READY = b"R"  # no payload: from now on the line is raw and read
STDOUT, STDERR = b"1", b"2"  # bytes that the program wrote
WANT_STDIN = b"W"  # no payload: the program's standard input has room for one more STDIN
WANT_KEYS = b"K"  # no payload: the program's terminal has room for one more TERMINAL
FILE = b"F"  # marshal of (index of the collected path, path below it, content)
EXIT = b"X"  # the exit status, one byte
PROGRESS = b"P"  # no payload: another second of virtual time has passed
IDLE = b"I"  # how many frames have come from the host, modulo 256: the program waits for input, and all for the program
ENDED = b"N"  # what was ended as RELIEVE asks: one line of text for each process
# From either end.
REPORT = b"D"  # no payload: which processes are running? The answer: one line of text for each
TERMINAL = b"T"  # bytes that the program's terminal shows, or that were typed there
# From the host.
STDIN = b"0"  # bytes for the program's standard input; none is its end
CLOSED = b"C"  # STDOUT or STDERR: nobody reads it any more
SIGNAL = b"S"  # the signal's number, one byte
RELIEVE = b"E"  # end what computes; with a payload, only what was started with a limit to its processor time
SIZE = b"Z"  # the terminal's size, struct winsize

# What the caller orders of the guard (confine.py), one byte each.
TAKEN = b"r"  # the guest has its request
HALT, GO = b"s", b"c"  # stop the kernel process, let it go on
KILLED = b"was killed by "  # how a line of the guard's begins, if a signal has ended the kernel process
PROD = b"p"  # get the guest's scheduler to act

IMPORTS = 4  # the program's descriptor of the file of harness.kernels.imports; 3 leads to pid 1

# A line whose reader is 3968 bytes behind is throttled, and a throttled serial line of UML never wakes again
# (arch/um/drivers: line_throttle, deactivate_chan). So the guest asks for every piece, and pieces are small.
STDIN_PIECE, KEYS_PIECE = 3072, 512

_HEADER = 5


def frame(kind: bytes, payload: bytes = b"") -> bytes:
    """The bytes of one frame."""
    return kind + len(payload).to_bytes(4, "big") + payload


class Frames:
    """Takes bytes as they come and gives whole frames."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[bytes, bytes]]:
        """The frames (kind, payload) that ``data`` completes."""
        self._buffer += data
        while len(self._buffer) >= _HEADER:
            end = _HEADER + int.from_bytes(self._buffer[1:_HEADER], "big")
            if len(self._buffer) < end:
                return
            taken = bytes(self._buffer[:end])
            del self._buffer[:end]
            yield taken[:1], taken[_HEADER:]


def write_all(descriptor: int, data: bytes) -> None:
    """Write every byte of ``data``."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
