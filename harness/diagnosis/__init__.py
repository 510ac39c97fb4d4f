"""Misconfigurations told by name, from what was recorded: pure functions over a timeline and what
was meant.

Each diagnosis needs evidence of its own; none is a guess from the symptom alone. What shows only in
keepalived's words is told by its words, as 2.2.7 has them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from harness.clock import Instant
from harness.diagnosis import addresses, advertisements, words
from harness.diagnosis.found import Diagnosis, Setup
from harness.timeline import EVER, Timeline

__all__ = ["Diagnosis", "Setup", "diagnose", "names"]


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


Detector = Callable[[Timeline, Setup, Instant], Iterator[Diagnosis]]
DETECTORS: Final[tuple[Detector, ...]] = (
    advertisements.vrid_mismatch,
    advertisements.foreign_cluster,
    advertisements.advert_int_mismatch,
    advertisements.two_address_owners,
    advertisements.flawed_advertisements,
    advertisements.multicast_blocked,
    advertisements.weight_below_the_gap,
    addresses.no_arp_protection,
    addresses.duplicate_address,
    addresses.vip_missing,
    addresses.vip_prefix,
    addresses.gateway_wrong,
    words.said,
    words.script_fails_at_rest,
)
SYMPTOMS: Final[tuple[Detector, ...]] = (addresses.two_masters,)
"""What has many causes."""


def names() -> frozenset[str]:
    """What each diagnosis is called."""
    return frozenset((*advertisements.NAMES, *addresses.NAMES, *words.NAMES))
