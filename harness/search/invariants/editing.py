"""A reload does what the new configuration says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from harness.clock import Instant
from harness.events import Power, ServiceChanged
from harness.observers.ipvs import SWEEP
from harness.search.invariants.balance import entries, set_by_hand
from harness.search.invariants.registry import invariant
from harness.search.model.edited import Configured, configured, edited
from harness.search.model.effects import Aspect, effect
from harness.search.model.health import health, lingering, starting
from harness.search.model.processes import CHECKERS, holding, in_state, runs
from harness.search.model.spans import Span, both, without
from harness.search.observed import Act, Observed, Violation
from harness.search.setting import DirectorSetting, Table

EDITED = "a reload does what the new configuration says"


@invariant(EDITED)
def edits_take_effect(observed: Observed) -> list[Violation]:
    """After a reload tables and VIPs are those of the edited configuration: what was taken out is
    gone, what is still there stays, with the weight that it now has. Where no sorry server is left,
    whoever is well serves; who fails is in the table, with weight 0, if ``inhibit_on_failure`` is
    said now, and else is not.

    keepalived(8), SIGHUP; ``ipvswrapper.c``, ``clear_diff_services`` and ``clear_diff_rs``;
    ``vrrp_data.c``, ``clear_diff_vrrp``. A restart with the same text does the same
    (keepalived.conf(5)).
    """
    found: list[Violation] = []
    for act in observed.acts:
        director = observed.setting.directors.get(act.node or "")
        if act.kind != "Reconfigure" or director is None:
            continue
        wanted = edited(director, act)
        span = _settled(observed, act, director)
        if wanted is None or span is None:
            continue
        found += _tables(observed, act, director, wanted, span)
        found += _vips(observed, act, director, wanted, span)
    return found


def _settled(observed: Observed, act: Act, director: DirectorSetting) -> Span | None:
    """From when on all of an edit must be in force, to its end; None if something else was done to
    the director.

    A reload closes the connections of all checks, which may linger (keepalived #2271).
    """
    restart = bool(act.parameters.get("restart"))
    until = observed.over(act)
    hindering = Aspect.PROCESS | Aspect.TABLE | Aspect.CONFIG | Aspect.ADDRESS
    for other in observed.acts:
        over = observed.ended if other.healed_at is None else other.healed_at + SWEEP
        near = (
            other is not act
            and other.node == act.node
            and Span(other.at, over).meets(Span(act.at, until))
        )
        if near and effect(other) & hindering:
            return None
    lingers = max((lingering(observed, table.service) for table in director.tables), default=0.0)
    since = act.at + SWEEP + lingers + (2.0 if restart else 0.0) + 2 * observed.slack
    span = Span(since, until)
    run = any(each.span.covers(span) for each in runs(observed, str(act.node), CHECKERS))
    return span if since < until and run else None


def _services(observed: Observed, director: str, at: Instant) -> set[str]:
    """The virtual services in a director's table at an instant."""
    there = {event.service for event in observed.held(ServiceChanged, node=director)}
    for event in observed.events:
        if event.node != director or event.at > at:
            continue
        if isinstance(event, Power) and event.action == "off":
            there = set()
        elif isinstance(event, ServiceChanged):
            (there.add if event.action == "added" else there.discard)(event.service)
    return there


def _tables(
    observed: Observed, act: Act, director: DirectorSetting, wanted: Configured, span: Span
) -> Iterator[Violation]:
    node, told = str(act.node), f"{act.node} has read: {act.parameters['edit']}, and"
    there = _services(observed, node, span.until)
    for name in sorted({table.name for table in director.tables} | set(wanted.tables)):
        if (name in there) != (name in wanted.tables):
            words = "still has" if name in there else "has no"
            yield Violation(EDITED, span.until, f"{told} {words} {name}")
    for table in director.tables:
        if table.name not in wanted.tables or table.name not in there:
            continue
        servers, apology = wanted.tables[table.name], wanted.sorry[table.name]
        for each in (*table.destinations, *table.sorry):
            present = entries(observed, node, table.name, each.endpoint)
            if each.address not in servers and each.address not in apology:
                for entry in both([entry.span for entry in present], [span]):
                    if entry.length > observed.slack:
                        yield Violation(
                            EDITED, entry.since, (f"{told} {table.name} still has {each.endpoint}")
                        )
                        break
    yield from _weights(observed, act, director, wanted, span)
    yield from _failing(observed, act, director, wanted, span)


def _weights(
    observed: Observed, act: Act, director: DirectorSetting, wanted: Configured, span: Span
) -> Iterator[Violation]:
    """What is still configured, and well, has the weight that is now configured."""
    node, told = str(act.node), f"{act.node} has read: {act.parameters['edit']}, and"
    for table in director.tables:
        servers = wanted.tables.get(table.name, {})
        for each in table.destinations:
            if each.address not in servers or wanted.sorry[table.name]:
                continue
            state = health(observed, node, _tried(act, table, each.address), each.address)
            present = entries(observed, node, table.name, each.endpoint)
            right = [entry.span for entry in present if entry.weight == servers[each.address]]
            settled = Span(span.since + starting(table.service), span.until)
            if settled.length == 0:
                continue
            for missing in without(both(state.well, [settled]), right):
                if missing.length > observed.slack:
                    weight = f"{each.endpoint} with weight {servers[each.address]}"
                    yield Violation(EDITED, missing.since, f"{told} {table.name} lacks {weight}")


def _tried(act: Act, table: Table, address: str) -> Table:
    """A table whose checks are tried again as often as those of a real server are by now: an edit
    may say so of one (``ipwrapper.c``, ``migrate_checkers``, takes the new ``retry``).
    """
    words = str(act.parameters["edit"]).split()
    if words[0] != "retry" or f"real_server {address} " not in " ".join(words):
        return table
    checks = tuple(replace(each, retry=int(words[1])) for each in table.service.checks)
    return replace(table, service=replace(table.service, check=checks))


def _failing(
    observed: Observed, act: Act, director: DirectorSetting, wanted: Configured, span: Span
) -> Iterator[Violation]:
    """What is still configured, and fails, is there with weight 0, or not at all."""
    node, told = str(act.node), f"{act.node} has read: {act.parameters['edit']}, and"
    before = configured(director.config)
    for table in director.tables:
        servers, checked = wanted.tables.get(table.name, {}), before.checked.get(table.name, {})
        for each in table.destinations:
            if len(table.service.checks) != 1 or not servers.get(each.address):
                continue
            if wanted.checked[table.name][each.address] != checked.get(each.address):
                continue
            ill = health(observed, node, table, each.address).ill
            present = entries(observed, node, table.name, each.endpoint)
            inhibited = each.address in wanted.inhibited[table.name]
            wrong = [
                entry.span
                for entry in present
                if not inhibited or (entry.weight and not set_by_hand(observed, node, entry))
            ]
            for kept in both(both(ill, [span]), wrong):
                if kept.length > observed.slack:
                    text = f"{told} {table.name} has {each.endpoint}, whose checks have failed"
                    yield Violation(EDITED, kept.since, text)
            if inhibited:
                for missing in without(both(ill, [span]), [entry.span for entry in present]):
                    if missing.length > observed.slack:
                        text = f"{told} {table.name} lacks {each.endpoint}, which is to stay"
                        yield Violation(EDITED, missing.since, f"{text} with weight 0")


def _vips(
    observed: Observed, act: Act, director: DirectorSetting, wanted: Configured, span: Span
) -> Iterator[Violation]:
    """What an instance is to have now, wherever it was before, and what none is to have."""
    node, told = str(act.node), f"{act.node} has read: {act.parameters['edit']}, and"
    for instance in director.instances:
        due = wanted.vips.get(instance.name, frozenset())
        states = in_state(observed, node, instance.name)
        reigns = any(state == "MASTER" and each.covers(span) for each, state in states)
        if reigns and (instance.vmac is not None) == (instance.name in wanted.vmac):
            for vip in sorted(due):
                held = both(holding(observed, node, vip, instance.device_of(vip)), [span])
                if any(each.length > observed.slack for each in without([span], held)):
                    text = f"{told} is master, and does not hold {vip}"
                    yield Violation(EDITED, span.since, text)
        for vip in (*instance.vips, *instance.excluded_vips):
            held = both(holding(observed, node, vip, instance.device_of(vip)), [span])
            if any(vip in each for each in wanted.vips.values()):
                continue
            if any(each.length > observed.slack for each in held):
                yield Violation(EDITED, span.since, f"{told} still holds {vip}")
