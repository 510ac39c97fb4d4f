"""The way of one connection's packets through the cluster, from the frames on every machine's wire."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from dataclasses import dataclass

from harness.daemons.nodes import Node
from harness.observers.packets import Frame

_IPV4, _TCP = b"\x08\x00", 6
SYN, SYN_ACK = 0x02, 0x12
_TTL, _CHECKSUM = slice(8, 9), slice(10, 12)


@dataclass(frozen=True)
class Packet:
    """One IPv4 packet in one frame: MACs as the frame has them, ``ip`` from the IP header on."""

    frame: Frame

    @property
    def source_mac(self) -> str:
        """Sender of the frame."""
        return self.frame.data[6:12].hex(":")

    @property
    def destination_mac(self) -> str:
        """Receiver of the frame."""
        return self.frame.data[:6].hex(":")

    @property
    def ip(self) -> bytes:
        """The packet, from its IP header on, without the padding of short frames."""
        length = int.from_bytes(self.frame.data[16:18], "big")
        return self.frame.data[14 : 14 + length]

    @property
    def source(self) -> str:
        """Source address."""
        return socket.inet_ntoa(self.ip[12:16])

    @property
    def destination(self) -> str:
        """Destination address."""
        return socket.inet_ntoa(self.ip[16:20])

    @property
    def ttl(self) -> int:
        """Time to live."""
        return self.ip[_TTL][0]

    @property
    def ports(self) -> tuple[int, int]:
        """Source and destination port."""
        start = (self.ip[0] & 15) * 4
        return int.from_bytes(self.ip[start : start + 2], "big"), int.from_bytes(self.ip[start + 2 : start + 4], "big")

    @property
    def flags(self) -> int:
        """The TCP flags, such as :data:`SYN`."""
        return self.ip[(self.ip[0] & 15) * 4 + 13]

    @property
    def unrouted(self) -> bytes:
        """What no router may change: all but TTL and header checksum."""
        changed = bytearray(self.ip)
        changed[_TTL], changed[_CHECKSUM] = b"\0", b"\0\0"
        return bytes(changed)


class Path:
    """All packets of the connections that use one TCP port of the client."""

    def __init__(self, frames: Iterable[Frame], client_port: int) -> None:
        packets = (Packet(frame) for frame in frames if _is_tcp(frame))
        self.packets = [packet for packet in packets if client_port in packet.ports]

    def between(self, sender: Node, receiver: Node) -> list[Packet]:
        """What ``sender`` sent to the MAC of ``receiver``, as it left the sender, in order."""
        return [
            packet
            for packet in self.packets
            if packet.frame.sent and packet.frame.node == sender.name and packet.destination_mac == receiver.mac
        ]

    def at(self, node: Node) -> list[Packet]:
        """What a machine sent or got, in order."""
        return [packet for packet in self.packets if packet.frame.node == node.name]


def _is_tcp(frame: Frame) -> bool:
    return frame.data[12:14] == _IPV4 and len(frame.data) > 23 and frame.data[23] == _TCP
