"""Which packets of a director's are checks of a real server."""

from dataclasses import dataclass, field

import pytest
from scapy.layers.inet import ICMP, IP, TCP, UDP
from scapy.layers.l2 import Ether
from scapy.packet import Packet

from harness.clock import Instant
from harness.nodes.probes import probes, protocol_of
from harness.observers.packets import Frame
from harness.topology import DnsCheck, HttpGet, MiscCheck, PingCheck, TcpCheck, VirtualService
from harness.topology.checks import Check

DIRECTOR, SERVER = "02:00:00:00:00:01", "02:00:00:00:00:02"


@dataclass
class Machine:
    name: str
    macs: set[str] = field(default_factory=set)


def sent(*payloads: Packet) -> list[Frame]:
    """Frames from the director to the real server, a second apart."""
    link = Ether(src=DIRECTOR, dst=SERVER) / IP(src="10.0.0.1", dst="10.0.0.2")
    return [
        Frame(Instant(number), "director1", "eth0", True, bytes(link / payload))
        for number, payload in enumerate(payloads)
    ]


PACKETS = sent(
    TCP(dport=80, flags="S"),
    TCP(dport=80, flags="A"),
    TCP(dport=8080, flags="S"),
    UDP(dport=80),
    UDP(dport=53),
    ICMP(type="echo-request"),
    ICMP(type="echo-reply"),
)


@pytest.mark.parametrize(
    ("check", "instants"),
    [
        (TcpCheck(), [0]),
        (HttpGet(port=8080), [2]),
        (DnsCheck("name.test"), [3]),
        (DnsCheck("name.test", port=53), [4]),
        (PingCheck(), [5]),
        (MiscCheck("/bin/true"), []),
    ],
)
def test_what_begins_a_check(check: Check, instants: list[int]) -> None:
    service = VirtualService("10.0.0.80", 80, check=check)
    found = probes(PACKETS, service, Machine("director1"), Machine("web1", {SERVER}))
    assert [packet.frame.at for packet in found] == instants
    assert (protocol_of(check) is not None) is bool(instants)


def test_packets_of_others_and_to_others_are_none() -> None:
    service = VirtualService("10.0.0.80", 80, check=TcpCheck())
    assert not probes(PACKETS, service, Machine("director2"), Machine("web1", {SERVER}))
    assert not probes(PACKETS, service, Machine("director1"), Machine("web2", {DIRECTOR}))
