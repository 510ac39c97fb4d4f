"""After all is healed everything is as it was before, within the sum of the windows."""

from __future__ import annotations

from collections.abc import Iterator

from harness.clock import Instant
from harness.events import (
    AddressChanged,
    DaemonChanged,
    DestinationChanged,
    Event,
    Power,
    ServiceChanged,
)
from harness.keepalived import timers
from harness.observers.ipvs import SWEEP
from harness.search.invariants.balance import entries
from harness.search.invariants.registry import invariant
from harness.search.model.effects import EFFECTS
from harness.search.model.health import settled
from harness.search.model.processes import holding, respawned
from harness.search.observed import Observed, Violation
from harness.topology.tracking import VrrpScript
from harness.topology.vrrp import VrrpInstance

RESTORED = "everything is as before once all is healed"


@invariant(RESTORED)
def everything_is_restored(observed: Observed) -> list[Violation]:
    """VIPs, tables and daemons are as they were, and nothing moves any more, once the windows of
    all that was healed are over.

    The sums of :func:`harness.keepalived.timers.script_recovery` and ``failback`` or
    ``preemption``, and of ``first_check``, ``removal`` and ``recovery``. Without preemption a VIP
    may be elsewhere, but it has one holder.
    """
    if not observed.acts or any(
        act.healed_at is None or act.kind not in EFFECTS for act in observed.acts
    ):
        return []
    healed = max([*(act.healed_at or act.at for act in observed.acts), *respawned(observed)])
    found: list[Violation] = []
    elected, checked = healed + election_due(observed), healed + checks_due(observed)
    if observed.ended >= elected:
        found += [*_moving(observed, elected), *_vips(observed), *_daemons(observed)]
    if observed.ended >= checked:
        found += [*_changing(observed, checked), *_tables(observed)]
    return found


def election_due(observed: Observed) -> float:
    """For how many seconds after the last healing a VIP may still move."""
    longest = 0.0
    for director in observed.setting.directors.values():
        for instance in director.instances:
            wait = reelection(instance) + director.startup_delay + 2 * instance.advert_int
            longest = max(longest, regained(instance) + wait)
    return longest + ENDING + observed.slack


def regained(instance: VrrpInstance) -> float:
    """For how many seconds keepalived may not know yet that all scripts of an instance are well: a
    run that hangs is ended first.
    """
    scripts = [each for each in instance.track_scripts if isinstance(each, VrrpScript)]
    return max(
        (
            timers.script_recovery(each).latest + float(each.timeout or each.interval)
            for each in scripts
        ),
        default=0.0,
    )


def reelection(instance: VrrpInstance) -> float:
    """For how many seconds one that is well, and outranks all others, may be no master yet.

    ``preempt_delay`` begins with the first that it hears of a lower master, which may have to take
    over before, after its own Master_Down_Interval (longer by less than ``advert_int``). What it
    hears until the delay is over it accepts, and Master_Down_Interval counts from the last of that
    (``vrrp.c``, ``vrrp_state_backup``).
    """
    silence = timers.master_down_interval(instance)
    if not instance.preempt_delay:
        return silence
    return silence + instance.advert_int + instance.preempt_delay + silence


ENDING = 1.0
"""Seconds that an orderly end of keepalived takes, after which it is started anew
(``core/main.c``).
"""


def checks_due(observed: Observed) -> float:
    """For how many seconds after the last healing a table may still change."""
    tables = [
        table for director in observed.setting.directors.values() for table in director.tables
    ]
    return (
        max((settled(observed, table.service) for table in tables), default=0.0)
        + ENDING
        + SWEEP
        + observed.slack
    )


def _moving(observed: Observed, over: Instant) -> Iterator[Violation]:
    vips = {
        vip for director in observed.setting.directors.values() for one in director.instances
        for vip in (*one.vips, *one.excluded_vips)
    }  # fmt: skip
    for event in observed.of(AddressChanged):
        if event.at > over and event.node in observed.setting.directors and event.address in vips:
            yield Violation(
                RESTORED, event.at, (f"on {event.node} there changes {_words(event)}"), (event,)
            )


def _changing(observed: Observed, over: Instant) -> Iterator[Violation]:
    for event in (*observed.of(ServiceChanged), *observed.of(DestinationChanged)):
        if event.at > over:
            yield Violation(
                RESTORED, event.at, (f"on {event.node} there changes {_words(event)}"), (event,)
            )


def _words(event: Event) -> str:
    return (
        f"{event.kind} {' '.join(str(value) for value in event.details.values())}, though all"
        f" is healed"
    )


def _vips(observed: Observed) -> Iterator[Violation]:
    directors = observed.setting.directors
    claims: dict[str, list[tuple[str, str, bool]]] = {}
    for name, director in directors.items():
        for one in director.instances:
            for vip in (*one.vips, *one.excluded_vips):
                stays = one.nopreempt or bool(director.sync_groups)
                claims.setdefault(vip, []).append((name, one.device_of(vip), stays))
    for vip, claimed in claims.items():
        before, after = set(), set()
        for name, device, _ in claimed:
            spans = holding(observed, name, vip, device)
            before |= {name for span in spans if span.has(observed.began)}
            after |= {name for span in spans if span.has(observed.ended)}
        if before == after or not before:
            continue
        if len(after) == 1 and (any(stays for _, _, stays in claimed) or _tied(observed, vip)):
            continue
        text = f"{vip} was held by {_named(before)}, and is held by {_named(after)}"
        yield Violation(RESTORED, observed.ended, text)


def _named(names: set[str]) -> str:
    return " and ".join(sorted(names)) or "nobody"


def _tied(observed: Observed, vip: str) -> bool:
    """Whether two directors claim a VIP with the same priority: then whoever has it keeps it."""
    claims = [
        one.effective_priority()
        for director in observed.setting.directors.values()
        for one in director.instances
        if vip in (*one.vips, *one.excluded_vips)
    ]
    return len(set(claims)) < len(claims)


def _tables(observed: Observed) -> Iterator[Violation]:
    for name, director in observed.setting.directors.items():
        for table in director.tables:
            for each in (*table.destinations, *table.sorry):
                present = entries(observed, name, table.name, each.endpoint)
                before = [entry.weight for entry in present if entry.span.has(observed.began)]
                after = [entry.weight for entry in present if entry.span.has(observed.ended)]
                if before[:1] != after[-1:]:
                    text = (
                        f"{name}'s table {table.name} had {each.endpoint} {_weights(before)},"
                        f" and has {_weights(after)}"
                    )
                    yield Violation(RESTORED, observed.ended, text)


def _weights(found: list[int]) -> str:
    return f"with weight {found[-1]}" if found else "not"


def _daemons(observed: Observed) -> Iterator[Violation]:
    for was in observed.held(DaemonChanged):
        later = observed.of(DaemonChanged, node=was.node, name=was.name)
        if was.action != "ended" and later and later[-1].action == "ended":
            text = f"{was.name} on {was.node} ran, and does not run any more"
            yield Violation(RESTORED, observed.ended, text, (later[-1],))
    for machine in observed.held(Power):
        changes = observed.of(Power, node=machine.node)
        if changes and changes[-1].action == "off":
            yield Violation(RESTORED, observed.ended, f"{machine.node} is off", (changes[-1],))
