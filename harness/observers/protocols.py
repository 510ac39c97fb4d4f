"""Frames to events: VRRP advertisements, ARP, neighbour discovery and what IPVS's sync daemons
tell.

Every scenario has hundreds of them, and all are decoded for its timeline, in the guest. scapy needs
a hundred times as long for one, so its part is in the tests: it builds the frames that are decoded
here.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from ipaddress import IPv4Address
from typing import NamedTuple

from harness.events import Advertisement, Arp, Event, Ndp, Synchronisation
from harness.observers.packets import Frame
from harness.timeline import Timeline
from harness.topology.services import endpoint

_ARP, _IPV4, _IPV6 = b"\x08\x06", b"\x08\x00", b"\x86\xdd"
_PROTOCOL_VRRP, _PROTOCOL_AH, _PROTOCOL_ICMPV6, _PROTOCOL_UDP = b"\x70", b"\x33", b"\x3a", b"\x11"
_AH = 34
"""Where the authentication header (RFC 4302 section 2) is in a frame of IPv4 without options, as
keepalived's are.
"""
_NEIGHBOUR_ADVERTISEMENT = 136
_NEIGHBOURS = {bytes([135]), bytes([_NEIGHBOUR_ADVERTISEMENT])}
_SOLICITED = 0x40
_OPTION, _TARGET_ADDRESS = 78, b"\x02"
"""Where the first option of neighbour discovery is in a frame, and the one of interest."""
_ETHERNET = 1
_TO_SYNC_DAEMONS = socket.inet_aton("224.0.0.81")
"""IP_VS_SYNC_GROUP of the kernel's ``ip_vs_sync.c``, which keepalived leaves as it is."""


def kind_of(frame: Frame) -> str | None:
    """The kind of event a frame is, judged by its type fields alone: cheap enough for every
    frame.
    """
    kind = frame.data[12:14]
    if kind == _ARP:
        return "arp"
    protocol = {_IPV4: frame.data[23:24], _IPV6: frame.data[20:21]}.get(kind)
    if protocol == _PROTOCOL_VRRP or (
        protocol == _PROTOCOL_AH and frame.data[_AH : _AH + 1] == _PROTOCOL_VRRP
    ):
        return "advertisement"
    if protocol == _PROTOCOL_ICMPV6 and kind == _IPV6 and frame.data[54:55] in _NEIGHBOURS:
        return "ndp"
    if protocol == _PROTOCOL_UDP and kind == _IPV4 and frame.data[30:34] == _TO_SYNC_DAEMONS:
        return "sync"
    return None


def record(frame: Frame, timeline: Timeline) -> None:
    """Decode a frame of a known kind and record it, as seen by the machine on whose wire it is."""
    kind = kind_of(frame)
    if kind is not None:
        try:
            event = _DECODERS[kind](frame)
        except (
            IndexError,
            OSError,
            ValueError,
            struct.error,
        ):  # cut short: it says nothing, to its receivers neither
            return
        timeline.record(event)


def arp_question(mac: str, ip: str, wanted: str) -> bytes:
    """A broadcast frame that asks who has an address."""
    hardware = bytes.fromhex(mac.replace(":", ""))
    fixed = struct.pack("!HHBBH", _ETHERNET, 0x0800, 6, 4, 1)
    asked = hardware + socket.inet_aton(ip) + bytes(6) + socket.inet_aton(wanted)
    return b"\xff" * 6 + hardware + _ARP + fixed + asked


def _arp(frame: Frame) -> Arp:
    """RFC 826, with the sizes of Ethernet and IPv4."""
    operation, sender_mac, sender, target = struct.unpack_from("!20xH6s4s6x4s", frame.data)
    return Arp(
        frame.at,
        frame.node,
        interface=frame.interface,
        sent=frame.sent,
        operation={1: "request", 2: "reply"}.get(operation, str(operation)),
        sender=socket.inet_ntoa(sender),
        sender_mac=sender_mac.hex(":"),
        target=socket.inet_ntoa(target),
        gratuitous=sender == target,
    )


def _ndp(frame: Frame) -> Ndp:
    """RFC 4861 sections 4.3 and 4.4; of the options the link-layer address is all that neighbours
    tell here.
    """
    sender, kind, flags, target = struct.unpack_from("!22x16s16xB3xB3x16s", frame.data)
    option = frame.data[_OPTION : _OPTION + 8]
    advertises = kind == _NEIGHBOUR_ADVERTISEMENT
    return Ndp(
        frame.at,
        frame.node,
        interface=frame.interface,
        sent=frame.sent,
        operation="advertisement" if advertises else "solicitation",
        sender=_ipv6(sender),
        target=_ipv6(target),
        target_mac=option[2:].hex(":") if advertises and option[:1] == _TARGET_ADDRESS else None,
        unsolicited=advertises and not flags & _SOLICITED,
    )


_VRRP_HEADER = 8
_PASSWORD_LENGTH = 8  # of version 2, whatever the authentication
_VRRP_GROUP = IPv4Address("224.0.0.18").packed
_AUTHENTICATION = {0: "none", 1: "pass", 2: "AH"}  # RFC 2338 section 5.3.6


def _advertisement(frame: Frame) -> Advertisement:
    """RFC 5798 section 5.2, which counts in hundredths of a second, and RFC 3768 section 5.3, which
    does in seconds.

    What is cut off counts as 0, and its length tells that it was.
    """
    packet = _vrrp(frame.data)
    first, vrid, priority, count, authentication, interval = packet.message.ljust(
        _VRRP_HEADER, b"\0"
    )[:6]
    version, size = first >> 4, len(packet.source)
    room = max(0, len(packet.message) - _VRRP_HEADER - (_PASSWORD_LENGTH if version == 2 else 0))
    addresses = [
        packet.message[_VRRP_HEADER + number * size :][:size]
        for number in range(min(count, room // size))
    ]
    right, with_header = _checked(packet, version)
    return Advertisement(
        frame.at,
        frame.node,
        interface=frame.interface,
        sent=frame.sent,
        vrid=vrid,
        priority=priority,
        source=packet.text(packet.source),
        destination=packet.text(packet.destination),
        interval=interval if version == 2 else ((authentication & 15) << 8 | interval) / 100,
        version=version,
        addresses=" ".join(map(packet.text, addresses)),
        count=count,
        type=first & 15,
        ttl=packet.ttl,
        checksum=right,
        pseudo_header=with_header,
        length=len(packet.message),
        authentication=_AUTHENTICATION.get(authentication, str(authentication))
        if version == 2
        else None,
    )


def _checked(packet: _Packet, version: int) -> tuple[bool, bool | None]:
    """Whether the checksum is right: RFC 1071, over the message, and before it a header made up of
    what IP knows. And where it may be without that header, whether it has it.

    RFC 5798 section 5.2.8 has that header in version 3. Over IPv4 RFC 9568 leaves it out, as
    keepalived does with ``v3_checksum_as_v2``, so either is right there. Of unicast keepalived also
    takes one whose header has the multicast address, as it was before 1.3.6 and is with
    ``old_unicast_checksum`` (``vrrp.c``, ``vrrp_check_packet``).
    """
    alone = _sum(packet.message) == 0xFFFF
    if version == 2:
        return alone, None
    rest = len(packet.message).to_bytes(4, "big") + bytes([0, 0, 0, _PROTOCOL_VRRP[0]])
    rest += packet.message
    destinations = [packet.destination] + [_VRRP_GROUP] * (len(packet.source) == 4)
    with_header = any(_sum(packet.source + each + rest) == 0xFFFF for each in destinations)
    if len(packet.source) != 4 or not (alone or with_header):
        return with_header, None
    return True, with_header


def _sum(data: bytes) -> int:
    """The one's complement sum of 16-bit words: 0xFFFF where the checksum in it is right."""
    padded = data + b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(padded) // 2}H", padded))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return total


class _Packet(NamedTuple):
    """What carries VRRP, what VRRP says in it, and how its addresses are written."""

    source: bytes
    destination: bytes
    ttl: int
    message: bytes
    text: Callable[[bytes], str]


def _vrrp(data: bytes) -> _Packet:
    """Of a frame that carries it. Raises struct.error if the header of IP is cut short: no receiver
    sees more.
    """
    if data[12:14] == _IPV6:
        length, ttl, source, destination = struct.unpack_from("!18xHxB16s16s", data)
        return _Packet(source, destination, ttl, data[54 : 54 + length], _ipv6)
    length, ttl, source, destination = struct.unpack_from("!16xH4xB3x4s4s", data)
    message = data[14 + (data[14] & 15) * 4 : 14 + length]  # what follows is padding of Ethernet's
    if data[23:24] == _PROTOCOL_AH:  # in VRRPv2 with ``auth_type AH``
        message = message[(message[1] + 2) * 4 :]
    return _Packet(source, destination, ttl, message, socket.inet_ntoa)


def _ipv6(address: bytes) -> str:
    return socket.inet_ntop(socket.AF_INET6, address)


_PROTOCOLS = {6: "TCP", 17: "UDP", 132: "SCTP"}
_TCP_STATES = (
    *(
        "NONE",
        "ESTABLISHED",
        "SYN_SENT",
        "SYN_RECV",
        "FIN_WAIT",
        "TIME_WAIT",
        "CLOSE",
        "CLOSE_WAIT",
        "LAST_ACK",
    ),
    *("LISTEN", "SYNACK"),
)
"""``IP_VS_TCP_S_...`` of <net/ip_vs.h>, in the kernel's order."""
_SYNC_MESSAGE, _SYNC_CONNECTION = struct.Struct("!xBHBb2x"), struct.Struct("!BBH4xHHHH8x")
_UDP_PAYLOAD = 42


def _sync(frame: Frame) -> Synchronisation:
    """``struct ip_vs_sync_mesg`` and ``ip_vs_sync_v4`` or ``_v6`` of the kernel's ``ip_vs_sync.c``,
    version 1.

    Raises struct.error for a message of another version, which Linux has not sent since 2.6.39.
    """
    message = frame.data[_UDP_PAYLOAD:]
    syncid, _, count, version = _SYNC_MESSAGE.unpack_from(message)
    if version != 1:
        raise struct.error(f"version {version} of the sync daemon's messages")
    told, place = [], _SYNC_MESSAGE.size
    for _ in range(count):
        kind, protocol, size, state, *ports = _SYNC_CONNECTION.unpack_from(message, place)
        length, text = (16, _ipv6) if kind & 1 else (4, socket.inet_ntoa)
        addresses = message[place + _SYNC_CONNECTION.size :]
        client, service, server = (
            endpoint(text(addresses[number * length :][:length]), port)
            for number, port in enumerate(ports)
        )
        name = _PROTOCOLS.get(protocol, str(protocol))
        word = _TCP_STATES[state] if name == "TCP" and state < len(_TCP_STATES) else str(state)
        told.append(f"{name} {client} {service} {server} {word}")
        place += size & 0xFFF
    return Synchronisation(
        frame.at,
        frame.node,
        interface=frame.interface,
        sent=frame.sent,
        syncid=syncid,
        connections=", ".join(told),
    )


_DECODERS: dict[str, Callable[[Frame], Event]] = {
    "arp": _arp,
    "advertisement": _advertisement,
    "ndp": _ndp,
    "sync": _sync,
}
DECODED = frozenset(_DECODERS)
"""The kinds of events that frames become."""
