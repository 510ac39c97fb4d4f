"""Captures as pcapng: one file with an interface for each wire, nanosecond stamps, and comments on
frames.

The blocks that this needs are few, and written from the format's specification
(draft-ietf-opsawg-pcapng, sections 4.1 to 4.3). scapy's writer stamps in microseconds from a float
and takes names and comments through a private method only; python-pcapng's takes as long for one
frame as this does for ten; and either is one more import before the first frame.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterable
from functools import lru_cache

SECTION, INTERFACE, PACKET = 0x0A0D0D0A, 1, 6
_BYTE_ORDER = 0x1A2B3C4D
_ETHERNET = 1  # LINKTYPE_ETHERNET
COMMENT, _APPLICATION, NAME, _RESOLUTION, _FLAGS = 1, 4, 2, 9, 2
_NANOSECONDS = b"\x09"
_INBOUND, _OUTBOUND = 1, 2
_LONGEST = 0xFFFF
_PADDING = (b"", b"\0\0\0", b"\0\0", b"\0")


class Writer:
    """Appends frames to a file; each :meth:`write` hands the kernel whole blocks, so that a crash
    cuts none.
    """

    def __init__(
        self, path: str | os.PathLike[str], interfaces: Iterable[str], comment: str
    ) -> None:
        """``interfaces`` are their names, referred to by their position. Raises OSError."""
        self._fd = os.open(
            path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND | os.O_CLOEXEC, 0o644
        )
        section = struct.pack("=IHHq", _BYTE_ORDER, 1, 0, -1)
        header = _block(
            SECTION, section, ((COMMENT, comment.encode()), (_APPLICATION, b"lvs-harness"))
        )
        about = struct.pack("=HHI", _ETHERNET, 0, 0)
        named = [
            _block(INTERFACE, about, ((NAME, n.encode()), (_RESOLUTION, _NANOSECONDS)))
            for n in interfaces
        ]
        try:
            self._put(header + b"".join(named))
        except OSError:
            self.close()
            raise

    def write(self, packets: Iterable[bytes]) -> None:
        """Append what :func:`packet` made. Raises OSError, for example when the disk is full."""
        self._put(b"".join(packets))

    def _put(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._fd, rest) :]

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)


def packet(interface: int, at: int, data: bytes, sent: bool, comment: str | None = None) -> bytes:
    """The block of one frame; ``at`` in nanoseconds of the Unix epoch, ``sent`` by the interface or
    received by it.
    """
    options = _of_packet(sent, comment)
    padding, size = _PADDING[len(data) & 3], len(data)
    length = _AROUND + size + len(padding) + len(options)
    head = _HEAD.pack(PACKET, length, interface, at >> 32, at & 0xFFFFFFFF, size, size)
    return b"".join((head, data, padding, options, _LENGTH.pack(length)))


_HEAD, _LENGTH = struct.Struct("=IIIIIII"), struct.Struct("=I")
_AROUND = _HEAD.size + _LENGTH.size
"""Bytes of a frame's block beside the frame and its options."""


@lru_cache(maxsize=1024)
def _of_packet(sent: bool, comment: str | None) -> bytes:
    """The options of a frame: those of most frames are alike, and there may be thousands a
    second.
    """
    options = [(_FLAGS, struct.pack("=I", _OUTBOUND if sent else _INBOUND))]
    if comment is not None:
        options.append((COMMENT, comment.encode()))
    return _encoded(options)


def _block(kind: int, body: bytes, options: Iterable[tuple[int, bytes]]) -> bytes:
    content = body + _encoded(options)
    length = len(content) + 12
    return struct.pack("=II", kind, length) + content + struct.pack("=I", length)


def _encoded(options: Iterable[tuple[int, bytes]]) -> bytes:
    parts: list[bytes] = []
    for code, value in options:
        value = value[:_LONGEST]
        parts += (struct.pack("=HH", code, len(value)), value, _PADDING[len(value) & 3])
    parts.append(b"\0\0\0\0")  # opt_endofopt
    return b"".join(parts)
