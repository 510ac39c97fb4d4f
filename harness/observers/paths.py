"""The way of one connection's packets through the cluster, from the frames on every machine's
wire.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from ipaddress import ip_address
from typing import Protocol

from harness.observers.packets import Frame

_ETHERNET, _IPV6_HEADER = 14, 40
_IPV4, _IPV6 = b"\x08\x00", b"\x86\xdd"
_ICMP, _IPIP, TCP, _UDP, _IP6IP, _ICMP6 = 1, 4, 6, 17, 41, 58
_CHECKSUM_AT = {TCP: 16, _UDP: 6}
_TOO_BIG = {
    _ICMP: (3, 4),
    _ICMP6: (2, 0),
}  # RFC 792: fragmentation needed; RFC 4443: packet too big
SYN, SYN_ACK = 0x02, 0x12


class Station(Protocol):
    """A machine that packets pass, as far as they show: a node of a cluster is one."""

    @property
    def name(self) -> str:
        """What its wires are called by."""

    @property
    def macs(self) -> set[str]:
        """Its hardware addresses."""


@dataclass(frozen=True)
class Packet:
    """One IPv4 or IPv6 packet in one frame: MACs as the frame has them, the packet from byte
    ``start`` on.
    """

    frame: Frame
    start: int = _ETHERNET

    @property
    def source_mac(self) -> str:
        """Sender of the frame."""
        return self.frame.data[6:12].hex(":")

    @property
    def destination_mac(self) -> str:
        """Receiver of the frame."""
        return self.frame.data[:6].hex(":")

    @property
    def family(self) -> int:
        """The version of IP: 4 or 6."""
        return self.frame.data[self.start] >> 4

    @cached_property
    def ip(self) -> bytes:
        """The packet, from its IP header on, without the padding of short frames."""
        data = self.frame.data[self.start :]
        if self.family == 4:
            return data[: int.from_bytes(data[2:4], "big")]
        return data[: _IPV6_HEADER + int.from_bytes(data[4:6], "big")]

    @property
    def header_length(self) -> int:
        """Bytes before the payload. Of IPv6 there are no extension headers in what IPVS handles."""
        return (self.ip[0] & 15) * 4 if self.family == 4 else _IPV6_HEADER

    @property
    def protocol(self) -> int:
        """Number of the protocol of the payload (``/etc/protocols``)."""
        return self.ip[9 if self.family == 4 else 6]

    @property
    def payload(self) -> bytes:
        """What the packet carries."""
        return self.ip[self.header_length :]

    @property
    def source(self) -> str:
        """Source address."""
        return str(ip_address(self.ip[12:16] if self.family == 4 else self.ip[8:24]))

    @property
    def destination(self) -> str:
        """Destination address."""
        return str(ip_address(self.ip[16:20] if self.family == 4 else self.ip[24:40]))

    @property
    def ttl(self) -> int:
        """Time to live, or hop limit."""
        return self.ip[8 if self.family == 4 else 7]

    @property
    def ports(self) -> tuple[int, int]:
        """Source and destination port; zeros if it is neither TCP nor UDP."""
        if self.protocol not in _CHECKSUM_AT:
            return 0, 0
        return int.from_bytes(self.payload[:2], "big"), int.from_bytes(self.payload[2:4], "big")

    @property
    def sequence(self) -> int:
        """The sequence number of a TCP segment."""
        return int.from_bytes(self.payload[4:8], "big")

    @property
    def flags(self) -> int:
        """The TCP flags, such as :data:`SYN`."""
        return self.payload[13]

    @property
    def unrouted(self) -> bytes:
        """What no router may change: all but TTL and header checksum."""
        changed = bytearray(self.ip)
        if self.family == 4:
            changed[8:9], changed[10:12] = b"\0", b"\0\0"
        else:
            changed[7:8] = b"\0"
        return bytes(changed)

    @property
    def content(self) -> bytes:
        """What no address translation may change: the payload without ports and checksum."""
        at = _CHECKSUM_AT[self.protocol]
        return self.payload[4:at] + self.payload[at + 2 :]

    @property
    def intact(self) -> bool:
        """Whether the checksums of its IP header (IPv4) and of its TCP or UDP payload are right
        (RFC 1071).
        """
        header = self.ip[: self.header_length] if self.family == 4 else b""
        addresses = self.ip[12:20] if self.family == 4 else self.ip[8:40]
        pseudo = addresses + len(self.payload).to_bytes(4, "big") + self.protocol.to_bytes(4, "big")
        return _sum(header) in (0, 0xFFFF) and _sum(pseudo + self.payload) == 0xFFFF

    @property
    def carried(self) -> Packet | None:
        """The packet in this one, if it comes through a tunnel (RFC 2003, RFC 2473)."""
        return (
            Packet(self.frame, self.start + self.header_length)
            if self.protocol in (_IPIP, _IP6IP)
            else None
        )

    @property
    def refused(self) -> Packet | None:
        """The beginning of the packet that this one says was too big for the next link; None if it
        says no such.
        """
        if self.protocol not in _TOO_BIG or tuple(self.payload[:2]) != _TOO_BIG[self.protocol]:
            return None
        return Packet(self.frame, self.start + self.header_length + 8)


class Path:
    """All packets of the connections that use one port of the client, TCP or UDP."""

    def __init__(self, frames: Iterable[Frame], client_port: int, protocol: str = "TCP") -> None:
        self._port, self._protocol = client_port, {"TCP": TCP, "UDP": _UDP}[protocol]
        self.packets: list[Packet] = []
        self.too_big: list[Packet] = []
        """What told the sender that a packet was too big."""
        for frame in frames:
            if not is_ip(frame):
                continue
            packet = Packet(frame)
            if self._owns(packet) or self._owns(packet.carried):
                self.packets.append(packet)
            elif self._owns(packet.refused):
                self.too_big.append(packet)

    def _owns(self, packet: Packet | None) -> bool:
        return (
            packet is not None and packet.protocol == self._protocol and self._port in packet.ports
        )

    def between(self, sender: Station, receiver: Station) -> list[Packet]:
        """What ``sender`` sent to a MAC of ``receiver``, as it left the sender, in order."""
        return between(self.packets, sender, receiver)

    def at(self, node: Station) -> list[Packet]:
        """What a machine sent or got, in order."""
        return [packet for packet in self.packets if packet.frame.node == node.name]


def between(packets: Iterable[Packet], sender: Station, receiver: Station) -> list[Packet]:
    """Those that ``sender`` sent to a MAC of ``receiver``, as they left the sender."""
    macs = receiver.macs
    return [
        packet
        for packet in packets
        if packet.frame.sent and packet.frame.node == sender.name and packet.destination_mac in macs
    ]


def is_ip(frame: Frame) -> bool:
    """Whether it has a whole header of IPv4 or IPv6."""
    kind, length = frame.data[12:14], len(frame.data) - _ETHERNET
    return (kind == _IPV4 and length >= 20) or (kind == _IPV6 and length > _IPV6_HEADER)


def _sum(data: bytes) -> int:
    """The one's complement sum of 16-bit words, which is 0xffff over data with a right checksum
    (RFC 1071).
    """
    total = sum(
        int.from_bytes(data[at : at + 2].ljust(2, b"\0"), "big") for at in range(0, len(data), 2)
    )
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total
