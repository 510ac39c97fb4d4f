"""Every VIP, no more and no less, where the master is."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address

from harness.events import AddressChanged, Arp, DaemonChanged
from harness.search.invariants.registry import invariant
from harness.search.model.effects import EFFECTS, Aspect, disturbances
from harness.search.model.processes import calm, holding
from harness.search.model.router import Router, routers
from harness.search.model.spans import Span, both, without
from harness.search.observed import Observed, Violation

HELD = "a master holds every VIP, and nobody else holds one"
SILENT = "real servers keep silent about the VIP in ARP"
STRANGERS = "no other address appears"


@invariant(HELD)
def vips_are_with_the_master(observed: Observed) -> list[Violation]:
    """An instance holds all of its addresses while it is master, and none while it is backup, in
    fault or stopped.

    RFC 5798 section 6.4.2 (a backup must not accept packets for the addresses) and 6.4.3;
    keepalived ``vrrp.c``, ``vrrp_state_become_master``, ``vrrp_restore_interface``. A process that
    was killed or is hung leaves what it had.
    """
    found: list[Violation] = []
    for router in routers(observed):
        for vip in (*router.instance.vips, *router.instance.excluded_vips):
            found += _misplaced(router, vip)
            found += _left_behind(router, vip)
        found += _otherwise(router)
    return found


def _otherwise(router: Router) -> Iterator[Violation]:
    """VIPs that it adds with another prefix length than its configuration says."""
    touched = disturbances(
        router.observed, Aspect.ADDRESS | Aspect.CONFIG, router.director, router.observed.slack
    )
    own = {
        ip_address(each.address): each.prefix
        for each in (*router.instance.advertised, *router.instance.excluded)
    }
    for event in router.observed.of(AddressChanged, node=router.director, action="added"):
        prefix = own.get(ip_address(event.address), event.prefix)
        if event.prefix != prefix and not any(span.has(event.at) for span in touched):
            text = f"{router.director} holds {event.address} with prefix length {event.prefix}"
            yield Violation(HELD, event.at, f"{text}, and should with {prefix}", (event,))


def _misplaced(router: Router, vip: str) -> Iterator[Violation]:
    observed, slack = router.observed, router.observed.slack
    device = router.instance.device_of(vip)
    held = holding(observed, router.director, vip, device)
    disturbing = Aspect.ADDRESS | Aspect.CONFIG
    touched = disturbances(observed, disturbing, router.director, after=slack)
    acting = [Span(run.span.since + slack, run.span.until - slack) for run in router.runs]
    for span, state in router.states:
        settled = Span(span.since + slack, span.until - slack)
        if settled.length == 0:
            continue
        told = f"{router.director} is {state} of {router.instance.name}"
        if state == "MASTER":
            lacking = both(without([settled], [*held, *touched]), acting)
            for missing in _longer(lacking, slack):
                if not _was_hung_when_touched(router, span):
                    yield Violation(HELD, missing.since, f"{told}, and does not hold {vip}")
        else:
            kept = both(without([settled], touched), both(acting, held))
            for present in _longer(kept, slack):
                yield Violation(HELD, present.since, f"{told}, and holds {vip}")


def _longer(spans: list[Span], slack: float) -> list[Span]:
    return [span for span in spans if span.length > slack]


def _was_hung_when_touched(router: Router, span: Span) -> bool:
    """Whether somebody changed its addresses while it could not notice."""
    touched = disturbances(router.observed, Aspect.ADDRESS, router.director)
    hung = [
        act
        for act in router.observed.acts
        if act.kind == "HangKeepalived" and act.node == router.director
    ]
    return any(
        act.lasts_at(each.since) and span.has(each.since) for act in hung for each in touched
    )


def _left_behind(router: Router, vip: str) -> Iterator[Violation]:
    """What an orderly end has not removed."""
    observed, slack = router.observed, router.observed.slack
    held = holding(observed, router.director, vip, router.instance.device_of(vip))
    for event in observed.of(
        DaemonChanged, node=router.director, name="keepalived", action="ended", status=0
    ):
        if router.took_over_nothing(event.at):
            continue
        # Who owns the addresses has them again as soon as it is started.
        if any(each.since <= event.at and event.at + 2 * slack <= each.until for each in held):
            text = f"keepalived on {router.director} ended in an orderly way, and left {vip} behind"
            yield Violation(HELD, event.at, text, (event,))


@invariant(STRANGERS)
def no_stranger_appears(observed: Observed) -> list[Violation]:
    """A director never adds an address of its own accord that is not one of its VIPs.

    keepalived sets what ``virtual_ipaddress`` names and nothing else (keepalived.conf(5)).
    """
    found = []
    for name, director in observed.setting.directors.items():
        known = {ip_address(each) for own in director.addresses.values() for each in own}
        for one in director.instances:
            known |= {ip_address(each) for each in (*one.vips, *one.excluded_vips)}
        known |= {ip_address(each.address) for each in observed.held(AddressChanged, node=name)}
        for event in observed.of(AddressChanged, node=name, action="added"):
            address = ip_address(event.address)
            if (
                address in known
                or address.is_link_local
                or event.interface not in director.addresses
            ):
                continue
            if calm(observed, Aspect.CONFIG, name, Span(event.at, event.at), after=observed.slack):
                text = (
                    f"{name} adds {event.address}, which is none of its VIPs, to {event.interface}"
                )
                found.append(Violation(STRANGERS, event.at, text, (event,)))
    return found


@invariant(SILENT)
def servers_keep_silent(observed: Observed) -> list[Violation]:
    """No real server names a VIP as its own in ARP: the LAN would send it what is for the master.

    Kernel ``net/ipv4/arp.c``, ``arp_ignore`` and ``arp_announce``
    (Documentation/networking/ip-sysctl.rst): what the real servers of LVS-DR set before they hold
    the VIP.
    """
    bare = frozenset({"Unprotected", "HalfProtected", "ForgetVip"})
    if any(act.kind in bare or act.kind not in EFFECTS for act in observed.acts):
        return []
    directors = observed.setting.directors
    vips = {vip for each in directors.values() for one in each.instances for vip in one.vips}
    found: list[Violation] = []
    told: set[tuple[str, str]] = set()
    for event in observed.of(Arp, sent=True):
        key = (event.node, event.sender)
        if (
            event.sender in vips
            and event.node in observed.setting.servers
            and event.node not in directors
        ):
            if key not in told:
                text = f"{event.node} says in ARP that {event.sender} is its own"
                found.append(Violation(SILENT, event.at, text, (event,)))
            told.add(key)
    return found
