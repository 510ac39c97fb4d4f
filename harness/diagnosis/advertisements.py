"""What directors say of themselves, and what of it the others hear."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import combinations
from typing import Final

from harness.clock import Instant
from harness.diagnosis.found import Diagnosis, Setup
from harness.events import MULTICAST, Advertisement
from harness.timeline import Timeline
from harness.topology.vrrp import OWNER_PRIORITY

NAMES: Final = (
    "VRID mismatch",
    "foreign cluster with the same VRID",
    "advert_int mismatch",
    "VRRP version mismatch",
    "VRRP checksum mismatch",
    "multicast blocked",
    "weight not larger than the priority gap",
    "two address owners",
    "unicast does not arrive",
    "unicast and multicast mixed",
    "unicast to an address at which keepalived does not listen",
    "firewall drops advertisements",
    "advertisement that everybody discards",
)
"""What it finds."""


TAKING_IN: Final = 0.02
"""Seconds in which a director has surely read what arrived at its wire."""

SILENT: Final = 3
"""Intervals for which a backup is silent after each advertisement (RFC 3768 section 6.1)."""


def _advertisers(timeline: Timeline, since: Instant) -> list[Advertisement]:
    """The last advertisement that each machine sent of each VRID."""
    sent = timeline.events(Advertisement, since=since, sent=True)
    return list({(event.node, event.vrid): event for event in sent if event.priority}.values())


def _pairs(timeline: Timeline, since: Instant) -> Iterator[tuple[Advertisement, Advertisement]]:
    return combinations(_advertisers(timeline, since), 2)


def _rivals(timeline: Timeline, since: Instant) -> Iterator[tuple[Advertisement, Advertisement]]:
    """Those of two machines that claim the same VIPs under the same VRID."""
    for one, other in _pairs(timeline, since):
        if (one.vrid, one.addresses) == (other.vrid, other.addresses):
            yield one, other


def vrid_mismatch(timeline: Timeline, setup: Setup, since: Instant) -> Iterator[Diagnosis]:
    """Two directors claim the same VIPs under different VRIDs, and so never hear of each other."""
    for one, other in _pairs(timeline, since):
        if one.node != other.node and one.addresses == other.addresses and one.vrid != other.vrid:
            yield Diagnosis(
                "VRID mismatch", (one.node, other.node),
                f"{one.addresses} is advertised as VRID {one.vrid} and as VRID {other.vrid}",
                "give both the same virtual_router_id",
                (one, other), "virtual_router_id",
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
                (one, other), "virtual_router_id",
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
                (one, other), "advert_int",
            )  # fmt: skip


def version_mismatch(timeline: Timeline, setup: Setup, since: Instant) -> Iterator[Diagnosis]:
    """Each discards what has another version than its own (RFC 5798 section 7.1)."""
    for one, other in _rivals(timeline, since):
        if one.version != other.version and _meet(timeline, one, other, since):
            yield Diagnosis(
                "VRRP version mismatch", (one.node, other.node),
                f"VRID {one.vrid} is advertised in version {one.version} and in version"
                f" {other.version}",
                "give all directors of a VRID the same vrrp_version",
                (one, other), "vrrp_version",
            )  # fmt: skip


def checksum_mismatch(timeline: Timeline, setup: Setup, since: Instant) -> Iterator[Diagnosis]:
    """Version 3 over IPv4 has a pseudo-header in its checksum by RFC 5798 and none by RFC 9568; to
    who goes by the other one it is wrong.
    """
    for one, other in _rivals(timeline, since):
        ways = {one.pseudo_header, other.pseudo_header}
        if ways == {True, False} and _meet(timeline, one, other, since):
            having = one if one.pseudo_header else other
            yield Diagnosis(
                "VRRP checksum mismatch", (one.node, other.node),
                f"the checksum of VRID {one.vrid} has a pseudo-header from {having.node} alone",
                "give all directors the same v3_checksum_as_v2 (keepalived), or"
                " checksum-with-ipv4-pseudoheader (FRR)",
                (one, other), "v3_checksum_as_v2",
            )  # fmt: skip


def _meet(timeline: Timeline, one: Advertisement, other: Advertisement, since: Instant) -> bool:
    """Whether what either of two machines advertises reaches the other."""
    return _arrived(timeline, one, other.node, since) or _arrived(timeline, other, one.node, since)


def multicast_blocked(timeline: Timeline, setup: Setup, since: Instant) -> Iterator[Diagnosis]:
    """Two directors advertise one VRID, and what one sends does not arrive at the other."""
    for one, other in _rivals(timeline, since):
        for speaker, listener in ((one, other), (other, one)):
            if _arrived(timeline, speaker, listener.node, since):
                continue
            name = "multicast blocked"
            cure = f"let protocol 112 to {speaker.destination} pass on the way, or use unicast_peer"
            if not _to_group(speaker):
                name = "unicast does not arrive"
                cure = (
                    f"look whether {speaker.destination} in unicast_peer is an address of"
                    f" {listener.node}, and what drops protocol 112 on the way"
                )
            yield Diagnosis(
                name, (speaker.node, listener.node),
                f"nothing that {speaker.node} advertises of VRID {speaker.vrid} reaches"
                f" {listener.node}",
                cure, (speaker,),
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
                    f"give the script a weight beyond"
                    f" {instance.effective_priority() - max(others)}",
                )  # fmt: skip


def two_address_owners(timeline: Timeline, setup: Setup, since: Instant) -> Iterator[Diagnosis]:
    """Two directors say with priority 255 that the VIP is an address of their own (RFC 3768
    section 5.3.4); each, however soon it then gave way or lowered its priority.
    """
    sent = timeline.events(Advertisement, since=since, sent=True, priority=OWNER_PRIORITY)
    first: dict[int, dict[str, Advertisement]] = defaultdict(dict)
    for event in sent:
        first[event.vrid].setdefault(event.node, event)
    for vrid, by_node in first.items():
        for one, other in combinations(by_node.values(), 2):
            yield Diagnosis(
                "two address owners", (one.node, other.node),
                f"both advertise VRID {vrid} with priority {OWNER_PRIORITY}",
                f"leave priority {OWNER_PRIORITY} to the one that has {one.addresses} as its"
                f" own address, or to nobody",
                (one, other), "priority",
            )  # fmt: skip


def unicast_and_multicast(timeline: Timeline, setup: Setup, since: Instant) -> Iterator[Diagnosis]:
    """Of two directors one advertises to the group and the other to its peer. The socket that hears
    is bound to the one or the other (keepalived ``vrrp.c``, ``open_vrrp_read_socket``).
    """
    for one, other in _rivals(timeline, since):
        if _to_group(one) != _to_group(other):
            yield Diagnosis(
                "unicast and multicast mixed", (one.node, other.node),
                f"{one.node} advertises VRID {one.vrid} to {one.destination}, and {other.node} to"
                f" {other.destination}",
                "give both unicast_peer, or neither",
                (one, other), "unicast_peer",
            )  # fmt: skip


def unicast_elsewhere(timeline: Timeline, setup: Setup, since: Instant) -> Iterator[Diagnosis]:
    """A director is advertised to at another address than it speaks from, and hears at that alone
    (keepalived ``vrrp.c``, ``open_vrrp_read_socket``). What it speaks from is its interface's first
    address, of IPv6 the link-local one, unless ``unicast_src_ip`` says another.
    """
    for one, other in _rivals(timeline, since):
        for sender, deaf in ((one, other), (other, one)):
            if deaf.node not in setup.directors or _to_group(sender) or _to_group(deaf):
                continue
            heard = _heard(timeline, sender, deaf.node, since)
            said = timeline.events(
                Advertisement, node=deaf.node, since=since, sent=True, vrid=deaf.vrid
            )
            listens = {event.source for event in said}
            if not heard or any(event.destination in listens for event in heard):
                continue
            yield Diagnosis(
                "unicast to an address at which keepalived does not listen", (deaf.node,),
                f"{sender.node} advertises VRID {sender.vrid} to {heard[-1].destination}, and"
                f" {deaf.node} hears only what comes to {deaf.source}, which it speaks from",
                f"set unicast_src_ip {heard[-1].destination} in its vrrp_instance, or have"
                f" {sender.node} name {deaf.source} in unicast_peer",
                (heard[-1], deaf), "unicast_peer",
            )  # fmt: skip


def _to_group(advert: Advertisement) -> bool:
    """Whether it is multicast."""
    return advert.destination in MULTICAST


def not_taken_in(timeline: Timeline, setup: Setup, since: Instant) -> Iterator[Diagnosis]:
    """A director advertises although a better advertisement has just arrived at its wire, which
    keeps a director silent for three intervals, and says nothing of it: it never gets there.
    """
    for one, other in _rivals(timeline, since):
        for better, deaf in ((one, other), (other, one)):
            heard = _heard(timeline, better, deaf.node, since)
            known = [event for event in heard if deaf.at - event.at >= TAKING_IN]
            if not known or known[-1].priority <= deaf.priority:
                continue
            if deaf.at - known[-1].at < SILENT * deaf.interval:
                yield Diagnosis(
                    "firewall drops advertisements", (deaf.node,),
                    f"priority {known[-1].priority} of {better.node} arrives at it, and it"
                    f" advertises {deaf.priority} all the same",
                    f"let protocol 112 to {known[-1].destination} pass in its own firewall (INPUT)",
                    (known[-1], deaf),
                )  # fmt: skip


def flawed_advertisements(timeline: Timeline, setup: Setup, since: Instant) -> Iterator[Diagnosis]:
    """A director's advertisements arrive with a wrong TTL or checksum: whoever hears them
    discards them.
    """
    for listener in setup.directors:
        for event in timeline.events(Advertisement, node=listener, since=since, sent=False):
            if event.flaw is not None:
                yield Diagnosis(
                    "advertisement that everybody discards", (listener,),
                    f"what {event.source} advertises of VRID {event.vrid} arrives with"
                    f" {event.flaw}",
                    "look for what rewrites it on its way: a router, a firewall rule,"
                    " checksum offloading",
                    (event,),
                )  # fmt: skip
                break


def _arrived(timeline: Timeline, advert: Advertisement, listener: str, since: Instant) -> bool:
    """Whether anything that the sender of an advertisement said under this VRID reached
    ``listener``, be it right or not.
    """
    return bool(_heard(timeline, advert, listener, since))


def _heard(
    timeline: Timeline, advert: Advertisement, listener: str, since: Instant
) -> list[Advertisement]:
    """What of that reached it."""
    return timeline.events(
        Advertisement,
        node=listener,
        since=since,
        sent=False,
        vrid=advert.vrid,
        source=advert.source,
    )
