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
from typing import NamedTuple

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

    def write(self, blocks: Iterable[bytes]) -> None:
        """Append blocks, or the parts of blocks. Raises OSError, for example when the disk is
        full.
        """
        self._put(b"".join(blocks))

    def _put(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._fd, rest) :]

    def close(self) -> None:
        """Close the file."""
        os.close(self._fd)


_HEAD, _LENGTH = struct.Struct("=IIIIIII"), struct.Struct("=I")


class Alike(NamedTuple):
    """What frames have in common that differ in their bytes and instants alone: most do."""

    interface: int
    size: int
    length: int
    behind: bytes
    """The block's end, behind the frame."""

    def head(self, at: int) -> bytes:
        """The block's beginning, before the frame; ``at`` in nanoseconds of the Unix epoch."""
        size = self.size
        return _HEAD.pack(
            PACKET, self.length, self.interface, at >> 32, at & 0xFFFFFFFF, size, size
        )


def alike(interface: int, size: int, sent: bool, comment: str | None = None) -> Alike:
    """Of frames of so many bytes, ``sent`` by the interface or received by it."""
    options = [(_FLAGS, struct.pack("=I", _OUTBOUND if sent else _INBOUND))]
    if comment is not None:
        options.append((COMMENT, comment.encode()))
    end = _PADDING[size & 3] + _encoded(options)
    length = _HEAD.size + size + len(end) + _LENGTH.size
    return Alike(interface, size, length, end + _LENGTH.pack(length))


def packet(interface: int, at: int, data: bytes, sent: bool, comment: str | None = None) -> bytes:
    """The block of one frame; ``at`` and ``sent`` as for :class:`Alike` and :func:`alike`."""
    common = alike(interface, len(data), sent, comment)
    return b"".join((common.head(at), data, common.behind))


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
