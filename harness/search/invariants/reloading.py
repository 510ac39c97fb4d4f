"""What a reload adds is announced, and what it leaves alone is not told again."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from harness.clock import Instant
from harness.events import AddressChanged, Event, Notification
from harness.search.invariants.announcing import announcements, announcers
from harness.search.invariants.registry import invariant
from harness.search.model.effects import Aspect, effect, heeded
from harness.search.model.processes import begun, in_state, reads
from harness.search.model.router import Router
from harness.search.model.spans import Span
from harness.search.observed import Act, Observed, Violation

JOINS = "a VIP that a reload adds is announced as after a takeover"
AGAIN = "a reload tells nobody what is as before"

SOON: Final = 0.5
"""Seconds after a reload by which it has set its addresses, and told of what it found."""

_GROUP: Final = re.compile(r'^GROUP "(?P<name>[^"]+)" (?P<state>MASTER|BACKUP|FAULT)\b')
_CLAIM: Final = re.compile(r'^INSTANCE "(?P<name>[^"]+)" (?P<state>MASTER|BACKUP|FAULT)_PRIORITY\b')


@invariant(JOINS)
def added_vips_are_announced(observed: Observed) -> list[Violation]:
    """A VIP that a reload gives to a master is announced at once, and again after
    ``garp_master_delay``.

    RFC 5798 section 6.4.2 and 6.4.3; keepalived ``vrrp.c``, ``clear_diff_vrrp``: "There were
    addresses added", and "Add thread for second block of GARPs".
    """
    found: list[Violation] = []
    for router in announcers(observed):
        for act in observed.acts:
            if act.kind != "Reconfigure" or act.node != router.director:
                continue
            if act.parameters.get("restart") or "garp" in str(act.parameters.get("edit")):
                continue
            for instant in (act.at, act.healed_at):
                if instant is not None:
                    found += _unannounced(router, act, instant)
    return found


def _unannounced(router: Router, act: Act, reloaded: Instant) -> Iterator[Violation]:
    observed, instance, slack = router.observed, router.instance, router.observed.slack
    delay = float(instance.garp_master_delay)
    over = reloaded + SOON + delay + 2 * instance.advert_int
    whole = Span(reloaded - slack, over + slack)
    reigns = any(
        state == "MASTER" and span.since < reloaded - slack and over < span.until
        for span, state in router.states
    )
    others = [other for other in router.reloads if abs(other - reloaded) > SOON]
    # What is told soon after puts an end to the second round (``thread_cleanup_master``).
    orders = reads(observed, router.director)
    orders.remove(reloaded)
    others += orders
    if not reigns or any(whole.has(other) for other in others) or not _calm(observed, act, whole):
        return
    wires = observed.setting.directors[router.director].addresses
    for event in observed.of(AddressChanged, node=router.director, action="added"):
        if not reloaded <= event.at <= reloaded + SOON or event.interface not in wires:
            continue
        if instance.device_of(event.address) != event.interface or event.address not in (
            *instance.vips,
            *instance.excluded_vips,
        ):
            continue
        first = Span(event.at - slack, event.at + SOON)
        second = Span(event.at + delay - slack, event.at + delay + SOON + instance.advert_int)
        told = f"{router.director} has {event.address} from a reload on, and announces it"
        for window, when in ((first, "at once"), (second, f"again {delay:g} s later")):
            if delay == 0 and window is second:
                continue
            said = announcements(router, event.address, window)
            if said < instance.garp_master_repeat:
                text = f"{told} {said} times instead of {instance.garp_master_repeat} {when}"
                yield Violation(JOINS, window.since, text, (event,))


def _calm(observed: Observed, act: Act, span: Span) -> bool:
    """Whether nothing else was done to the same director in a span."""
    disturbing = Aspect.PROCESS | Aspect.WIRE | Aspect.ADDRESS | Aspect.CONFIG | Aspect.CLAIM
    return not any(
        effect(other) & disturbing
        and other.node == act.node
        and Span(other.at, observed.over(other)).meets(span)
        for other in observed.acts
        if other is not act
    )


@invariant(AGAIN)
def nobody_is_told_again(observed: Observed) -> list[Violation]:
    """A start tells of every sync group, a reload only of those whose state it changes. A priority
    is always told with the state that its instance is in; in FAULT state that is BACKUP.

    keepalived ``vrrp_daemon.c``, ``set_previous_sync_group_states``; ``vrrp_track.c``,
    ``vrrp_set_effective_priority``; ``vrrp_notify.c``, ``send_instance_priority_notifies``;
    keepalived.conf(5), ``notify_priority_changes``: "MASTER_PRIORITY" and "BACKUP_PRIORITY".
    """
    found: list[Violation] = []
    for name, director in observed.setting.directors.items():
        if not director.told:
            continue
        members = {group.name: group.members for group in director.sync_groups}
        reloads = _reloads_alone(observed, name)
        for event in observed.of(Notification, node=name, channel="fifo"):
            group, claim = _GROUP.match(event.text), _CLAIM.match(event.text)
            if group and group["name"] in members:
                since = [at for at in reloads if at <= event.at <= at + SOON]
                ours = members[group["name"]]
                whole = Span(min(since, default=event.at) - observed.slack, event.at)
                if since and _were(observed, name, ours, group["state"], whole):
                    text = f"{name} reloads what it has, and tells of {group['name']} again"
                    found.append(Violation(AGAIN, event.at, f"{text}: {group['state']}", (event,)))
            if claim and not _may_be(observed, name, claim["name"], claim["state"], event):
                text = f"{name} tells of a priority of {claim['name']} as {claim['state']}"
                found.append(Violation(AGAIN, event.at, f"{text}, which it is not", (event,)))
    return found


def _reloads_alone(observed: Observed, director: str) -> list[Instant]:
    """When a director was told to reload while no VRRP process was being started, since a start
    tells of every group, and nothing was edited, which may make a group.
    """
    starts = begun(observed, director)
    edits = [
        instant
        for act in observed.acts
        if act.kind == "Reconfigure" and act.node == director
        for instant in (act.at, heeded(observed, act))
    ]
    return [
        act.at
        for act in observed.acts
        if act.kind == "Reload"
        and act.node == director
        and not any(act.at - observed.slack <= start <= act.at + SOON for start in starts)
        and not any(abs(edit - act.at) <= SOON for edit in edits)
    ]


def _were(
    observed: Observed, director: str, members: tuple[str, ...], state: str, span: Span
) -> bool:
    """Whether all members were in a state, and in no other, from a reload on until that is told."""
    for member in members:
        said = {other for each, other in in_state(observed, director, member) if each.meets(span)}
        if said != {state}:
            return False
    return True


def _may_be(observed: Observed, director: str, instance: str, state: str, event: Event) -> bool:
    """Whether an instance was in a state at an event, or about to be; in fault it is a backup."""
    near = Span(event.at - observed.slack, event.at + observed.slack)
    known = [
        (span, other) for span, other in in_state(observed, director, instance) if span.meets(near)
    ]
    fitting = ("BACKUP", "FAULT") if state == "BACKUP" else (state,)
    return not known or any(other in fitting for _, other in known)
