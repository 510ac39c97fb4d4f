"""The frames that the host and pid 1 of the embedded kernel exchange over one serial line.

A frame is its kind (one byte), the length of its payload (four bytes, big-endian) and the payload.
One line for everything keeps the order: when the exit status arrives, all output has arrived.
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
FILE = b"F"  # see `file`: a part of what is collected
EXIT = b"X"  # the exit status, one byte
# no payload: another second of virtual time has passed; or, asked to RELIEVE, the program gets on
PROGRESS = b"P"
# how many frames have come from the host, modulo 256: the program waits for input, and all for the
# program
IDLE = b"I"
# with a payload: processes run whose processor time is limited; without: none does any more
LIMITED = b"L"
ENDED = b"N"  # what was ended as RELIEVE asks: one line of text for each process
# From either end.
REPORT = b"D"  # no payload: which processes are running? The answer: one line of text for each
TERMINAL = b"T"  # bytes that the program's terminal shows, or that were typed there
# From the host.
STDIN = b"0"  # bytes for the program's standard input; none is its end
CLOSED = b"C"  # STDOUT or STDERR: nobody reads it any more
SIGNAL = b"S"  # the signal's number, one byte
# end what computes; with a payload, only what was started with a limit to its processor time
RELIEVE = b"E"
SIZE = b"Z"  # the terminal's size, struct winsize

# What the caller orders of the guard (confine.py), one byte each.
TAKEN = b"r"  # the guest has its request
HALT, GO = b"s", b"c"  # stop the kernel process, let it go on
KILLED = (
    b"was killed by "  # how a line of the guard's begins, if a signal has ended the kernel process
)
QUOTA = b"wrote more than it may"  # such a line, if the guard has ended the kernel process for that
PROD = b"p"  # get the guest's scheduler to act

# The program's descriptors, but for 3, which leads to pid 1.
IMPORTS = 4  # of the file of harness.kernels.imports
STEPS = 5  # of a file that grows by a byte with each step of the program's, where time is virtual

# A line whose reader is 3968 bytes behind is throttled, and a throttled serial line of UML never
# wakes again (arch/um/drivers: line_throttle, deactivate_chan). So the guest asks for every piece,
# and pieces are small.
STDIN_PIECE, KEYS_PIECE = 3072, 512

_HEADER, _INDEX, _NAME = 5, 2, 4
LARGEST = 1 << 28
"""Bytes of a payload: more is nothing that the guest's pid 1 sends."""


class Malformed(Exception):
    """What has come is no frame. The other end may be hostile."""


def frame(kind: bytes, payload: bytes = b"") -> bytes:
    """The bytes of one frame."""
    return kind + len(payload).to_bytes(4, "big") + payload


class Frames:
    """Takes bytes as they come and gives whole frames."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[tuple[bytes, bytes]]:
        """The frames (kind, payload) that ``data`` completes. Raises :class:`Malformed`."""
        self._buffer += data
        while len(self._buffer) >= _HEADER:
            size = int.from_bytes(self._buffer[1:_HEADER], "big")
            if size > LARGEST:
                raise Malformed(f"a frame of {size} bytes")
            end = _HEADER + size
            if len(self._buffer) < end:
                return
            taken = bytes(self._buffer[:end])
            del self._buffer[:end]
            yield taken[:1], taken[_HEADER:]


def file(index: int, below: str, content: bytes) -> bytes:
    """The payload of a FILE: which of the collected paths, the path below it, and the content."""
    name = os.fsencode(below)
    return index.to_bytes(_INDEX, "big") + len(name).to_bytes(_NAME, "big") + name + content


def file_of(payload: bytes) -> tuple[int, str, bytes]:
    """What :func:`file` made a payload of. Raises :class:`Malformed`."""
    begin = _INDEX + _NAME
    end = begin + int.from_bytes(payload[_INDEX:begin], "big")
    if len(payload) < end or b"\0" in payload[begin:end]:
        raise Malformed("a file without a name")
    return int.from_bytes(payload[:_INDEX], "big"), os.fsdecode(payload[begin:end]), payload[end:]


def write_all(descriptor: int, data: bytes) -> None:
    """Write every byte of ``data``."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
