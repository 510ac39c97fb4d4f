"""A connection's packets, picked from frames that scapy has built."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from scapy.layers.inet import IP, TCP, UDP, IPOption_NOP
from scapy.layers.l2 import ARP, Ether

from harness.observers.packets import Frame
from harness.observers.paths import Packet, Path

CIP, VIP = "172.16.10.100", "172.16.10.50"
PORT = 40000


@dataclass
class Node:
    """As much of a node as a path asks for."""

    name: str
    mac: str


CLIENT, DIRECTOR, WEB = (Node(name, f"02:00:00:00:00:0{n}") for n, name in enumerate(("client", "director1", "web1")))


def tcp(sender: Node, receiver: Node, ttl: int = 64, back: bool = False, **ip: Any) -> bytes:
    source, destination = (VIP, CIP) if back else (CIP, VIP)
    sport, dport = (80, PORT) if back else (PORT, 80)
    return bytes(
        Ether(src=sender.mac, dst=receiver.mac)
        / IP(src=source, dst=destination, ttl=ttl, **ip)
        / TCP(sport=sport, dport=dport)
    )


def crossing(sender: Node, receiver: Node, data: bytes) -> list[Frame]:
    """One frame as both wires saw it."""
    return [Frame(1, sender.name, "eth0", True, data), Frame(1, receiver.name, "eth0", False, data)]


def path(*frames: list[Frame]) -> Path:
    return Path([frame for pair in frames for frame in pair], PORT)


def between(path: Path, sender: Any, receiver: Any) -> list[Packet]:
    return path.between(sender, receiver)


def test_packet_fields() -> None:
    data = tcp(CLIENT, DIRECTOR, ttl=63)
    packet = Packet(Frame(1, "client", "eth0", True, data + b"\0" * 6))
    assert (packet.source_mac, packet.destination_mac) == (CLIENT.mac, DIRECTOR.mac)
    assert (packet.source, packet.destination, packet.ttl, packet.ports) == (CIP, VIP, 63, (PORT, 80))
    assert packet.ip == data[14:], "the padding of a short frame is no part of the packet"


def test_ports_are_found_behind_ip_options() -> None:
    packet = Packet(Frame(1, "client", "eth0", True, tcp(CLIENT, DIRECTOR, options=[IPOption_NOP()] * 4)))
    assert packet.ports == (PORT, 80)


def test_a_hop_changes_ttl_and_checksum_alone() -> None:
    arrived, forwarded = (
        Packet(Frame(1, "director1", "eth0", True, tcp(CLIENT, DIRECTOR, ttl=ttl, id=7))) for ttl in (64, 63)
    )
    assert arrived.ip != forwarded.ip
    assert arrived.unrouted == forwarded.unrouted


@pytest.mark.parametrize("changed", [{"id": 8}, {"tos": 4}, {"flags": "DF"}])
def test_any_other_change_shows(changed: dict[str, Any]) -> None:
    before, after = (
        Packet(Frame(1, "director1", "eth0", True, tcp(CLIENT, DIRECTOR, **{"id": 7, **fields})))
        for fields in ({}, changed)
    )
    assert before.unrouted != after.unrouted


def test_between_takes_what_the_sender_sent_to_the_receiver_s_mac() -> None:
    there = crossing(CLIENT, DIRECTOR, tcp(CLIENT, DIRECTOR))
    onward = crossing(DIRECTOR, WEB, tcp(CLIENT, WEB, ttl=63))  # as if the director had kept the client's MAC
    answer = crossing(WEB, CLIENT, tcp(WEB, CLIENT, back=True))
    found = path(there, onward, answer)

    assert [packet.frame for packet in between(found, CLIENT, DIRECTOR)] == there[:1]
    assert [packet.frame for packet in between(found, DIRECTOR, WEB)] == onward[:1]
    assert [packet.frame for packet in between(found, WEB, CLIENT)] == answer[:1]
    assert between(found, WEB, DIRECTOR) == []
    assert [packet.frame for packet in found.at(DIRECTOR)] == [there[1], onward[0]]  # type: ignore[arg-type]


def test_other_connections_and_protocols_are_left_out() -> None:
    to_client = Ether(src=WEB.mac, dst=CLIENT.mac)
    others = (
        to_client / IP(src=VIP, dst=CIP) / TCP(sport=80, dport=PORT + 1),
        to_client / IP(src=VIP, dst=CIP) / UDP(sport=80, dport=PORT),
        to_client / ARP(psrc=VIP, pdst=CIP),
        Ether(src=WEB.mac, dst=CLIENT.mac, type=0x0800),
    )
    assert path(*(crossing(WEB, CLIENT, bytes(packet)) for packet in others)).packets == []
