"""What a diagnosis looks at beside the timeline: packets by the machines they pass, and kernels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from harness.diagnosis import Flow, Hop, Kernel
from harness.errors import HarnessError
from harness.kernels import choice
from harness.nodes import Node
from harness.observers.packets import Frame
from harness.observers.paths import Packet

_IPV4, _ETHERNET, _TCP, _IPIP = b"\x08\x00", 14, 6, 4
_SHORTEST = _ETHERNET + 20 + 20
_BUSY = 0.9
"""The share of the time for which no daemon computes that does its work, however much of it."""
_SHORT = 2
"""Seconds of processor time below which a share says nothing."""


def hops(frames: Iterable[Frame], nodes: Mapping[str, Node]) -> Iterator[Hop]:
    """Each TCP segment over IPv4 from one machine to another, as either of them saw it."""
    owner = {mac: name for name, node in nodes.items() for mac in node.macs}
    for frame in frames:
        data = frame.data
        if len(data) < _SHORTEST or data[12:14] != _IPV4 or data[23] not in (_TCP, _IPIP):
            continue
        sender, receiver = owner.get(data[6:12].hex(":")), owner.get(data[:6].hex(":"))
        packet = Packet(frame)
        inner = packet.carried or packet
        if sender is None or receiver is None or not _is_segment(inner):
            continue
        sequence = int.from_bytes(inner.payload[4:8], "big")
        flow = Flow(inner.source, inner.destination, inner.ports, sequence)
        arrived, tunnelled = not frame.sent, inner is not packet
        yield Hop(frame.at, sender, receiver, arrived, packet.ttl, len(packet.ip), flow, tunnelled)


def _is_segment(packet: Packet) -> bool:
    return packet.protocol == _TCP and packet.family == 4 and len(packet.payload) >= 20


def kernel(node: Node) -> Kernel:
    """What a machine's kernel says now. What it does not say, because it lacks it or the machine
    has no power, counts as nothing.
    """
    conf = "/proc/sys/net/ipv4/conf"
    names = ["all", *(each.name for each in node.plan.interfaces)]
    accepting = [_read(node, f"{conf}/{name}/accept_local").strip() for name in names]
    return Kernel(
        filtered=_counter(_read(node, "/proc/net/netstat"), "IPReversePathFilter"),
        tracked=int(_read(node, "/proc/sys/net/netfilter/nf_conntrack_count") or 0),
        trackable=int(_read(node, "/proc/sys/net/netfilter/nf_conntrack_max") or 0),
        accepts_local="1" in accepting,
        busy=dict(_busy(node)),
    )


def _read(node: Node, path: str) -> str:
    try:
        return node.machine.read(path)
    except (HarnessError, OSError):
        return ""


def _counter(text: str, name: str) -> int:
    """One of /proc/net/netstat: a line of names, and below it one of numbers."""
    lines = [line.split() for line in text.splitlines()]
    for names, numbers in zip(lines[::2], lines[1::2], strict=False):
        if name in names:
            return int(numbers[names.index(name)])
    return 0


def _busy(node: Node) -> Iterator[tuple[str, float]]:
    """Processes of its daemons that compute without rest, with the share of their life."""
    daemons = [daemon.name for daemon in node.daemons]
    if choice.virtual() or not node.machine.powered or not daemons:
        return  # in virtual time computing takes no time, and the watchdog ends what spins
    shown = node.machine.run(["ps", "-e", "-o", "times=,etimes=,comm="], check=False).stdout
    for line in shown.splitlines():
        spent, lived, name = line.split(None, 2)
        share = int(spent) / max(int(lived), 1)
        if (
            any(name.startswith(each) for each in daemons)
            and int(spent) >= _SHORT
            and share > _BUSY
        ):
            yield name, share
