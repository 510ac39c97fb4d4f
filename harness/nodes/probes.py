"""What a director sends to a real server to check it, among all that it sends."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from harness.observers.packets import Frame
from harness.observers.paths import SYN, Packet, Path, Station, between, is_ip
from harness.topology import DnsCheck, PingCheck, UdpCheck, VirtualService
from harness.topology.checks import Check, NetworkCheck

_ECHO_REQUESTS = {1: 8, 58: 128}
"""The protocol, and the type of its echo request: RFC 792, RFC 4443 section 4.1."""


def protocol_of(check: Check) -> str | None:
    """By what a checker asks: TCP, UDP or ICMP; None for one of which :func:`probes` knows no
    packet.
    """
    if check.connects:
        return "TCP"
    if isinstance(check, DnsCheck | UdpCheck):
        return "UDP"
    return "ICMP" if isinstance(check, PingCheck) else None


def probes(
    frames: Sequence[Frame], service: VirtualService, sender: Station, receiver: Station
) -> list[Packet]:
    """The packets that begin a check of ``receiver``, in order: the first of a connection, a
    datagram, or an echo request.

    A service's clients have its packets forwarded with the same port, but from their own address.
    """
    found: list[Packet] = []
    for check in service.checks:
        protocol = protocol_of(check)
        own = check.port if isinstance(check, NetworkCheck) else None
        port = service.port if own is None else own
        if protocol == "TCP":
            found += [packet for packet in Path(frames, port).packets if packet.flags == SYN]
        elif protocol == "UDP":
            path = Path(frames, port, "UDP").packets
            found += [packet for packet in path if packet.ports[1] == port]
        elif protocol == "ICMP":
            found += _echo_requests(frames)
    return sorted(between(found, sender, receiver), key=lambda packet: packet.frame.at)


def _echo_requests(frames: Iterable[Frame]) -> list[Packet]:
    packets = [Packet(frame) for frame in frames if is_ip(frame)]
    return [
        packet
        for packet in packets
        if packet.payload and packet.payload[0] == _ECHO_REQUESTS.get(packet.protocol)
    ]
