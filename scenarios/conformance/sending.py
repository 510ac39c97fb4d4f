"""What a master is to send, rule by rule, and whether it does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from harness.cluster import Cluster
from harness.events import Advertisement, Arp, Ndp
from scenarios.conformance import observing
from scenarios.conformance.vectors import BY_9568, PASSWORD, Kind


@dataclass(frozen=True)
class Duty:
    """A rule for the sender: ``check`` is given the cluster and says whether it is kept."""

    name: str
    rule: str
    level: str
    check: Callable[[Cluster], bool]


def heard(cluster: Cluster) -> list[Any]:
    """The director's advertisements of VRID 51 as scapy reads them, from two intervals of its
    reign.
    """
    from scapy.layers.inet import IP
    from scapy.layers.inet6 import IPv6
    from scapy.layers.l2 import Ether

    cluster.settle()
    since = cluster.timeline.now()
    cluster.timeline.let_pass(2.0 + cluster.slack)
    found = []
    for frame in cluster.recorder.frames(since):
        if frame.node == "director1" and frame.sent:
            packet = Ether(frame.data)
            around: Any = packet.getlayer(IP) or packet.getlayer(IPv6)
            if (around is not None and getattr(around, "proto", None) == 112) or getattr(
                around, "nh", None
            ) == 112:
                message = bytes(around.payload)
                if message[1:2] == bytes([51]):
                    found.append((packet, around, message))
    return found


def every(check: Callable[[Any, Any, bytes, Cluster], bool]) -> Callable[[Cluster], bool]:
    """Whether each of the director's advertisements passes; none at all is a failure."""

    def passes(cluster: Cluster) -> bool:
        found = heard(cluster)
        return bool(found) and all(
            check(packet, around, message, cluster) for packet, around, message in found
        )

    return passes


def _checksum(with_header: bool) -> Callable[[Any, Any, bytes, Cluster], bool]:
    def right(packet: Any, around: Any, message: bytes, cluster: Cluster) -> bool:
        from scapy.layers.inet import in4_chksum
        from scapy.layers.inet6 import in6_chksum
        from scapy.utils import checksum

        if not with_header:
            return int(checksum(message)) == 0
        over: Callable[[int, Any, bytes], int] = in4_chksum if around.version == 4 else in6_chksum
        return over(112, around, message) == 0

    return right


def _answers(**lies: Any) -> Callable[[Cluster], bool]:
    return lambda cluster: observing.ask_master(cluster, [lies]).answered


def _announced_after(cluster: Cluster) -> bool:
    """Whether it advertises before it tells the LAN of its addresses."""
    (director,) = cluster.directors
    cluster.settle()  # one that obeys nobody is master from now on, and so never becomes it again
    since = observing.depose(cluster)
    observing.wait_master(cluster, director, since)
    cluster.timeline.let_pass(observing.SOON)
    first = cluster.timeline.events(Advertisement, node=director.name, since=since, sent=True)[:1]
    arps = cluster.timeline.events(Arp, node=director.name, since=since, sent=True, gratuitous=True)
    ndps = cluster.timeline.events(
        Ndp, node=director.name, since=since, sent=True, unsolicited=True
    )
    told = [event.at for event in (*arps, *ndps)]
    return bool(first) and bool(told) and first[0].at <= min(told)


def duties(kind: Kind) -> list[Duty]:
    """The rules for a sender of a kind."""
    rfc = kind.rfc
    group = "ff02::12" if kind.family == 6 else "224.0.0.18"
    ttl = {(4, 2): "5.2.3", (4, 3): "5.1.1.3", (6, 3): "5.1.2.3"}[kind.family, kind.version]
    mac = "00:00:5e:00:02:33" if kind.family == 6 else "00:00:5e:00:01:33"
    hops = "hlim" if kind.family == 6 else "ttl"
    pseudo = kind.family == 6
    found = [
        Duty(
            "sends: TTL",
            f"{rfc} {ttl}: it is 255",
            "MUST",
            every(lambda p, a, m, c: getattr(a, hops) == 255),
        ),
        Duty(
            "sends: destination",
            f"{rfc} 7.2: the VRRP group",
            "MUST",
            every(lambda p, a, m, c: a.dst == group),
        ),
        Duty(
            "sends: source MAC",
            f"{rfc} 7.2: the virtual router's",
            "MUST",
            every(lambda p, a, m, c: p.src == mac),
        ),
        Duty(
            "sends: source address", f"{rfc} 7.2: the interface's own", "MUST", every(_own_source)
        ),
        Duty(
            "sends: checksum",
            f"{rfc} {'5.2.8' if kind.version == 3 else '5.3.8'}:"
            f" {'with' if pseudo else 'without'} the pseudo-header",
            "MUST",
            every(_checksum(pseudo)),
        ),
        Duty(
            "answers: priority 0",
            f"{rfc} 6.4.3: a master advertises at once",
            "MUST",
            _answers(priority=0),
        ),
        Duty(
            "takes over: order",
            f"{rfc} 6.4.2: it advertises, then tells the LAN",
            "MUST",
            _announced_after,
        ),
    ]
    if kind is BY_9568:
        return [duty for duty in found if duty.name == "sends: checksum"]
    if kind.version == 3:
        lower = f"{rfc} 6.4.3: a master advertises at once to assert itself"
        found.append(Duty("answers: a lower priority", lower, "MUST", _answers(priority=1)))
        zero = f"{rfc} 5.2.6: reserved bits are 0"
        found.append(
            Duty("sends: reserved bits", zero, "MUST", every(lambda p, a, m, c: m[4] >> 4 == 0))
        )
    elif kind is not PASSWORD:
        data = f"{rfc} 5.3.10: authentication data are 0"
        found.append(
            Duty(
                "sends: authentication data",
                data,
                "SHOULD",
                every(lambda p, a, m, c: m[-8:] == bytes(8)),
            )
        )
    return found


def _own_source(packet: Any, around: Any, message: bytes, cluster: Cluster) -> bool:
    return (
        str(around.src).startswith("fe80::")
        if around.version == 6
        else around.src == cluster.directors[0].ip
    )
