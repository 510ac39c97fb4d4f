"""The packets between machines, from a capture as it is written: who sent each, who received
it, and what it is.
"""

from __future__ import annotations

import socket
import struct
from pathlib import Path

import pytest

from harness.events import make
from harness.report import broadcasts, captures, ladder, pcapng

ORIGIN = 1_767_225_600_000_000_005
CLIENT, VIP = socket.inet_aton("10.0.0.9"), socket.inet_aton("10.0.0.50")


def ipv4(protocol: int, payload: bytes, source: bytes = CLIENT, destination: bytes = VIP) -> bytes:
    head = struct.pack(
        "!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), 0, 0, 64, protocol, 0, source, destination
    )
    return head + payload


def frame(packet: bytes, kind: bytes = b"\x08\x00") -> bytes:
    return bytes(12) + kind + packet


def tcp(flags: int, data: bytes = b"") -> bytes:
    return struct.pack("!HHIIBBHHH", 40000, 80, 0, 0, 0x50, flags, 0, 0, 0) + data


SYN = frame(ipv4(6, tcp(2)))


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    """The client asks the director, which asks the server; who asks a second time is not heard."""
    path = tmp_path / "capture.pcapng"
    comment = f"test_x: second 0 of the timeline is {ORIGIN // 10**9}.{ORIGIN % 10**9:09}"
    writer = pcapng.Writer(path, ["client eth0", "director eth0", "server eth0"], comment)
    garp = frame(b"arp", b"\x08\x06")
    writer.write(
        [
            pcapng.packet(1, ORIGIN + 10**9, SYN, sent=False),
            pcapng.packet(0, ORIGIN + 10**9, SYN, sent=True, comment="client request"),
            pcapng.packet(0, ORIGIN + 2 * 10**9, SYN, sent=True),
            pcapng.packet(
                1, ORIGIN + 3 * 10**9, garp, sent=True, comment="gratuitous ARP: 10.0.0.50 is at x"
            ),
            pcapng.packet(0, ORIGIN + 3 * 10**9, garp, sent=False),
            pcapng.packet(2, ORIGIN + 3 * 10**9 + 5, garp, sent=False),
        ]
    )
    writer.close()
    return path


def test_each_packet_is_one_rung_with_all_who_received_it(capture: Path) -> None:
    rungs = ladder.of_capture(captures.journeys(capture.read_bytes()))
    assert rungs == [
        ladder.Rung(
            1.0,
            "client",
            ("director",),
            "tcp",
            "TCP SYN 10.0.0.9:40000 > 10.0.0.50:80  (client request)",
        ),
        ladder.Rung(2.0, "client", (), "tcp", "TCP SYN 10.0.0.9:40000 > 10.0.0.50:80"),
        ladder.Rung(
            3.0, "director", ("client", "server"), "arp", "gratuitous ARP: 10.0.0.50 is at x"
        ),
    ]
    assert captures.origin(capture.read_bytes()) == ORIGIN
    assert rungs[2].as_json(zero=1.5) == [1500.0, *rungs[2].as_json(0)[1:]]


@pytest.mark.parametrize("length", [0, 4, 11, 12, 30, 99, 200, 300, 400])
def test_what_is_cut_short_is_read_as_far_as_it_goes(capture: Path, length: int) -> None:
    whole = captures.journeys(capture.read_bytes())
    part = captures.journeys(capture.read_bytes()[:length])
    assert [each.at for each in part] == [each.at for each in whole][: len(part)]


@pytest.mark.parametrize(
    "data", [b"\n\r\r\n" + bytes(40), b"\xff" * 100, b"\n\r\r\n\x0c\0\0\0" * 9]
)
def test_what_is_no_capture_has_no_packets(data: bytes) -> None:
    assert captures.journeys(data) == []
    assert captures.origin(data) == 0


@pytest.mark.parametrize(
    ("data", "protocol", "said"),
    [
        (
            frame(ipv4(6, tcp(24, b"GET /"))),
            "tcp",
            "TCP ACK PSH, 5 bytes 10.0.0.9:40000 > 10.0.0.50:80",
        ),
        (
            frame(ipv4(17, struct.pack("!HHHH", 5, 53, 8, 0))),
            "udp",
            "UDP 10.0.0.9:5 > 10.0.0.50:53",
        ),
        (
            frame(ipv4(4, ipv4(6, tcp(4)))),
            "tcp",
            "TCP RST 10.0.0.9:40000 > 10.0.0.50:80, tunnelled to 10.0.0.50",
        ),
        (frame(ipv4(112, b"")), "vrrp", "VRRP 10.0.0.9 > 10.0.0.50"),
        (frame(ipv4(1, b"")), "icmp", "ICMP 10.0.0.9 > 10.0.0.50"),
        (frame(ipv4(99, b"")), "ip", "IP protocol 99 10.0.0.9 > 10.0.0.50"),
        (frame(bytes(6) + b"\x3a" + bytes(33), b"\x86\xdd"), "icmpv6", "ICMPv6 :: > ::"),
        (frame(b"", b"\x88\xcc"), "frame", "Ethernet type 88cc"),
        (SYN[:40], "frame", "cut short"),
        (b"", "frame", "Ethernet type "),
    ],
)
def test_what_a_packet_is_stands_in_its_bytes(data: bytes, protocol: str, said: str) -> None:
    assert ladder.described(data) == (protocol, said)


def test_of_two_equal_packets_each_has_its_own_receiver(tmp_path: Path) -> None:
    """A retransmission is the same to the byte."""
    path = tmp_path / "capture.pcapng"
    writer = pcapng.Writer(path, ["client eth0", "director eth0"], "")
    sent = [pcapng.packet(0, 10**9 * at, SYN, sent=True) for at in (1, 2)]
    received = [pcapng.packet(1, 10**9 * at + 9, SYN, sent=False) for at in (1, 2)]
    writer.write([*sent, *received])
    writer.close()
    assert [each.to for each in captures.journeys(path.read_bytes())] == [
        ["director"],
        ["director"],
    ]


def test_a_broadcast_is_one_event_with_all_who_heard_it() -> None:
    def advert(at: float, node: str) -> object:
        return make("advertisement", at, node, sent=node == "d1", vrid=51, priority=100)

    events = [advert(at, node) for at in (1, 2) for node in ("c", "d1", "d2")]
    lost = make(
        "arp", 3, "d2", sent=False, sender="10.0.0.1", operation="request", target="10.0.0.2"
    )
    found = broadcasts.told([*events, lost])  # type: ignore[list-item]
    assert [(each.event.at, each.event.node, each.heard_by) for each in found] == [
        (1, "d1", ("c", "d2")),
        (2, "d1", ("c", "d2")),
        (3, "d2", ()),
    ]
    assert [rung.node for rung in ladder.of_events(found)] == ["d1", "d1"]
