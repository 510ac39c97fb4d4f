"""Captures as pcapng: what is written is what scapy reads, and what a frame is called."""

from __future__ import annotations

from pathlib import Path

import pytest
from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import ARP, Ether
from scapy.layers.vrrp import VRRP
from scapy.utils import PcapNgReader

from harness.lab.plan import make_topo, plan
from harness.report import pcapng
from harness.report.frames import Commenter
from topologies.director_pair import VIP, DirectorPair

BROADCAST = "ff:ff:ff:ff:ff:ff"
DIP, RIP, CIP = "172.16.10.11", "172.16.10.21", "172.16.10.100"
TO_ROUTERS = IP(src=DIP, dst="224.0.0.18", proto=112)
AT = 1_767_225_603_709_750_272


def test_what_is_written_is_read(tmp_path: Path) -> None:
    frames = [bytes([number]) * (60 + number) for number in range(4)]  # of every padding
    writer = pcapng.Writer(tmp_path / "c.pcapng", ["director1 eth0", "web1 eth0"], "a scenario")
    writer.write(
        pcapng.packet(n % 2, AT + n, data, sent=bool(n % 2), comment=f"frame {n}" if n else None)
        for n, data in enumerate(frames)
    )
    writer.close()

    with PcapNgReader(str(tmp_path / "c.pcapng")) as reader:
        read = list(reader)
    assert [bytes(packet) for packet in read] == frames
    assert [packet.sniffed_on for packet in read] == ["director1 eth0", "web1 eth0"] * 2
    assert [packet.direction for packet in read] == [1, 2, 1, 2]
    assert [packet.comments for packet in read] == [None, [b"frame 1"], [b"frame 2"], [b"frame 3"]]
    assert [round(packet.time * 10**9) for packet in read] == [AT + n for n in range(4)]


def test_a_capture_that_was_cut_short_holds_what_came_before(tmp_path: Path) -> None:
    whole = tmp_path / "c.pcapng"
    writer = pcapng.Writer(whole, ["director1 eth0"], "a scenario")
    writer.write([pcapng.packet(0, AT, bytes(60), sent=True)] * 3)
    whole.write_bytes(whole.read_bytes()[:-30])
    with PcapNgReader(str(whole)) as reader:
        assert len(list(reader)) == 2
    writer.close()


@pytest.mark.parametrize(
    ("packet", "comment"),
    [
        (TO_ROUTERS / VRRP(vrid=51, priority=100), "advertisement: VRID 51, priority 100"),
        (TO_ROUTERS / VRRP(vrid=51, priority=0), "advertisement: VRID 51, priority 0 (resigns)"),
        (
            ARP(op=1, psrc=VIP, pdst=VIP, hwsrc="02:00:00:00:01:00"),
            f"gratuitous ARP: {VIP} is at 02:00:00:00:01:00",
        ),
        (ARP(op=1, psrc=CIP, pdst=VIP), f"ARP: who has {VIP}?"),
        (
            ARP(op=2, psrc=VIP, pdst=CIP, hwsrc="02:00:00:00:01:00"),
            f"ARP: {VIP} is at 02:00:00:00:01:00",
        ),
        (IP(src=DIP, dst=RIP) / TCP(dport=80), "health check"),
        (IP(src=RIP, dst=DIP) / TCP(sport=80), "health check, answer"),
        (IP(src=CIP, dst=VIP) / TCP(dport=80), "client request"),
        (IP(src=VIP, dst=CIP) / TCP(sport=80), "client request, answer"),
        (
            IP(src="172.16.10.1", dst=VIP) / IP(src=CIP, dst=VIP) / TCP(dport=80),
            "client request, tunnelled",
        ),
        (IP(src=CIP, dst=RIP) / TCP(dport=80), "client request"),
        (IP(src=RIP, dst="172.16.10.22") / TCP(dport=80), None),
    ],
)
def test_frames_are_called_what_they_are(packet: IP | ARP, comment: str | None) -> None:
    commenter = Commenter(plan(make_topo(DirectorPair)))
    assert (
        commenter.comment(bytes(Ether(src="02:00:00:00:01:00", dst=BROADCAST) / packet)) == comment
    )


@pytest.mark.parametrize(
    "data", [b"", bytes(14), bytes(12) + b"\x08\x00" + b"\x45", bytes(12) + b"\x08\x06" + bytes(6)]
)
def test_frames_cut_short_have_no_comment(data: bytes) -> None:
    assert Commenter(plan(make_topo(DirectorPair))).comment(data) is None
