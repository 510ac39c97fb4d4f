"""A connection's packets, picked from frames that scapy has built."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP, IPOption_NOP
from scapy.layers.inet6 import ICMPv6PacketTooBig, IPv6
from scapy.layers.l2 import ARP, Ether

from harness.observers.packets import Frame
from harness.observers.paths import Packet, Path

CIP, VIP = "172.16.10.100", "172.16.10.50"
PORT = 40000


@dataclass
class Interface:
    """As much of an interface as a path asks for."""

    mac: str


@dataclass
class Node:
    """As much of a node as a path asks for."""

    name: str
    mac: str

    @property
    def macs(self) -> set[str]:
        return {"02:00:00:00:ff:01", self.mac}


CLIENT, DIRECTOR, WEB = (
    Node(name, f"02:00:00:00:00:0{n}") for n, name in enumerate(("client", "director1", "web1"))
)


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
    assert (packet.source, packet.destination, packet.ttl, packet.ports) == (
        CIP,
        VIP,
        63,
        (PORT, 80),
    )
    assert packet.ip == data[14:], "the padding of a short frame is no part of the packet"


def test_ports_are_found_behind_ip_options() -> None:
    packet = Packet(
        Frame(1, "client", "eth0", True, tcp(CLIENT, DIRECTOR, options=[IPOption_NOP()] * 4))
    )
    assert packet.ports == (PORT, 80)


def test_a_hop_changes_ttl_and_checksum_alone() -> None:
    arrived, forwarded = (
        Packet(Frame(1, "director1", "eth0", True, tcp(CLIENT, DIRECTOR, ttl=ttl, id=7)))
        for ttl in (64, 63)
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
    onward = crossing(
        DIRECTOR, WEB, tcp(CLIENT, WEB, ttl=63)
    )  # as if the director had kept the client's MAC
    answer = crossing(WEB, CLIENT, tcp(WEB, CLIENT, back=True))
    found = path(there, onward, answer)

    assert [packet.frame for packet in between(found, CLIENT, DIRECTOR)] == there[:1]
    assert [packet.frame for packet in between(found, DIRECTOR, WEB)] == onward[:1]
    assert [packet.frame for packet in between(found, WEB, CLIENT)] == answer[:1]
    assert between(found, WEB, DIRECTOR) == []
    frames = [packet.frame for packet in found.at(DIRECTOR)]
    assert frames == [there[1], onward[0]]


def test_other_connections_and_protocols_are_left_out() -> None:
    to_client = Ether(src=WEB.mac, dst=CLIENT.mac)
    others = (
        to_client / IP(src=VIP, dst=CIP) / TCP(sport=80, dport=PORT + 1),
        to_client / IP(src=VIP, dst=CIP) / UDP(sport=80, dport=PORT),
        to_client / ARP(psrc=VIP, pdst=CIP),
        Ether(src=WEB.mac, dst=CLIENT.mac, type=0x0800),
    )
    assert path(*(crossing(WEB, CLIENT, bytes(packet)) for packet in others)).packets == []


# -- what forwarding does --------------------------------------------------------------------------

CIP6, VIP6 = "fd00:10::100", "fd00:10::50"


def packet(*layers: Any) -> Packet:
    """The packet of a frame from the director to a real server."""
    data: Any = Ether(src=DIRECTOR.mac, dst=WEB.mac)
    for layer in layers:
        data = data / layer
    return Packet(Frame(1, "director1", "eth0", True, bytes(data) + b"\0" * 4))


def test_ipv6_and_udp_have_their_fields_elsewhere() -> None:
    found = packet(IPv6(src=CIP6, dst=VIP6, hlim=63), UDP(sport=PORT, dport=53), b"who?")
    assert (found.family, found.protocol, found.ttl, found.ports) == (6, 17, 63, (PORT, 53))
    assert (found.source, found.destination, found.payload[8:]) == (CIP6, VIP6, b"who?")
    assert (
        found.unrouted
        == packet(IPv6(src=CIP6, dst=VIP6, hlim=9), UDP(sport=PORT, dport=53), b"who?").unrouted
    )


@pytest.mark.parametrize(
    ("outer", "inner"),
    [
        (IP(src="10.0.0.1", dst="10.0.0.2"), IP(src=CIP, dst=VIP)),
        (IPv6(src="fd00::1", dst="fd00::2"), IPv6(dst=VIP6)),
    ],
    ids=["IPv4", "IPv6"],
)
def test_a_packet_in_another_is_found_and_belongs_to_its_connection(outer: Any, inner: Any) -> None:
    tunnelled = packet(outer, inner, TCP(sport=PORT, dport=80))
    assert tunnelled.carried is not None
    assert tunnelled.carried.ports == (PORT, 80)
    assert Path([tunnelled.frame], PORT).packets == [tunnelled]
    assert Path([tunnelled.frame], PORT, "UDP").packets == []
    assert packet(inner, TCP(sport=PORT, dport=80)).carried is None


def test_translation_leaves_the_content_alone() -> None:
    before = packet(IP(src=CIP, dst=VIP), TCP(sport=PORT, dport=80, seq=5), b"GET /")
    after = packet(IP(src=CIP, dst="172.16.11.21"), TCP(sport=PORT, dport=8080, seq=5), b"GET /")
    assert before.payload != after.payload
    assert before.content == after.content
    assert (
        before.content
        != packet(IP(src=CIP, dst=VIP), TCP(sport=PORT, dport=80, seq=6), b"GET /").content
    )


@pytest.mark.parametrize(
    "ip", [IP(src=CIP, dst=VIP), IPv6(src=CIP6, dst=VIP6)], ids=["IPv4", "IPv6"]
)
@pytest.mark.parametrize(
    "layer", [TCP(sport=PORT, dport=80), UDP(sport=PORT, dport=53)], ids=["TCP", "UDP"]
)
@pytest.mark.parametrize("text", [b"even", b"odd"])
def test_a_changed_byte_shows_in_the_checksums(ip: Any, layer: Any, text: bytes) -> None:
    good = packet(ip, layer, text)
    assert good.intact
    data = good.frame.data
    for at in (
        len(data) - 5,
        good.start + good.header_length,
        good.start + 15,
    ):  # the text, a port, an address
        changed = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        assert not Packet(Frame(1, "director1", "eth0", True, changed)).intact


@pytest.mark.parametrize(
    ("complaint", "refused"),
    [
        (IP(src=VIP, dst=CIP) / ICMP(type=3, code=4), IP(src=CIP, dst=VIP)),
        (IPv6(src=VIP6, dst=CIP6) / ICMPv6PacketTooBig(), IPv6(src=CIP6, dst=VIP6)),
    ],
    ids=["IPv4", "IPv6"],
)
def test_a_complaint_of_size_belongs_to_the_connection_that_it_is_about(
    complaint: Any, refused: Any
) -> None:
    told = packet(complaint, refused / TCP(sport=PORT, dport=80))
    assert Path([told.frame], PORT).too_big == [told]
    assert Path([told.frame], PORT + 1).too_big == []
    assert (
        Path(
            [packet(IP(dst=CIP) / ICMP(type=3, code=3), refused / TCP(sport=PORT)).frame], PORT
        ).too_big
        == []
    )
