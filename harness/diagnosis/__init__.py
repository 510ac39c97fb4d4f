"""Misconfigurations told by name, and known defects, from what was recorded: pure functions over a
timeline and what was meant.

Each diagnosis needs evidence of its own; none is a guess from the symptom alone. What shows only in
keepalived's words is told by its words, as 2.2.7 has them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from harness.clock import Instant
from harness.diagnosis import addresses, advertisements, defects, kernels, packets, words
from harness.diagnosis.found import NOTHING, Diagnosis, Flow, Hop, Kernel, Seen, Setup
from harness.diagnosis.words import UNRUN, unrun_script
from harness.timeline import EVER, Timeline

__all__ = [
    "UNRUN",
    "Diagnosis",
    "Flow",
    "Hop",
    "Kernel",
    "Seen",
    "Setup",
    "defective",
    "diagnose",
    "names",
    "unrun_script",
]


def diagnose(
    timeline: Timeline, setup: Setup, since: Instant = EVER, seen: Seen = NOTHING
) -> list[Diagnosis]:
    """Every misconfiguration for which there is evidence since an instant, each once.

    ``seen`` are packets since that instant, and what the kernels say. A mere symptom is told only
    where no misconfiguration is found that would explain it.
    """
    found: list[Diagnosis] = []
    for each in _all(timeline, setup, since, seen):
        if not any(_tells(other, each) for other in found):
            found.append(each)
    for symptom in SYMPTOMS:
        found = found or list(symptom(timeline, setup, since))
    return found


def _tells(found: Diagnosis, other: Diagnosis) -> bool:
    """Whether the other says nothing more: it is the same on fewer machines, or a mere consequence
    that is read from the same words of a log.
    """
    if found.name == other.name:
        return set(other.nodes) < set(found.nodes)
    return (other.nodes, other.evidence) == (found.nodes, found.evidence)


def _all(timeline: Timeline, setup: Setup, since: Instant, seen: Seen) -> Iterator[Diagnosis]:
    for detector in DETECTORS:
        yield from detector(timeline, setup, since)
    for look in LOOKS:
        yield from look(timeline, setup, seen)


Detector = Callable[[Timeline, Setup, Instant], Iterator[Diagnosis]]
DETECTORS: Final[tuple[Detector, ...]] = (
    advertisements.vrid_mismatch,
    advertisements.foreign_cluster,
    advertisements.advert_int_mismatch,
    advertisements.version_mismatch,
    advertisements.checksum_mismatch,
    advertisements.two_address_owners,
    advertisements.unicast_and_multicast,
    advertisements.unicast_elsewhere,
    advertisements.flawed_advertisements,
    advertisements.multicast_blocked,
    advertisements.weight_below_the_gap,
    addresses.no_arp_protection,
    addresses.duplicate_address,
    addresses.vip_missing,
    addresses.vip_prefix,
    addresses.gateway_wrong,
    addresses.gateway_silent,
    kernels.spun,
    words.said,
    words.script_fails_at_rest,
    words.check_fails_at_rest,
)
Look = Callable[[Timeline, Setup, Seen], Iterator[Diagnosis]]
LOOKS: Final[tuple[Look, ...]] = (
    packets.director_loop,
    packets.tunnel_too_narrow,
    packets.martian_source,
    kernels.reverse_path,
    kernels.tracking_full,
    kernels.busy,
)
"""What looks at more than the timeline."""

SYMPTOMS: Final[tuple[Detector, ...]] = (
    advertisements.not_taken_in,
    addresses.two_masters,
)
"""What has many causes, the likelier one first: told where nothing else is found."""

DEFECTS: Final[tuple[Detector, ...]] = (defects.startup_put_off, defects.takeover_prolonged)
"""Known defects of keepalived. They show after a fault as well, where a misconfiguration is no
longer told from what the fault does.
"""


def defective(timeline: Timeline, setup: Setup, since: Instant = EVER) -> list[Diagnosis]:
    """Every known defect that has shown since an instant, whatever was broken meanwhile."""
    return [found for defect in DEFECTS for found in defect(timeline, setup, since)]


def names() -> frozenset[str]:
    """What each diagnosis is called."""
    rooms = (advertisements, addresses, words, packets, kernels, defects)
    return frozenset(name for room in rooms for name in room.NAMES)
