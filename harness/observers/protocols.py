"""Frames to events: VRRP advertisements, ARP and neighbour discovery.

Every scenario has hundreds of them, and all are decoded for its timeline, in the guest. scapy needs a hundred times as
long for one, so its part is in the tests: it builds the frames that are decoded here.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable

from harness.observers.packets import Frame
from harness.timeline import Timeline, Value

_ARP, _IPV4, _IPV6 = b"\x08\x06", b"\x08\x00", b"\x86\xdd"
_PROTOCOL_VRRP, _PROTOCOL_AH, _PROTOCOL_ICMPV6 = b"\x70", b"\x33", b"\x3a"
_AH = 34
"""Where the authentication header (RFC 4302 section 2) is in a frame of IPv4 without options, as keepalived's are."""
_NEIGHBOUR_ADVERTISEMENT = 136
_NEIGHBOUR = {135: "solicitation", _NEIGHBOUR_ADVERTISEMENT: "advertisement"}
_NEIGHBOURS = {bytes([kind]) for kind in _NEIGHBOUR}
_SOLICITED = 0x40
_OPTION, _TARGET_ADDRESS = 78, b"\x02"
"""Where the first option of neighbour discovery is in a frame, and the one of interest."""
_ETHERNET = 1


def kind_of(frame: Frame) -> str | None:
    """The kind of event a frame is, judged by its type fields alone: cheap enough for every frame."""
    kind = frame.data[12:14]
    if kind == _ARP:
        return "arp"
    protocol = {_IPV4: frame.data[23:24], _IPV6: frame.data[20:21]}.get(kind)
    if protocol == _PROTOCOL_VRRP or (protocol == _PROTOCOL_AH and frame.data[_AH : _AH + 1] == _PROTOCOL_VRRP):
        return "advertisement"
    if protocol == _PROTOCOL_ICMPV6 and kind == _IPV6 and frame.data[54:55] in _NEIGHBOURS:
        return "ndp"
    return None


def record(frame: Frame, timeline: Timeline) -> None:
    """Decode a frame of a known kind and record it, as seen by the machine on whose wire it is."""
    kind = kind_of(frame)
    if kind is not None:
        try:
            details = _DECODERS[kind](frame.data)
        except (IndexError, OSError, ValueError, struct.error):  # cut short: it says nothing, to its receivers neither
            return
        timeline.record(frame.node, kind, frame.at, interface=frame.interface, sent=frame.sent, **details)


def arp_question(mac: str, ip: str, wanted: str) -> bytes:
    """A broadcast frame that asks who has an address."""
    hardware = bytes.fromhex(mac.replace(":", ""))
    fixed = struct.pack("!HHBBH", _ETHERNET, 0x0800, 6, 4, 1)
    asked = hardware + socket.inet_aton(ip) + bytes(6) + socket.inet_aton(wanted)
    return b"\xff" * 6 + hardware + _ARP + fixed + asked


def _arp(data: bytes) -> dict[str, Value]:
    """RFC 826, with the sizes of Ethernet and IPv4."""
    operation, sender_mac, sender, target = struct.unpack_from("!20xH6s4s6x4s", data)
    return {
        "operation": {1: "request", 2: "reply"}.get(operation, str(operation)),
        "sender": socket.inet_ntoa(sender),
        "sender_mac": sender_mac.hex(":"),
        "target": socket.inet_ntoa(target),
        "gratuitous": sender == target,
    }


def _ndp(data: bytes) -> dict[str, Value]:
    """RFC 4861 sections 4.3 and 4.4; of the options the link-layer address is all that neighbours tell here."""
    sender, kind, flags, target = struct.unpack_from("!22x16s16xB3xB3x16s", data)
    option = data[_OPTION : _OPTION + 8]
    told = kind == _NEIGHBOUR_ADVERTISEMENT and option[:1] == _TARGET_ADDRESS
    return {
        "operation": _NEIGHBOUR[kind],
        "sender": _ipv6(sender),
        "target": _ipv6(target),
        "target_mac": option[2:].hex(":") if told else None,
        "unsolicited": kind == _NEIGHBOUR_ADVERTISEMENT and not flags & _SOLICITED,
    }


def _advertisement(data: bytes) -> dict[str, Value]:
    """RFC 5798 section 5.2, which counts in hundredths of a second, and RFC 3768 section 5.3, which does in seconds."""
    source, destination, message, text = _vrrp(data)
    first, vrid, priority, count, authentication, interval = message[:6]
    version, size = first >> 4, len(source)
    hundredths = (authentication & 15) << 8 | interval
    addresses = [message[8 + number * size :][:size] for number in range(count)]
    return {
        "vrid": vrid,
        "priority": priority,
        "source": text(source),
        "destination": text(destination),
        "interval": interval if version == 2 else hundredths / 100,
        "version": version,
        "addresses": " ".join(map(text, addresses)),
    }


def _vrrp(data: bytes) -> tuple[bytes, bytes, bytes, Callable[[bytes], str]]:
    """Source, destination, what VRRP says, and how addresses are written, of a frame that carries it."""
    if data[12:14] == _IPV6:
        return data[22:38], data[38:54], data[54:], _ipv6
    message = data[14 + (data[14] & 15) * 4 :]
    if data[23:24] == _PROTOCOL_AH:  # in VRRPv2 with ``auth_type AH``
        message = message[(message[1] + 2) * 4 :]
    return data[26:30], data[30:34], message, socket.inet_ntoa


def _ipv6(address: bytes) -> str:
    return socket.inet_ntop(socket.AF_INET6, address)


_DECODERS: dict[str, Callable[[bytes], dict[str, Value]]] = {"arp": _arp, "advertisement": _advertisement, "ndp": _ndp}
DECODED = tuple(_DECODERS)
"""The kinds of events that frames become."""
