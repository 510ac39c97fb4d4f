"""Frames to events: VRRP advertisements, ARP and neighbour discovery.

They are decoded with scapy, which is imported when first needed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from harness.observers.packets import Frame
from harness.timeline import Timeline

_ARP, _IPV4, _IPV6 = b"\x08\x06", b"\x08\x00", b"\x86\xdd"
_PROTOCOL_VRRP, _PROTOCOL_AH, _PROTOCOL_ICMPV6 = b"\x70", b"\x33", b"\x3a"
_AH = 34
"""Where the authentication header (RFC 4302 section 2) is in a frame of IPv4 without options, as keepalived's are."""
_NEIGHBOUR = {135: "solicitation", 136: "advertisement"}  # RFC 4861 sections 4.3 and 4.4


def kind_of(frame: Frame) -> str | None:
    """The kind of event a frame is, judged by its type fields alone: cheap enough for every frame."""
    kind = frame.data[12:14]
    if kind == _ARP:
        return "arp"
    protocol = {_IPV4: frame.data[23:24], _IPV6: frame.data[20:21]}.get(kind)
    if protocol == _PROTOCOL_VRRP or (protocol == _PROTOCOL_AH and frame.data[_AH : _AH + 1] == _PROTOCOL_VRRP):
        return "advertisement"
    if protocol == _PROTOCOL_ICMPV6 and kind == _IPV6 and frame.data[54] in _NEIGHBOUR:
        return "ndp"
    return None


def record(frame: Frame, timeline: Timeline) -> None:
    """Decode a frame of a known kind and record it, as seen by the machine on whose wire it is."""
    kind = kind_of(frame)
    if kind is not None:
        details = _DECODERS[kind](frame.data)
        timeline.record(frame.node, kind, frame.at, interface=frame.interface, sent=frame.sent, **details)


def decode(data: bytes) -> Any:
    """A frame as scapy's ``Ether``, with the layers above it as far as they are known here."""
    from scapy.layers import inet, l2, vrrp  # noqa: F401 - importing a layer binds it to those below

    return l2.Ether(data)


def arp_question(mac: str, ip: str, wanted: str) -> bytes:
    """A broadcast frame that asks who has an address."""
    from scapy.layers.l2 import ARP, Ether

    return bytes(Ether(src=mac, dst="ff:ff:ff:ff:ff:ff") / ARP(op=1, hwsrc=mac, psrc=ip, pdst=wanted))


def _arp(data: bytes) -> dict[str, Any]:
    packet = decode(data)["ARP"]
    return {
        "operation": {1: "request", 2: "reply"}.get(packet.op, str(packet.op)),
        "sender": packet.psrc,
        "sender_mac": packet.hwsrc,
        "target": packet.pdst,
        "gratuitous": packet.psrc == packet.pdst,
    }


def _ndp(data: bytes) -> dict[str, Any]:
    frame = decode(data)
    message = frame.payload.payload
    option = message.payload  # the link-layer address is all that neighbours tell here
    return {
        "operation": _NEIGHBOUR[message.type],
        "sender": frame.payload.src,
        "target": message.tgt,
        "target_mac": getattr(option, "lladdr", None) if message.type == 136 else None,
        "unsolicited": message.type == 136 and not message.S,
    }


def _without_ah(data: bytes) -> bytes:
    """The frame as if it had no authentication header, which in VRRPv2 with ``auth_type AH`` comes before VRRP."""
    if data[12:14] != _IPV4 or data[23:24] != _PROTOCOL_AH:
        return data
    length = (data[_AH + 1] + 2) * 4
    return data[:23] + _PROTOCOL_VRRP + data[24:_AH] + data[_AH + length :]


def _advertisement(data: bytes) -> dict[str, Any]:
    packet = decode(_without_ah(data))
    message = packet["VRRP"] if packet.haslayer("VRRP") else packet["VRRPv3"]
    interval = message.adv if message.version == 2 else message.adv / 100
    return {
        "vrid": message.vrid,
        "priority": message.priority,
        "source": packet.payload.src,
        "destination": packet.payload.dst,
        "interval": interval,
        "version": int(message.version),
        "addresses": " ".join(message.addrlist),
    }


_DECODERS: dict[str, Callable[[bytes], dict[str, Any]]] = {"arp": _arp, "advertisement": _advertisement, "ndp": _ndp}
DECODED = tuple(_DECODERS)
"""The kinds of events that frames become."""
