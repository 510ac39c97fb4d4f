"""What a director sends to a real server to check it, among all that it sends."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from harness.observers.packets import Frame
from harness.observers.paths import SYN, Packet, Path, Station, between, is_ip
from harness.topology import DnsCheck, PingCheck, UdpCheck, VirtualService
from harness.topology.checks import Check, NetworkCheck

_ECHO_REQUESTS = {1: 8, 58: 128}
"""The protocol, and the type of its echo request: RFC 792, RFC 4443 section 4.1."""


def shows(check: Check) -> bool:
    """Whether a checker sends packets that :func:`probes` knows."""
    return check.connects or isinstance(check, DnsCheck | UdpCheck | PingCheck)


def probes(
    frames: Sequence[Frame], service: VirtualService, sender: Station, receiver: Station
) -> list[Packet]:
    """The packets that begin a check of ``receiver``, in order: the first of a connection, a
    datagram, or an echo request.

    A service's clients have its packets forwarded with the same port, but from their own address.
    """
    found: list[Packet] = []
    for check in service.checks:
        if not isinstance(check, NetworkCheck):
            continue
        port = service.port if check.port is None else check.port
        if isinstance(check, PingCheck):
            found += _echo_requests(frames)
        elif isinstance(check, DnsCheck | UdpCheck):
            path = Path(frames, port, "UDP").packets
            found += [packet for packet in path if packet.ports[1] == port]
        elif check.connects:
            found += [packet for packet in Path(frames, port).packets if packet.flags == SYN]
    return sorted(between(found, sender, receiver), key=lambda packet: packet.frame.at)


def _echo_requests(frames: Iterable[Frame]) -> list[Packet]:
    packets = [Packet(frame) for frame in frames if is_ip(frame)]
    return [
        packet
        for packet in packets
        if packet.payload and packet.payload[0] == _ECHO_REQUESTS.get(packet.protocol)
    ]
