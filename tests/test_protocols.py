"""Frames to events: what scapy builds is what the observers say was on the wire."""

from __future__ import annotations

import socket
import struct

import pytest
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.inet6 import (
    ICMPv6ND_NA,
    ICMPv6ND_NS,
    ICMPv6ND_RA,
    ICMPv6NDOptDstLLAddr,
    ICMPv6NDOptSrcLLAddr,
    IPv6,
)
from scapy.layers.l2 import ARP, Ether
from scapy.layers.vrrp import VRRP, VRRPv3
from scapy.packet import Packet
from scapy.utils import checksum

from harness.events import Advertisement, Value
from harness.observers import protocols
from harness.observers.packets import Frame
from harness.timeline import Timeline

MAC, OTHER = "02:00:00:00:01:00", "02:00:00:00:02:00"
BROADCAST = "ff:ff:ff:ff:ff:ff"
DIP, VIP = "172.16.10.11", "172.16.10.50"
TO_ROUTERS = Ether(src=MAC, dst="01:00:5e:00:00:12") / IP(
    src=DIP, dst="224.0.0.18", ttl=255, proto=112
)


def frame(packet: Ether, sent: bool = True) -> Frame:
    return Frame(1.5, "director1", "eth0", sent, bytes(packet))


def event(packet: Ether, sent: bool = True) -> tuple[str, float, str, dict[str, Value]]:
    timeline = Timeline()
    protocols.record(frame(packet, sent), timeline)
    (recorded,) = timeline.events()
    return recorded.node, recorded.at, recorded.kind, recorded.details


@pytest.mark.parametrize("sent", [True, False])
def test_version_2_advertisement(sent: bool) -> None:
    packet = TO_ROUTERS / VRRP(
        vrid=51, priority=100, adv=3, addrlist=[VIP], authtype=1, auth1=0x6C76732D
    )
    assert event(packet, sent) == (
        "director1",
        1.5,
        "advertisement",
        {
            "interface": "eth0",
            "sent": sent,
            "vrid": 51,
            "priority": 100,
            "source": DIP,
            "interval": 3,
            "version": 2,
            "destination": "224.0.0.18",
            "addresses": VIP,
            "count": 1,
            "type": 1,
            "ttl": 255,
            "checksum": True,
            "pseudo_header": None,
            "length": 20,
            "authentication": "pass",
        },
    )


def test_version_2_with_an_authentication_header() -> None:
    """keepalived puts ``auth_type AH`` between IP and VRRP, in 24 bytes (``vrrp_ipsecah.h``)."""
    header = bytes([112, 4]) + bytes(22)
    to_routers = Ether(src=MAC, dst="01:00:5e:00:00:12") / IP(
        src=DIP, dst="224.0.0.18", ttl=255, proto=51
    )
    message = VRRP(vrid=51, priority=100, adv=3, addrlist=[VIP], authtype=2)

    _, _, kind, details = event(to_routers / header / message)

    assert kind == "advertisement"
    assert (details["vrid"], details["priority"], details["addresses"]) == (51, 100, VIP)


def test_version_3_advertisement_counts_hundredths() -> None:
    packet = TO_ROUTERS / VRRPv3(vrid=7, priority=0, adv=25, addrlist=[VIP])
    details = event(packet)[3]
    assert (details["vrid"], details["priority"], details["interval"], details["version"]) == (
        7,
        0,
        0.25,
        3,
    )


def test_version_3_advertisement_over_ipv6_is_known() -> None:
    packet = (
        Ether(src=MAC, dst="33:33:00:00:00:12")
        / IPv6(src="fe80::1", dst="ff02::12", nh=112)
        / VRRPv3(vrid=7, addrlist=["fd00:10::50", "fe80::50"])
    )
    _, _, kind, details = event(packet)
    assert (kind, details["source"], details["destination"]) == (
        "advertisement",
        "fe80::1",
        "ff02::12",
    )
    assert details["addresses"] == "fd00:10::50 fe80::50"


@pytest.mark.parametrize(
    ("message", "operation", "mac", "unsolicited"),
    [
        (
            ICMPv6ND_NA(tgt="fd00:10::50", R=0, S=0, O=1) / ICMPv6NDOptDstLLAddr(lladdr=MAC),
            "advertisement",
            MAC,
            True,
        ),
        (
            ICMPv6ND_NA(tgt="fd00:10::50", R=0, S=1, O=1) / ICMPv6NDOptDstLLAddr(lladdr=MAC),
            "advertisement",
            MAC,
            False,
        ),
        (
            ICMPv6ND_NS(tgt="fd00:10::50") / ICMPv6NDOptSrcLLAddr(lladdr=MAC),
            "solicitation",
            None,
            False,
        ),
        (ICMPv6ND_NS(tgt="fd00:10::50"), "solicitation", None, False),
    ],
)
def test_neighbour_discovery(
    message: Packet, operation: str, mac: str | None, unsolicited: bool
) -> None:
    _, _, kind, details = event(
        Ether(src=MAC, dst="33:33:00:00:00:01") / IPv6(src="fe80::1", dst="ff02::1") / message
    )
    assert kind == "ndp"
    assert details == {
        "interface": "eth0",
        "sent": True,
        "operation": operation,
        "sender": "fe80::1",
        "target": "fd00:10::50",
        "target_mac": mac,
        "unsolicited": unsolicited,
    }


@pytest.mark.parametrize(
    ("arp", "operation", "target", "gratuitous"),
    [
        (ARP(op=1, hwsrc=MAC, psrc=DIP, pdst=VIP), "request", VIP, False),
        (ARP(op=2, hwsrc=MAC, psrc=DIP, pdst=VIP, hwdst=OTHER), "reply", VIP, False),
        (ARP(op=1, hwsrc=MAC, psrc=DIP, pdst=DIP), "request", DIP, True),
        (ARP(op=2, hwsrc=MAC, psrc=DIP, pdst=DIP, hwdst=BROADCAST), "reply", DIP, True),
        (ARP(op=8, hwsrc=MAC, psrc=DIP, pdst=VIP), "8", VIP, False),
    ],
)
def test_arp(arp: ARP, operation: str, target: str, gratuitous: bool) -> None:
    _, _, kind, details = event(Ether(src=MAC, dst=BROADCAST) / arp)
    assert kind == "arp"
    assert details == {
        "interface": "eth0",
        "sent": True,
        "operation": operation,
        "sender": DIP,
        "sender_mac": MAC,
        "target": target,
        "gratuitous": gratuitous,
    }


@pytest.mark.parametrize(
    "packet",
    [
        Ether(src=MAC, dst=OTHER) / IP(src=DIP, dst=VIP) / TCP(),
        Ether(src=MAC, dst=OTHER) / IP(src=DIP, dst=VIP) / UDP(),
        Ether(src=MAC, dst=OTHER) / IPv6() / TCP(),
        Ether(src=MAC, dst=OTHER) / IPv6() / ICMPv6ND_RA(),
        Ether(src=MAC, dst="01:80:c2:00:00:00", type=0x0026),
        Ether(src=MAC, dst=OTHER, type=0x0800),
    ],
)
def test_other_frames_are_no_events(packet: Ether) -> None:
    timeline = Timeline()
    protocols.record(frame(packet), timeline)
    assert protocols.kind_of(frame(packet)) is None
    assert timeline.events() == []


@pytest.mark.parametrize(
    ("packet", "whole"),
    [
        (TO_ROUTERS / VRRP(vrid=51, addrlist=[VIP]), 14 + 20),
        (Ether(src=MAC, dst=BROADCAST) / ARP(op=1, psrc=DIP, pdst=VIP), 42),
        (Ether(src=MAC, dst=OTHER) / IPv6() / ICMPv6ND_NS(tgt="fd00:10::50"), 14 + 40 + 24),
    ],
    ids=["advertisement", "ARP", "NDP"],
)
def test_frames_that_are_cut_short_are_no_events(packet: Ether, whole: int) -> None:
    data, timeline = bytes(packet), Timeline()
    for length in range(min(whole, len(data) + 1)):
        protocols.record(Frame(1.5, "director1", "eth0", True, data[:length]), timeline)
    assert timeline.events() == []


def test_the_harness_s_own_question_is_a_request_to_all() -> None:
    packet = Ether(protocols.arp_question(MAC, DIP, VIP))
    assert (packet.dst, packet.src) == (BROADCAST, MAC)
    assert event(packet)[3]["operation"] == "request"
    assert (packet[ARP].psrc, packet[ARP].pdst, packet[ARP].hwsrc) == (DIP, VIP, MAC)


WHOLE = TO_ROUTERS / VRRP(vrid=51, priority=100, addrlist=[VIP])


@pytest.mark.parametrize("length", [0, 1, 7, 8, 12, 19])
def test_advertisement_that_is_cut_short_is_one_that_every_receiver_discards(length: int) -> None:
    timeline, data = Timeline(), bytearray(bytes(WHOLE)[: 34 + length])
    data[16:18] = (20 + length).to_bytes(2, "big")
    protocols.record(Frame(1.5, "director1", "eth0", True, bytes(data)), timeline)
    (advert,) = timeline.events(Advertisement)
    assert advert.length == length
    shown = (
        f"only {length} of the first 8 bytes"
        if length < 8
        else f"{length} bytes instead of {advert.whole}"
    )
    assert advert.flaw == shown


@pytest.mark.parametrize("at", [0, 1, 2, 5, 6, 7, 8, 19])
@pytest.mark.parametrize(
    "packet",
    [
        TO_ROUTERS / VRRP(vrid=51, addrlist=[VIP]),
        TO_ROUTERS / VRRPv3(vrid=51, addrlist=[VIP, DIP, DIP]),
        Ether(src=MAC)
        / IPv6(src="fe80::1", dst="ff02::12", nh=112, hlim=255)
        / VRRPv3(vrid=7, addrlist=["fe80::50"]),
    ],
    ids=["v2", "v3", "IPv6"],
)
def test_checksum_covers_every_byte(packet: Ether, at: int) -> None:
    timeline, data = Timeline(), bytearray(bytes(packet))
    protocols.record(Frame(1, "director1", "eth0", True, bytes(data)), timeline)
    data[(54 if IPv6 in packet else 34) + at] ^= 1
    protocols.record(Frame(2, "director1", "eth0", True, bytes(data)), timeline)
    right, wrong = timeline.events(Advertisement)
    assert (right.checksum, right.flaw, wrong.checksum) == (True, None, False)
    assert wrong.pseudo_header is None


def test_checksum_of_version_3_over_ipv4_has_a_pseudo_header_or_none() -> None:
    """RFC 5798 section 5.2.8, and RFC 9568 without it."""
    timeline, frame = Timeline(), TO_ROUTERS / VRRPv3(vrid=51, addrlist=[VIP])
    alone = bytearray(bytes(frame))
    alone[40:42] = b"\0\0"
    alone[40:42] = checksum(bytes(alone[34:])).to_bytes(2, "big")
    for at, data in enumerate((bytes(frame), bytes(alone))):
        protocols.record(Frame(at, "director1", "eth0", True, data), timeline)

    told = [(event.checksum, event.pseudo_header) for event in timeline.events(Advertisement)]

    assert told == [(True, True), (True, False)]


def test_checksum_of_unicast_may_be_of_the_multicast_address() -> None:
    """keepalived before 1.3.6, and with ``old_unicast_checksum``."""
    timeline, old = Timeline(), bytearray(bytes(TO_ROUTERS / VRRPv3(vrid=51, addrlist=[VIP])))
    old[30:34] = socket.inet_aton("172.16.10.12")
    wrong = bytearray(old)
    wrong[36] ^= 1
    for at, data in enumerate((old, wrong)):
        protocols.record(Frame(at, "director1", "eth0", True, bytes(data)), timeline)

    told = [(event.checksum, event.pseudo_header) for event in timeline.events(Advertisement)]

    assert told == [(True, True), (False, None)]


def test_padding_of_ethernet_is_no_part_of_an_advertisement() -> None:
    timeline = Timeline()
    protocols.record(Frame(1, "director1", "eth0", True, bytes(WHOLE) + bytes(6)), timeline)
    (advert,) = timeline.events(Advertisement)
    assert (advert.length, advert.flaw) == (20, None)


def a_connection(kind: int, protocol: int, state: int, *addresses: str) -> bytes:
    """``struct ip_vs_sync_v4`` or ``_v6`` of the kernel's ip_vs_sync.c."""
    family = socket.AF_INET6 if kind else socket.AF_INET
    packed = b"".join(socket.inet_pton(family, address) for address in addresses)
    return (
        struct.pack(
            "!BBHIHHHHII", kind, protocol, 24 + len(packed), 0, state, 40000, 80, 8080, 0, 900
        )
        + packed
    )


def told(*connections: bytes, version: int = 1) -> Ether:
    body = b"".join(connections)
    message = struct.pack("!BBHBbH", 0, 51, 8 + len(body), len(connections), version, 0) + body
    to_daemons = IP(src=DIP, dst="224.0.0.81", ttl=1) / UDP(sport=40001, dport=8848)
    return Ether(src=MAC, dst="01:00:5e:00:00:51") / to_daemons / message


def test_what_a_sync_daemon_tells() -> None:
    packet = told(
        a_connection(0, 6, 1, "10.0.0.9", VIP, "10.0.1.1"),
        a_connection(1, 17, 0, "fd00::9", "fd00::50", "fd00::1"),
    )
    assert event(packet)[2:] == (
        "sync",
        {
            "interface": "eth0",
            "sent": True,
            "syncid": 51,
            "connections": f"TCP 10.0.0.9:40000 {VIP}:80 10.0.1.1:8080 ESTABLISHED, "
            "UDP [fd00::9]:40000 [fd00::50]:80 [fd00::1]:8080 0",
        },
    )


def test_a_message_that_is_cut_short_or_of_another_version_is_no_event() -> None:
    timeline = Timeline()
    whole = told(a_connection(0, 6, 1, "10.0.0.9", VIP, "10.0.1.1"))
    for length in range(42, len(whole)):
        protocols.record(Frame(1.5, "director1", "eth0", True, bytes(whole)[:length]), timeline)
    protocols.record(frame(told(version=0)), timeline)
    assert timeline.events() == []
