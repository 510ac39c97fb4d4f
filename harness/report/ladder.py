"""The packets of a scenario between its machines, in order: what the page draws as a ladder. Pure.

What a packet is stands in its bytes; :mod:`harness.report.frames` has put into words what it is
for.
"""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from harness.events import Advertisement, Arp, Event, Ndp
from harness.report.broadcasts import Told
from harness.report.captures import Sent
from harness.report.words import words

_FLAGS: Final = ((2, "SYN"), (16, "ACK"), (1, "FIN"), (4, "RST"), (8, "PSH"))
_PROTOCOLS: Final = {1: "ICMP", 6: "TCP", 17: "UDP", 58: "ICMPv6", 112: "VRRP"}
_OPTIONS: Final = 0
"""IPv6's hop-by-hop options, which stand before what machines say of the groups that they listen
to.
"""
_IPIP: Final = (4, 41)
_PORTS = struct.Struct("!HH")


@dataclass(frozen=True)
class Rung:
    """One packet: when, on the timeline; from which machine, who received it, and what it is.

    ``protocol`` is as Wireshark's display filters call it.
    """

    at: float
    node: str
    to: tuple[str, ...]
    protocol: str
    text: str

    def as_json(self, zero: float) -> list[Any]:
        """Its time in milliseconds after ``zero``, and all else as it is."""
        return [
            round((self.at - zero) * 1000, 4),
            self.node,
            list(self.to),
            self.protocol,
            self.text,
        ]


def of_capture(journeys: Sequence[Sent]) -> list[Rung]:
    """The packets of a capture."""
    rungs = []
    for sent in journeys:
        protocol, text = described(sent.data)
        if sent.comment and protocol not in ("arp", "vrrp"):
            text = f"{text}  ({sent.comment})"
        elif sent.comment:
            text = sent.comment
        rungs.append(Rung(sent.at, sent.node, tuple(sent.to), protocol, text))
    return rungs


def of_events(told: Sequence[Told]) -> list[Rung]:
    """Where no capture was kept: the advertisements, ARP and neighbour discovery of the
    timeline.
    """
    return [
        Rung(
            each.event.at, each.event.node, each.heard_by, _protocol(each.event), words(each.event)
        )
        for each in told
        if isinstance(each.event, Advertisement | Arp | Ndp) and each.event.sent
    ]


def _protocol(event: Event) -> str:
    return {"advertisement": "vrrp", "arp": "arp"}.get(event.kind, "icmpv6")


def described(data: bytes) -> tuple[str, str]:
    """The protocol of an Ethernet frame and what it says, as far as its bytes go."""
    kind = data[12:14]
    try:
        if kind == b"\x08\x06":
            return "arp", "ARP"
        if kind == b"\x08\x00":
            return _ipv4(data[14:])
        if kind == b"\x86\xdd":
            return _packet(data[20], data[22:38], data[38:54], data[54:])
    except (struct.error, IndexError, ValueError):
        return "frame", "cut short"
    return "frame", f"Ethernet type {kind.hex()}"


def _ipv4(data: bytes) -> tuple[str, str]:
    return _packet(data[9], data[12:16], data[16:20], data[(data[0] & 15) * 4 :])


def _packet(protocol: int, source: bytes, destination: bytes, payload: bytes) -> tuple[str, str]:
    if protocol in _IPIP:
        inner = (
            _ipv4(payload)
            if protocol == 4
            else _packet(payload[6], payload[8:24], payload[24:40], payload[40:])
        )
        return inner[0], f"{inner[1]}, tunnelled to {ipaddress.ip_address(destination)}"
    if protocol == _OPTIONS:
        return "icmpv6", f"multicast groups of {ipaddress.ip_address(source)}"
    name = _PROTOCOLS.get(protocol, f"IP protocol {protocol}")
    ends = [str(ipaddress.ip_address(address)) for address in (source, destination)]
    if name in ("TCP", "UDP"):
        ports = _PORTS.unpack_from(payload)
        ends = [
            f"[{ip}]:{port}" if ":" in ip else f"{ip}:{port}"
            for ip, port in zip(ends, ports, strict=True)
        ]
    said = f"{name} {_flags(payload[13], payload)}" if name == "TCP" else name
    return name.lower() if protocol in _PROTOCOLS else "ip", f"{said} {ends[0]} > {ends[1]}"


def _flags(flags: int, payload: bytes) -> str:
    named = " ".join(name for bit, name in _FLAGS if flags & bit)
    length = len(payload) - (payload[12] >> 4) * 4
    return f"{named}, {length} bytes" if flags & 8 and length > 0 else named
