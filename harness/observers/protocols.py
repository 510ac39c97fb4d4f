"""Frames to events: VRRP advertisements and ARP, decoded with scapy, which is imported when first needed."""

from __future__ import annotations

from typing import Any

from harness.observers.packets import Frame
from harness.timeline import Timeline

_ARP, _IPV4, _IPV6 = b"\x08\x06", b"\x08\x00", b"\x86\xdd"
_PROTOCOL_VRRP = b"\x70"


def kind_of(frame: Frame) -> str | None:
    """The kind of event a frame is, judged by its type fields alone: cheap enough for every frame."""
    kind = frame.data[12:14]
    if kind == _ARP:
        return "arp"
    protocol = {_IPV4: frame.data[23:24], _IPV6: frame.data[20:21]}.get(kind)
    if protocol == _PROTOCOL_VRRP:
        return "advertisement"
    return None


def record(frame: Frame, timeline: Timeline) -> None:
    """Decode a frame of a known kind and record it, as seen by the machine on whose wire it is."""
    kind = kind_of(frame)
    if kind == "arp":
        timeline.record(frame.node, kind, frame.at, interface=frame.interface, sent=frame.sent, **_arp(frame.data))
    elif kind == "advertisement":
        details = _advertisement(frame.data)
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


def _advertisement(data: bytes) -> dict[str, Any]:
    packet = decode(data)
    message = packet["VRRP"] if packet.haslayer("VRRP") else packet["VRRPv3"]
    interval = message.adv if message.version == 2 else message.adv / 100
    return {
        "vrid": message.vrid,
        "priority": message.priority,
        "source": packet.payload.src,
        "interval": interval,
        "version": int(message.version),
    }
