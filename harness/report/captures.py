"""A scenario's capture read back: what was sent from which machine to which. The file may be
anybody's.

The counterpart of :mod:`harness.report.pcapng`, and of what that writes alone: one section of this
machine's byte order, with nanosecond stamps.
"""

from __future__ import annotations

import re
import struct
from collections import defaultdict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from harness.report.pcapng import COMMENT, INTERFACE, NAME, PACKET, SECTION

FLIGHT: Final = 2.0
"""Seconds within which a frame arrives, if it does at all; a link may have been given a delay."""

_HEAD = struct.Struct("=II")
_OUTBOUND: Final = 2
_FLAGS: Final = 2
_ORIGIN = re.compile(r"second 0 of the timeline is (\d{1,12})\.(\d{9})$")
_PACKET_HEAD = struct.Struct("=IIIII")


@dataclass
class Sent:
    """A frame on its way: when it was sent, on the timeline, from which machine, and who received
    it.
    """

    at: float
    node: str
    data: bytes
    comment: str
    to: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class _Frame:
    at: float
    node: str
    sent: bool
    data: bytes
    comment: str


def origin(capture: bytes) -> int:
    """Second 0 of the timeline in nanoseconds of the Unix epoch, as the capture says; 0 if it does
    not.
    """
    if len(capture) < 12 or _HEAD.unpack_from(capture)[0] != SECTION:
        return 0
    length = _HEAD.unpack_from(capture)[1]
    comment = _options(capture[24 : length - 4]).get(COMMENT, b"").decode(errors="replace")
    found = _ORIGIN.search(comment)
    return int(found[1]) * 10**9 + int(found[2]) if found else 0


def journeys(capture: bytes) -> list[Sent]:
    """Every frame that was sent, in order, each with the machines that received it.

    What is damaged ends the reading: what stands before it counts.
    """
    zero = origin(capture)
    waiting: dict[bytes, deque[Sent]] = defaultdict(deque)
    found: list[Sent] = []
    received: list[_Frame] = []
    for frame in sorted(_frames(capture, zero), key=lambda frame: (frame.at, not frame.sent)):
        if frame.sent:
            sent = Sent(frame.at, frame.node, frame.data, frame.comment)
            found.append(sent)
            waiting[frame.data].append(sent)
        else:
            received.append(frame)
    for frame in received:
        _deliver(frame, waiting[frame.data])
    return found


def _deliver(frame: _Frame, candidates: deque[Sent]) -> None:
    """Note who received a frame: of equal ones the oldest that this machine has not received
    yet.
    """
    while candidates and candidates[0].at < frame.at - FLIGHT:
        candidates.popleft()
    for sent in candidates:
        if sent.at > frame.at:
            return
        if frame.node != sent.node and frame.node not in sent.to:
            sent.to.append(frame.node)
            return


def _frames(capture: bytes, zero: int) -> Iterator[_Frame]:
    nodes: list[str] = []
    place = 0
    while place + 12 <= len(capture):
        kind, length = _HEAD.unpack_from(capture, place)
        if length < 12 or length % 4 or place + length > len(capture):
            return
        body = capture[place + 8 : place + length - 4]
        try:
            if kind == INTERFACE:
                nodes.append(
                    _options(body[8:]).get(NAME, b"").decode(errors="replace").partition(" ")[0]
                )
            elif kind == PACKET:
                yield _packet(body, nodes, zero)
            elif kind != SECTION:
                return
        except (struct.error, IndexError):
            return
        place += length


def _packet(body: bytes, nodes: list[str], zero: int) -> _Frame:
    interface, high, low, captured, _ = _PACKET_HEAD.unpack_from(body)
    begin = _PACKET_HEAD.size
    data = body[begin : begin + captured]
    options = _options(body[begin + (captured + 3) // 4 * 4 :])
    (flags,) = struct.unpack("=I", options.get(_FLAGS, bytes(4)))
    comment = options.get(COMMENT, b"").decode(errors="replace")
    return _Frame(
        ((high << 32 | low) - zero) / 1e9, nodes[interface], flags & 3 == _OUTBOUND, data, comment
    )


def _options(data: bytes) -> dict[int, bytes]:
    found = {}
    place = 0
    while place + 4 <= len(data):
        code, length = struct.unpack_from("=HH", data, place)
        if code == 0:
            break
        found[code] = data[place + 4 : place + 4 + length]
        place += 4 + (length + 3) // 4 * 4
    return found
