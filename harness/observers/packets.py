"""What crosses the wires: one AF_PACKET socket on the switches' side sees every frame that any
machine sends or gets.

The frames lie in a memory ring shared with the kernel (``PACKET_RX_RING``, TPACKET_V2,
Documentation/networking/ packet_mmap.rst), time-stamped by it, so that recording costs no system
call a frame and an instant is the kernel's.
"""

from __future__ import annotations

import array
import mmap
import socket
import struct
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from harness.clock import Instant, from_realtime, realtime_ahead
from harness.errors import HarnessError

_SOL_PACKET, _PACKET_RX_RING, _PACKET_STATISTICS, _PACKET_VERSION = 263, 5, 6, 10
_TPACKET_V2 = 1
_ETH_P_ALL = 3
_PACKET_OUTGOING = 4
_STATUS_USER, _STATUS_TAGGED = 0x1, 0x10  # TP_STATUS_USER, TP_STATUS_VLAN_VALID
_TAG_AT = 12  # behind the two hardware addresses
_HEADER = struct.Struct("=IIIHHIIHH4x")  # struct tpacket2_hdr
_LINK = struct.Struct("=HHiHBB8s")  # struct sockaddr_ll, behind it
_LINK_OFFSET = 32
FRAME_ROOM = 2048  # bytes of the ring a frame takes: header and 1,500 bytes of MTU fit
RING_FRAMES = 8192
RING_FRAMES_A_WIRE = 64
"""Or this many for each wire, if that is more: a director may check all real servers at one
instant.
"""
RING_FRAMES_A_VIP = 128
"""And for each VIP: a new master announces each five times at one instant, which every machine of
its LAN hears.
"""
RING_FRAMES_A_CHECK = 32
"""And for each check of a real server: a director that has hung makes all that are due at one
instant.
"""
MOST_RING_FRAMES = 1 << 15
"""VIPs and checks ask for no more than that: 64 MiB."""


@dataclass(frozen=True)
class Frame:
    """One Ethernet frame on one machine's wire: ``sent`` by that machine, or else delivered to it.

    ``tag`` is its VLAN tag of four bytes, if it has one; ``data`` is the frame without it.
    """

    at: Instant
    node: str
    interface: str
    sent: bool
    data: bytes
    tag: bytes = b""

    @property
    def on_the_wire(self) -> bytes:
        """The frame as it crossed the wire, with its tag."""
        if not self.tag:
            return self.data
        return self.data[:_TAG_AT] + self.tag + self.data[_TAG_AT:]


class Capture:
    """The ring. :meth:`drain` moves what has arrived into ``sink``; whoever wants frames calls
    it.
    """

    def __init__(
        self,
        wires: dict[int, tuple[str, str]],
        origin: Instant,
        sink: Callable[[Frame], None],
        ring_frames: int | None = None,
        vips: int = 0,
        checks: int = 0,
        deaf: Collection[int] = (),
    ) -> None:
        """To be called in the namespace of the wires, given by interface index; time counts from
        ``origin``.

        The ring has room for ``ring_frames``, a multiple of 32, between two calls of :meth:`drain`;
        by default that depends on the number of wires, of ``vips``, and of ``checks`` of real
        servers. What is delivered by the wires ``deaf`` to a group address is not captured.
        """
        if ring_frames is None:
            bursts = RING_FRAMES_A_VIP * vips + RING_FRAMES_A_CHECK * checks
            at_once = min(bursts, MOST_RING_FRAMES)
            ring_frames = max(RING_FRAMES, RING_FRAMES_A_WIRE * len(wires) // 32 * 32, at_once)
        self._wires, self._origin, self._ring_frames = wires, origin, ring_frames
        self._sink = sink
        self._cursor = 0
        self.dropped = 0
        self._filter = (
            _without_copies([index for index in wires if index not in deaf]) if deaf else [_WHOLE]
        )
        self.socket = socket.socket(
            socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_CLOEXEC, socket.htons(_ETH_P_ALL)
        )
        try:
            _attach(self.socket, self._filter)
            self.socket.setsockopt(_SOL_PACKET, _PACKET_VERSION, _TPACKET_V2)
            block = 1 << 16
            request = struct.pack(
                "=IIII", block, ring_frames * FRAME_ROOM // block, FRAME_ROOM, ring_frames
            )
            self.socket.setsockopt(_SOL_PACKET, _PACKET_RX_RING, request)
            self._ring = mmap.mmap(self.socket.fileno(), ring_frames * FRAME_ROOM)
            self._ring.madvise(
                mmap.MADV_DONTFORK
            )  # User Mode Linux 7.2 panics when a fork that inherits a ring ends
        except OSError as problem:
            raise HarnessError(
                f"cannot capture packets: {problem}; the kernel needs CONFIG_PACKET"
            ) from problem

    def drain(self) -> None:
        """Take every frame that lies in the ring. Raises HarnessError if the kernel had to drop any
        before.
        """
        ahead = realtime_ahead()
        while True:
            offset = self._cursor * FRAME_ROOM
            status, _, kept, mac, _, seconds, nanoseconds, vlan, kind = _HEADER.unpack_from(
                self._ring, offset
            )
            if not status & _STATUS_USER:
                break
            _, _, index, _, direction, _, _ = _LINK.unpack_from(self._ring, offset + _LINK_OFFSET)
            if (end := self._wires.get(index)) is not None:
                data = bytes(self._ring[offset + mac : offset + mac + kept])
                at = from_realtime(seconds * 1_000_000_000 + nanoseconds, ahead) - self._origin
                tag = struct.pack("!HH", kind, vlan) if status & _STATUS_TAGGED else b""
                self._sink(Frame(at, *end, direction != _PACKET_OUTGOING, data, tag))
            struct.pack_into("=I", self._ring, offset, 0)
            self._cursor = (self._cursor + 1) % self._ring_frames
        self._count_drops()

    def _count_drops(self) -> None:
        _, drops = struct.unpack("=II", self.socket.getsockopt(_SOL_PACKET, _PACKET_STATISTICS, 8))
        self.dropped += drops
        if drops:
            raise HarnessError(
                f"the kernel dropped {drops} frames of the capture, so the evidence is not complete"
            )

    def pause(self) -> None:
        """Capture nothing until :meth:`resume`."""
        _attach(self.socket, [_NOTHING])

    def resume(self) -> None:
        """Capture again."""
        _attach(self.socket, self._filter)

    def close(self) -> None:
        """Stop capturing."""
        self._ring.close()
        self.socket.close()


# Instructions of a classic BPF filter (kernel, Documentation/networking/filter.rst;
# include/uapi/linux/filter.h).
_SO_ATTACH_FILTER = 26
_LOAD_WORD, _LOAD_BYTE, _IF_EQUAL, _IF_SET, _RETURN = 0x20, 0x30, 0x15, 0x45, 0x06
_PACKET_TYPE, _INTERFACE_INDEX = -0x1000 + 4, -0x1000 + 8  # SKF_AD_PKTTYPE, SKF_AD_IFINDEX
_WHOLE, _NOTHING = (_RETURN, 0, 0, 1 << 18), (_RETURN, 0, 0, 0)


def _without_copies(listening: Iterable[int]) -> list[tuple[int, int, int, int]]:
    """All frames but those that a switch sends to a group address out of a wire that is not
    ``listening``.

    An instruction is an operation, how many to skip if it holds and if not, and a value.
    """
    wanted = [part for index in listening for part in ((_IF_EQUAL, 0, 1, index), _WHOLE)]
    return [
        (_LOAD_WORD, 0, 0, _PACKET_TYPE),
        (_IF_EQUAL, 1, 0, _PACKET_OUTGOING),
        _WHOLE,
        (
            _LOAD_BYTE,
            0,
            0,
            0,
        ),  # the destination's first byte, whose lowest bit says that it is a group
        (_IF_SET, 1, 0, 1),
        _WHOLE,
        (_LOAD_WORD, 0, 0, _INTERFACE_INDEX),
        *wanted,
        _NOTHING,
    ]


def _attach(capture: socket.socket, program: list[tuple[int, int, int, int]]) -> None:
    code = array.array(
        "B", b"".join(struct.pack("=HBBI", *each[:3], each[3] & 0xFFFFFFFF) for each in program)
    )
    address, _ = code.buffer_info()
    capture.setsockopt(
        socket.SOL_SOCKET, _SO_ATTACH_FILTER, struct.pack("@HP", len(program), address)
    )
