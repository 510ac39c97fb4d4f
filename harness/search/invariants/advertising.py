"""What masters advertise, and how often."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address
from itertools import pairwise
from typing import Final

from harness.clock import Instant
from harness.events import MULTICAST, Advertisement
from harness.search.invariants.registry import invariant
from harness.search.model.effects import Aspect
from harness.search.model.processes import calm
from harness.search.model.router import Router, routers
from harness.search.model.spans import Span
from harness.search.observed import Observed, Violation

PACE = "advertisements keep their pace"
TRUE = "advertisements say what is configured"
ACTS = "a master acts on what it hears"

_SEEN = Aspect.PROCESS | Aspect.WIRE | Aspect.ADDRESS | Aspect.CONFIG


@invariant(PACE)
def pace_is_kept(observed: Observed) -> list[Violation]:
    """A master advertises every Advertisement_Interval, no later; earlier only for a reason.

    RFC 5798 section 6.4.3 (Adver_Timer); keepalived ``vrrp.c``, ``vrrp_state_master_tx``. Reasons
    are a lower claim that it hears (it answers at once), a reload, and a change of state.
    """
    found: list[Violation] = []
    for router in routers(observed):
        for span, state in router.states:
            if state == "MASTER":
                found += _out_of_pace(router, span)
    return found


def _out_of_pace(router: Router, reign: Span) -> Iterator[Violation]:
    slack, interval = router.observed.slack, router.instance.advert_int
    said = [
        each
        for each in router.sent
        if each.priority and reign.since - slack <= each.at <= reign.until + slack
    ]
    began = reign.since if reign.since > router.observed.began else None
    times: list[Instant] = [
        *([began] if began is not None else []),
        *(each.at for each in said),
        reign.until,
    ]
    for number, (one, other) in enumerate(pairwise(times)):
        gap, last = other - one, number == len(times) - 2
        able = any(each.since <= one and other <= each.until for each in router.able)
        if not able or not calm(
            router.observed, _SEEN, router.director, Span(one, other), after=interval
        ):
            continue
        if not router.reachable(Span(one, other)):
            continue
        told = f"{router.director} advertised {router.instance.name}"
        if gap > interval + slack:
            text = f"{told}, and then not for more than {interval:g} s"
            if any(Span(one, other).has(each) for each in router.discarded):
                text += ", while it had others to discard"
            elif _held_up(router, Span(one, one + interval)):
                text += ", while another's priority may have changed"
            yield Violation(PACE, one + interval, text)
        elif (
            gap < interval - slack
            and not last
            and one != began
            and not _reason(router, Span(one, other), reign)
        ):
            yield Violation(PACE, other, f"{told}, and again before {interval:g} s had passed")


def _held_up(router: Router, due: Span) -> bool:
    """Whether another instance on its socket was a backup of changing priority until its next
    advertisement was due, and heard nothing that outranks it.

    keepalived has a socket for each interface and family (``vrrp_scheduler.c``,
    ``vrrp_create_sockpool``); a VMAC is an interface of its own. Whoever hears a better claim has a
    timer that is never the next one.
    """
    for other in routers(router.observed):
        own = (router.director, *_socket(router))
        possible = other.claims.possible(due)
        if (
            other.instance != router.instance
            and (other.director, *_socket(other)) == own
            and any(state == "BACKUP" and span.covers(due) for span, state in other.states)
            and len(possible) > 1
            and not any(due.has(each.at) and each.priority >= max(possible) for each in other.heard)
        ):
            return True
    return False


def _socket(router: Router) -> tuple[str, int]:
    """What distinguishes the socket of an instance."""
    instance = router.instance
    return instance.vmac or instance.interface, instance.family


@invariant(ACTS)
def masters_act(observed: Observed) -> list[Violation]:
    """A master that hears a better claim becomes a backup: it does not fall silent and stay master.

    RFC 5798 section 6.4.3; keepalived ``vrrp.c``, ``vrrp_state_master_rx`` and
    ``vrrp_state_leave_master``. Whoever says nothing for more than an interval, until its process
    ends or the sequence does, hangs.
    """
    found: list[Violation] = []
    for router in routers(observed):
        ends = {reign.since for reign, _ in router.states}
        for reign, state in router.states:
            if state != "MASTER" or reign.until in ends:
                continue
            heard = next(
                (each for each in router.surely_heard if _ignores(router, reign, each)), None
            )
            if heard is not None:
                text = (
                    f"{router.director} has been master of {router.instance.name} for"
                    f" {heard.at - reign.since:.3f} s, hears that {heard.source} claims"
                    f" {heard.priority}, and neither yields nor advertises"
                )
                found.append(Violation(ACTS, heard.at, text, (heard,)))
    return found


def _ignores(router: Router, reign: Span, heard: Advertisement) -> bool:
    """Whether it neither ends this reign nor says anything after it has heard a better claim."""
    observed, interval = router.observed, router.instance.advert_int
    after = Span(heard.at, heard.at + interval + observed.slack)
    own = {
        *router.claims.possible(after),
        *(each.priority for each in router.sent if reign.has(each.at)),
    }
    return (
        reign.has(heard.at)
        and after.until < reign.until
        and heard.priority > max(own, default=heard.priority)
        and not any(heard.at < each.at <= reign.until for each in router.sent)
        and any(each.since <= after.since and after.until <= each.until for each in router.able)
        and calm(observed, _SEEN, router.director, after, after=interval)
        and calm(observed, Aspect.EAR, router.director, after)
        and router.reachable(after)
    )


def _reason(router: Router, span: Span, reign: Span) -> bool:
    """Why a master may advertise before its time. What it hears may have other VIPs, too
    (``vrrp.c``, ``vrrp_check_packet``, which only counts them from 2.3 on).
    """
    slack = router.observed.slack
    wide = Span(span.since - slack, span.until + slack)
    return (
        any(wide.has(each.at) for each in router.perhaps_heard)
        or any(wide.has(each) for each in router.reloads)
        or wide.has(reign.since)
    )


@invariant(TRUE)
def advertisements_are_true(observed: Observed) -> list[Violation]:
    """Version, interval, VIPs and priority are those of the configuration, and every receiver can
    take it.

    RFC 5798 section 5.2; the priority is the configured one with the weights of what is tracked
    (keepalived ``vrrp_track.c``, ``vrrp_set_effective_priority``), or 0 for a resignation.
    """
    found = []
    for router in routers(observed):
        for advert in router.sent:
            around = Span(advert.at - observed.slack, advert.at + observed.slack)
            if calm(observed, Aspect.CONFIG, router.director, around):
                wrong = advert.flaw or _untrue(router, advert, around)
                if wrong:
                    text = f"{router.director} advertises {router.instance.name} with {wrong}"
                    found.append(Violation(TRUE, advert.at, text, (advert,)))
    return found + _of_no_instance(observed)


RESIGNING: Final = 1.0
"""Seconds that an orderly end takes (``core/main.c``)."""


def _of_no_instance(observed: Observed) -> list[Violation]:
    """Advertisements of virtual routers that a director has nothing to do with."""
    found: list[Violation] = []
    for name, director in observed.setting.directors.items():
        for advert in observed.of(Advertisement, node=name, sent=True):
            known = director.instance(advert.vrid) is not None or not director.elects
            # What an edit has taken out resigns once the reload has set what is new.
            after = 0.0 if advert.priority else RESIGNING
            if not known and calm(
                observed, Aspect.CONFIG, name, Span(advert.at, advert.at), after=after
            ):
                text = f"{name} advertises VRID {advert.vrid}, which it has no instance of"
                found.append(Violation(TRUE, advert.at, text, (advert,)))
                break
    return found


def _untrue(router: Router, advert: Advertisement, around: Span) -> str | None:
    instance = router.instance
    if advert.version != instance.version:
        return f"version {advert.version} instead of {instance.version}"
    if abs(advert.interval - instance.advert_int) > 1e-6:
        return f"an interval of {advert.interval:g} s instead of {instance.advert_int:g} s"
    if {ip_address(each) for each in advert.addresses.split()} != {
        ip_address(each) for each in instance.vips
    }:
        return f"the addresses {advert.addresses!r}"
    peers = instance.unicast_peers
    if advert.destination not in (peers or MULTICAST):
        return f"the destination {advert.destination}"
    possible = router.claims.possible(around)
    if advert.priority and router.claims.known(around) and advert.priority not in possible:
        return (
            f"priority {advert.priority}, and should with {' or '.join(map(str, sorted(possible)))}"
        )
    return None
