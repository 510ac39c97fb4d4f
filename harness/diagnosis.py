"""Misconfigurations told by name, from what was recorded: pure functions over a timeline and what
was meant.

Each diagnosis needs evidence of its own; none is a guess from the symptom alone. What shows only in
keepalived's words is told by its words, as 2.2.7 has them.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Final

from harness import measures
from harness.clock import Instant
from harness.events import AddressChanged, Advertisement, Arp, Log
from harness.timeline import EVER, Timeline
from harness.topology import VrrpInstance


@dataclass(frozen=True)
class Setup:
    """What was meant: each director's VRRP instances, each real server's VIPs, and by machine the
    gateway that it uses.

    ``nat`` are the real servers that are forwarded to by NAT. The VIPs of the directors in
    ``standing`` are always there, so that holding one says nothing.
    """

    directors: Mapping[str, tuple[VrrpInstance, ...]]
    servers: Mapping[str, tuple[str, ...]]
    gateways: Mapping[str, str]
    nat: frozenset[str] = frozenset()
    standing: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Diagnosis:
    """A misconfiguration: its ``name``, the machines it is on or between, the evidence for it, and
    what to do.
    """

    name: str
    nodes: tuple[str, ...]
    evidence: str
    cure: str

    def __str__(self) -> str:
        return f"{self.name} ({', '.join(self.nodes)}): {self.evidence}; {self.cure}"


def diagnose(timeline: Timeline, setup: Setup, since: Instant = EVER) -> list[Diagnosis]:
    """Every misconfiguration for which there is evidence since an instant, each once.

    A mere symptom is told only where no misconfiguration is found that would explain it.
    """
    found: list[Diagnosis] = []
    for detector in DETECTORS:
        for each in detector(timeline, setup, since):
            if not any(
                each.name == other.name and set(each.nodes) < set(other.nodes) for other in found
            ):
                found.append(each)
    return found or [each for symptom in SYMPTOMS for each in symptom(timeline, setup, since)]


# -- advertisements ------------------------------------------------------------


def _advertisers(timeline: Timeline, since: Instant) -> list[Advertisement]:
    """The last advertisement that each machine sent of each VRID."""
    sent = timeline.events(Advertisement, since=since, sent=True)
    return list({(event.node, event.vrid): event for event in sent if event.priority}.values())


def _pairs(timeline: Timeline, since: Instant) -> Iterator[tuple[Advertisement, Advertisement]]:
    return combinations(_advertisers(timeline, since), 2)


def vrid_mismatch(timeline: Timeline, setup: Setup, since: Instant) -> Iterator[Diagnosis]:
    """Two directors claim the same VIPs under different VRIDs, and so never hear of each other."""
    for one, other in _pairs(timeline, since):
        if one.node != other.node and one.addresses == other.addresses and one.vrid != other.vrid:
            yield Diagnosis(
                "VRID mismatch", (one.node, other.node),
                f"{one.addresses} is advertised as VRID {one.vrid} and as VRID {other.vrid}",
                "give both the same virtual_router_id",
            )  # fmt: skip


def foreign_cluster(timeline: Timeline, setup: Setup, since: Instant) -> Iterator[Diagnosis]:
    """Two clusters on one LAN use one VRID: each discards the other's advertisements as wrong."""
    for one, other in _pairs(timeline, since):
        vips, others = set(one.addresses.split()), set(other.addresses.split())
        apart = (
            vips and others and vips.isdisjoint(others)
        )  # who has none has made a mistake of another kind
        if one.vrid == other.vrid and apart and _arrived(timeline, one, other.node, since):
            yield Diagnosis(
                "foreign cluster with the same VRID", (one.node, other.node),
                f"VRID {one.vrid} is advertised with {one.addresses} and with {other.addresses}",
                "give each cluster on a LAN a virtual_router_id of its own",
            )  # fmt: skip


def advert_int_mismatch(timeline: Timeline, setup: Setup, since: Instant) -> Iterator[Diagnosis]:
    """Version 2 discards advertisements of another interval than its own (RFC 3768 section 7.1)."""
    for one, other in _pairs(timeline, since):
        if (one.vrid, one.version) == (other.vrid, 2) and one.interval != other.interval:
            yield Diagnosis(
                "advert_int mismatch", (one.node, other.node),
                f"VRID {one.vrid} is advertised every {one.interval} s and every"
                f" {other.interval} s",
                "give both the same advert_int",
            )  # fmt: skip


def multicast_blocked(timeline: Timeline, setup: Setup, since: Instant) -> Iterator[Diagnosis]:
    """Two directors advertise one VRID, and what one sends does not arrive at the other."""
    for one, other in _pairs(timeline, since):
        if one.vrid != other.vrid or one.addresses != other.addresses:
            continue
        for speaker, listener in ((one, other), (other, one)):
            if speaker.node != listener.node and not _arrived(
                timeline, speaker, listener.node, since
            ):
                yield Diagnosis(
                    "multicast blocked", (speaker.node, listener.node),
                    f"nothing that {speaker.node} advertises of VRID {speaker.vrid}"
                    f" reaches {listener.node}",
                    "let protocol 112 to 224.0.0.18 pass on the way, or use unicast_peer",
                )  # fmt: skip


def weight_below_the_gap(timeline: Timeline, setup: Setup, since: Instant) -> Iterator[Diagnosis]:
    """A master lowers its priority, which was to move the VIP, and is still above all others."""
    for name, instances in setup.directors.items():
        for instance in instances:
            sent = timeline.events(
                Advertisement, node=name, since=since, sent=True, vrid=instance.vrid
            )
            lowest = min(
                (event.priority for event in sent if event.priority), default=instance.priority
            )
            others = [
                other.effective_priority()
                for director, each in setup.directors.items() if director != name
                for other in each if other.vrid == instance.vrid
            ]  # fmt: skip
            if others and max(others) < lowest < instance.effective_priority():
                yield Diagnosis(
                    "weight not larger than the priority gap", (name,),
                    f"it lowered its priority from {instance.effective_priority()} to"
                    f" {lowest}, and the next is"
                    f" {max(others)}",
                    "give the script a weight beyond"
                    f" {instance.effective_priority() - max(others)}",
                )  # fmt: skip


def _arrived(timeline: Timeline, advert: Advertisement, listener: str, since: Instant) -> bool:
    """Whether anything that the sender of an advertisement said under this VRID reached
    ``listener``.
    """
    heard = measures.heard(timeline, listener, advert.vrid, since)
    return any(event.source == advert.source for event in heard)


# -- addresses -----------------------------------------------------------------


def no_arp_protection(timeline: Timeline, setup: Setup, since: Instant) -> Iterator[Diagnosis]:
    """A real server names the VIP as its own in ARP."""
    for server, vips in setup.servers.items():
        told = timeline.events(Arp, node=server, since=since, sent=True)
        if named := sorted({event.sender for event in told} & set(vips)):
            yield Diagnosis(
                "no ARP protection", (server,), f"it says in ARP that {named[0]} is at"
                                                " its own hardware address",
                "set arp_ignore=1 and arp_announce=2 there, before the VIP is on lo",
            )  # fmt: skip


def vip_missing(timeline: Timeline, setup: Setup, since: Instant) -> Iterator[Diagnosis]:
    """A real server of DR or TUN does not hold the VIP: what is forwarded to it is not for it."""
    for server, vips in setup.servers.items():
        for vip in vips if server not in setup.nat else ():
            if server not in measures.owners(timeline, vip):
                yield Diagnosis(
                    "VIP missing on a real server",
                    (server,),
                    f"it does not hold {vip}",
                    f"put {vip}/32 on its lo",
                )


def vip_prefix(timeline: Timeline, setup: Setup, since: Instant) -> Iterator[Diagnosis]:
    """A VIP brings a route of its own, to a network wider than that of the LAN, with the VIP as
    source address.
    """
    for name, instances in setup.directors.items():
        vips = {vip for instance in instances for vip in instance.vips}
        held = vips | {vip for instance in instances for vip in instance.excluded_vips}
        added = timeline.events(AddressChanged, node=name, since=EVER, action="added")
        for event in added:
            own = [
                other.prefix
                for other in added
                if other.interface == event.interface
                and other.address not in held
                and (":" in other.address) == (":" in event.address)
            ]
            if event.address in vips and own and event.prefix < min(own):
                yield Diagnosis(
                    "VIP with the wrong prefix", (name,),
                    f"{event.address}/{event.prefix} on {event.interface}, whose own"
                    f" address has /{min(own)}",
                    "write the VIP without a prefix, or with /32",
                )  # fmt: skip
                break


def gateway_wrong(timeline: Timeline, setup: Setup, since: Instant) -> Iterator[Diagnosis]:
    """A real server behind NAT answers past the directors: its gateway is none of their
    addresses.
    """
    held = {
        event.address
        for name in setup.directors
        for event in timeline.events(AddressChanged, node=name)
    }
    for server in sorted(setup.nat):
        gateway = setup.gateways.get(server)
        if gateway not in held:
            yield Diagnosis(
                "real server's gateway wrong", (server,),
                f"its default route goes by {gateway or 'nobody'}, which no director has ever held",
                "make the directors' inner VIP its gateway",
            )  # fmt: skip


# -- keepalived's own words ----------------------------------------------------

_WORDS: Final = (
    (
        "authentication mismatch",
        re.compile(
            r"invalid passwd|authentication type mismatch|expected (no )?authentication", re.I
        ),
        "give all directors of a VRID the same auth_type and auth_pass",
    ),
    (
        "vrrp_strict drops what is sent to the VIP",
        re.compile(r"setting firewall drop rule"),
        "leave vrrp_strict out",
    ),
    (
        "advert_int mismatch",
        re.compile(r"advertisement interval mismatch"),
        "give all directors of a VRID the same advert_int",
    ),
    (
        "VRRP version mismatch",
        re.compile(r"wrong version\. Received"),
        "give all directors of a VRID the same vrrp_version",
    ),
    (
        "script not executable",
        re.compile(
            r"script .*(is not executable|cannot be accessed)|Couldn't find"
            r" executable|wrong file type found in script",
            re.I,
        ),
        "correct its path, or let script_user execute it",
    ),
    (
        "script owned by another user",
        re.compile(r"unsafe permissions", re.I),
        "let root own the script and every folder above it, and nobody else write there",
    ),
    (
        "VRRP on a loopback interface",
        re.compile(r"cannot use a loopback interface"),
        "name the interface of the LAN that the directors share",
    ),
)


def said(timeline: Timeline, setup: Setup, since: Instant) -> Iterator[Diagnosis]:
    """What keepalived itself complains of in its log."""
    words: dict[tuple[str, str], str] = defaultdict(str)
    cures = {name: cure for name, _, cure in _WORDS}
    for event in timeline.events(Log, since=since, daemon="keepalived"):
        for name, pattern, _ in _WORDS:
            if pattern.search(event.line) and (event.node, name) not in words:
                words[event.node, name] = event.said
    for (node, name), line in words.items():
        yield Diagnosis(name, (node,), line, cures[name])


SETTLED = 1.0
"""Seconds for which two directors hold a VIP that is more than a moment of a failover."""


def two_masters(timeline: Timeline, setup: Setup, since: Instant) -> Iterator[Diagnosis]:
    """Two directors hold one VIP, and have done so for a while: neither hears, or believes, the
    other.
    """
    events = timeline.events(since=since)
    if not events:
        return
    claimed = {
        vip for instances in setup.directors.values() for each in instances for vip in each.vips
    }
    for vip in sorted(claimed):
        added = {
            event.node: event.at
            for event in timeline.events(AddressChanged, address=vip, action="added")
            if event.node in setup.directors and event.node not in setup.standing
        }
        holders = [name for name in measures.owners(timeline, vip) if name in added]
        if len(holders) > 1 and events[-1].at - max(added[name] for name in holders) > SETTLED:
            yield Diagnosis(
                "two masters", tuple(holders), f"both hold {vip}",
                "compare what they advertise, to whom, and whether it arrives",
            )  # fmt: skip


Detector = Callable[[Timeline, Setup, Instant], Iterator[Diagnosis]]
DETECTORS: Final[tuple[Detector, ...]] = (
    vrid_mismatch,
    foreign_cluster,
    advert_int_mismatch,
    multicast_blocked,
    weight_below_the_gap,
    no_arp_protection,
    vip_missing,
    vip_prefix,
    gateway_wrong,
    said,
)
SYMPTOMS: Final[tuple[Detector, ...]] = (two_masters,)
"""What has many causes."""
