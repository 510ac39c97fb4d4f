"""That masters announce their VIPs by gratuitous ARP, and when they may."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from ipaddress import ip_address
from typing import Final

from harness.clock import Instant
from harness.events import Advertisement, Arp, Ndp
from harness.keepalived import timers
from harness.search.invariants.registry import invariant
from harness.search.model.effects import Aspect
from harness.search.model.processes import calm, made_anew
from harness.search.model.router import Router, routers
from harness.search.model.spans import Span
from harness.search.observed import Observed, Violation

ANNOUNCED = "a takeover is announced by gratuitous ARP"
REASON = "gratuitous ARP has a reason"

_SEEN = Aspect.PROCESS | Aspect.WIRE | Aspect.ADDRESS | Aspect.CONFIG


@invariant(ANNOUNCED)
def takeovers_are_announced(observed: Observed) -> list[Violation]:
    """Whoever becomes master announces each VIP by gratuitous ARP, or an unsolicited neighbour
    advertisement.

    RFC 5798 section 6.4.1 and 6.4.2; ``garp_master_repeat`` at once and as many after
    ``garp_master_delay`` (keepalived ``vrrp.c``, ``vrrp_state_become_master``;
    :func:`harness.keepalived.timers.garp_schedule`).
    """
    found: list[Violation] = []
    for router in announcers(observed):
        for span, state in router.states:
            if state == "MASTER" and span.since > observed.began:
                found += _unannounced(router, span)
        for heard in router.surely_heard:
            found += _not_answered(router, heard)
    return found


def _not_answered(router: Router, heard: Advertisement) -> Iterator[Violation]:
    """A master that hears of a lower one announces itself anew (``vrrp_state_master_rx``,
    ``garp_lower_prio_repeat``): whoever has heard the other is to come back.
    """
    observed, instance = router.observed, router.instance
    slack = observed.slack
    window = Span(heard.at - slack, heard.at + slack)
    reigns = any(
        state == "MASTER"
        and span.since + slack < window.since
        and window.until < span.until - slack
        for span, state in router.states
    )
    repeat = instance.garp_lower_prio_repeat
    due = instance.garp_master_repeat if repeat is None else repeat
    lower = all(heard.priority < own for own in router.claims.possible(window))
    if (
        not reigns
        or not heard.priority
        or not lower
        or not _heard_by_all(router, window)
        or ":" in instance.vips[0]
    ):
        return
    for vip in instance.vips:
        if instance.device_of(vip) in observed.setting.directors[router.director].addresses:
            said = announcements(router, vip, window)
            if said < due and instance.garp_lower_prio_delay is None:
                text = (
                    f"{router.director} hears of a lower master, and announces {vip} {said}"
                    f" times instead of {due}"
                )
                yield Violation(ANNOUNCED, heard.at, text, (heard,))


LOWER_DELAY: Final = 5.0
"""Seconds after a lower claim in which a master announces its VIPs again, where nothing says so:
not the instance's own ``garp_master_delay`` but that of ``global_defs`` (keepalived ``vrrp.c``,
``vrrp_garp_lower_prio_delay``).
"""


@invariant(REASON)
def announcements_have_a_reason(observed: Observed) -> list[Violation]:
    """Only a master announces a VIP: when it becomes one, a while later, at each refresh, or for a
    lower claim.

    RFC 5798 section 6.4.3; keepalived.conf(5), ``garp_master_delay``, ``garp_master_refresh``;
    :func:`harness.keepalived.timers.garp_schedule`.
    """
    found: list[Violation] = []
    for router in announcers(observed):
        vips = (*router.instance.vips, *router.instance.excluded_vips)
        told: set[str] = set()
        heard = _heard_in_group(observed, router)
        # A kernel that has the VIP answers whoever else announces it (``net/ipv4/arp.c``).
        for event in observed.of(
            Arp, node=router.director, sent=True, gratuitous=True, operation="request"
        ):
            if (
                event.sender in vips
                and event.sender not in told
                and not _has_reason(router, heard, event.at)
            ):
                told.add(event.sender)
                text = (
                    f"{router.director} announces {event.sender} by gratuitous ARP, for no reason"
                )
                found.append(Violation(REASON, event.at, text, (event,)))
    return found


def _heard_in_group(observed: Observed, router: Router) -> list[Instant]:
    """When it heard another claim, be that of other VIPs, or an instance of its sync group did: all
    of them announce themselves then (keepalived ``vrrp.c``, ``vrrp_state_master_rx``).
    """
    group = next(
        (
            group.members
            for group in observed.setting.directors[router.director].sync_groups
            if router.instance.name in group.members
        ),
        (router.instance.name,),
    )
    return [
        each.at
        for other in routers(observed)
        if other.director == router.director and other.instance.name in group
        for each in other.perhaps_heard
    ]


def _has_reason(router: Router, heard: list[Instant], at: Instant) -> bool:
    observed, instance = router.observed, router.instance
    wide = Span(at - observed.slack, at + observed.slack)
    delays = (instance.garp_master_delay, LOWER_DELAY)
    longest = max(delays) + instance.advert_int
    disturbed = Aspect.PROCESS | Aspect.WIRE | Aspect.ADDRESS | Aspect.CONFIG
    if not calm(observed, disturbed, router.director, wide, after=longest):
        return True
    if instance.garp_lower_prio_delay or any(wide.has(each) for each in router.reloads):
        return True
    known = [(span, state) for span, state in router.states if span.meets(wide)]
    reigns = [span for span, state in known if state == "MASTER"]
    if not reigns:  # it may go on as the master that had its number, or that it was itself
        anew = made_anew(observed, router.director, instance.name)
        return not known and any(each.since < at for each in anew)
    since = [*heard, *router.reloads, *(span.since for span, _ in router.states)]
    for delay in delays:  # a second round goes with an advertisement (``vrrp_state_master_tx``)
        if any(
            Span(each + delay, each + delay + instance.advert_int).meets(wide) for each in since
        ):
            return True
    if any(wide.has(each) for each in since):
        return True
    # Since when it was master at first is not known, and its second round is sent even if it was
    # something else meanwhile.
    ruled = any(state == "MASTER" and span.since <= observed.began for span, state in router.states)
    if ruled and at <= observed.began + longest + observed.slack:
        return True
    reign = reigns[-1]
    if reign.since <= observed.began:
        return bool(instance.garp_master_refresh)
    due = timers.garp_schedule(instance, lasting=reign.length)
    return any(wide.has(reign.since + each) for each in due) or bool(instance.garp_master_refresh)


def _unannounced(router: Router, reign: Span) -> Iterator[Violation]:
    observed, instance = router.observed, router.instance
    wires = observed.setting.directors[router.director].addresses
    # From when on it refreshes them depends on its version.
    schedule = timers.garp_schedule(replace(instance, garp_master_refresh=0))
    for due in sorted(set(schedule)):
        at = reign.since + due
        window = Span(at - observed.slack, at + observed.slack)
        since = Span(reign.since - observed.slack, window.until)
        if window.until > min(reign.until, observed.ended) or not _heard_by_all(router, since):
            return
        if due and (
            any(since.has(each.at) for each in router.heard)
            or any(map(since.has, (*router.reloads, *router.discarded)))
        ):
            return  # either begins its announcements anew, or puts its advertisements off
        for vip in (*instance.vips, *instance.excluded_vips):
            if instance.device_of(vip) not in wires:
                continue
            said = announcements(router, vip, window)
            if said < schedule.count(due):
                text = (
                    f"{router.director} became master of {instance.name} and announced {vip}"
                    f" {said} times instead of"
                    f" {schedule.count(due)}, {due:g} s later"
                )
                yield Violation(ANNOUNCED, at, text)


def announcers(observed: Observed) -> list[Router]:
    """The routers of which it is known how they announce themselves: a text of the user's own may
    say otherwise.
    """
    directors = observed.setting.directors
    return [
        each for each in routers(observed)
        if not (directors[each.director].own_text and "garp" in directors[each.director].config)
    ]  # fmt: skip


def _heard_by_all(router: Router, span: Span) -> bool:
    able = any(
        each.since - router.observed.slack <= span.since and span.until <= each.until
        for each in router.able
    )
    return able and calm(router.observed, _SEEN, router.director, span, after=router.observed.slack)


def announcements(router: Router, vip: str, window: Span) -> int:
    """How often a director announces a VIP in a window."""
    observed = router.observed
    if ":" in vip:
        told = observed.of(
            Ndp, node=router.director, sent=True, operation="advertisement", unsolicited=True
        )
        return sum(
            window.has(event.at) and ip_address(event.target) == ip_address(vip) for event in told
        )
    asked = observed.of(Arp, node=router.director, sent=True, gratuitous=True, sender=vip)
    return sum(window.has(event.at) for event in asked)
