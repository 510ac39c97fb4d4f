"""Every virtual route and rule where the master is, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_interface

from harness.events import AddressChanged, DaemonChanged, Event, Link, RouteChanged, RuleChanged
from harness.search.invariants.registry import invariant
from harness.search.model.effects import Aspect, disturbances
from harness.search.model.processes import having
from harness.search.model.router import Router, routers
from harness.search.model.spans import Span, both, without
from harness.search.observed import Observed, Violation

ROUTED = "a master has every virtual route and rule, and nobody else has one"

_MAIN = 254
_TABLES = {"main": _MAIN, "local": 255, "default": 253}

Route = tuple[str, str, int]
"""``route`` or ``rule``, the destination of the one or the source of the other, and the table."""


@invariant(ROUTED)
def routes_are_with_the_master(observed: Observed) -> list[Violation]:
    """An instance has all of its virtual routes and rules while it is master, and none while it is
    backup, in fault or stopped. A process that was killed leaves what it had.

    keepalived.conf(5), ``virtual_routes`` and ``virtual_rules``; ``vrrp.c``,
    ``vrrp_state_become_master`` and ``vrrp_restore_interface``. The kernel takes routes away
    without a word once their interface or address is gone, so it is not judged from then on.
    """
    found: list[Violation] = []
    for router in routers(observed):
        instance = router.instance
        wanted = [_route(text) for text in instance.virtual_routes]
        wanted += [_rule(text) for text in instance.virtual_rules]
        shared = _of_others(router)
        for route in wanted:
            if route is not None and route not in shared:
                found += _misplaced(router, route)
    return found


def _of_others(router: Router) -> set[Route | None]:
    """What other instances of the same director have as well."""
    others = [
        each for each in router.observed.setting.directors[router.director].instances
        if each.name != router.instance.name
    ]  # fmt: skip
    texts = [_route(text) for each in others for text in each.virtual_routes]
    return {*texts, *(_rule(text) for each in others for text in each.virtual_rules)}


def _route(text: str) -> Route | None:
    """What a line of ``virtual_routes`` sets; None if that cannot be told."""
    words = text.split()
    where = words[0] if words else ""
    if where not in _EVERYTHING and not where[:1].isdigit() and ":" not in where:
        return None  # a blackhole, or a word before the destination
    table = words[words.index("table") + 1] if "table" in words[:-1] else "main"
    number = _TABLES.get(table, int(table) if table.isdigit() else None)
    if number is None:
        return None
    return "route", _network(where, "default"), number


def _rule(text: str) -> Route | None:
    """What a line of ``virtual_rules`` sets; None if that cannot be told."""
    words = text.split()
    pairs = dict(zip(words[::2], words[1::2], strict=False))
    table = pairs.get("lookup", pairs.get("table", ""))
    number = _TABLES.get(table, int(table) if table.isdigit() else None)
    if number is None or "from" not in pairs or {"not", "to"} & set(words):
        return None
    return "rule", _network(pairs["from"], "all"), number


_EVERYTHING = ("default", "any", "all")
"""How keepalived may be told of every address (``vrrp_ipaddress.c``, ``parse_route``)."""


def _network(said: str, everything: str) -> str:
    """A network as an event has it: the kernel tells of none where its prefix is 0."""
    if said in _EVERYTHING or (network := ip_interface(said)).network.prefixlen == 0:
        return everything
    return str(network)


def _is(event: Event, route: Route) -> bool:
    kind, where, table = route
    if isinstance(event, RouteChanged):
        return (kind, where, table) == ("route", event.destination, event.table)
    if isinstance(event, RuleChanged):
        return (kind, where, table) == ("rule", event.source, event.table)
    return False


def _unsure(observed: Observed, director: str, route: Route) -> list[Span]:
    """While the last word on a route is older than one on an interface, or on an address of one: it
    may have gone with that, of which the kernel says nothing (:class:`RouteChanged`).
    """
    said = [each.at for each in observed.before if each.node == director and _is(each, route)]
    own = {
        each for held in observed.setting.directors[director].addresses.values() for each in held
    }
    moved = [each.at for each in observed.held(Link, node=director)]
    moved += [
        each.at for each in observed.held(AddressChanged, node=director) if each.address in own
    ]
    if not said or max(moved, default=said[-1]) <= said[-1]:
        return []
    again = [each.at for each in observed.events if each.node == director and _is(each, route)]
    return [Span(observed.began, min(again, default=observed.ended))]


def _misplaced(router: Router, route: Route) -> Iterator[Violation]:
    observed, slack = router.observed, router.observed.slack
    kind, where, table = route
    named = f"the {kind} {'to' if kind == 'route' else 'from'} {where} in table {table}"
    there = having(observed, router.director, lambda event: _is(event, route))
    moved = Aspect.ADDRESS | Aspect.WIRE | Aspect.EAR
    touched = disturbances(observed, Aspect.CONFIG, router.director)
    unsure = _unsure(observed, router.director, route)
    lost = [each.since for each in disturbances(observed, moved, router.director)]
    acting = [Span(run.span.since + slack, run.span.until - slack) for run in router.runs]
    for span, state in router.states:
        settled = Span(span.since + slack, span.until - slack)
        told = f"{router.director} is {state} of {router.instance.name}"
        if state == "MASTER":
            if any(at < span.until for at in lost):
                continue
            for missing in both(without([settled], [*there, *touched]), acting):
                if missing.length > slack:
                    yield Violation(ROUTED, missing.since, f"{told}, and lacks {named}")
        elif not any(at < span.until for at in (*lost, *router.abandoned)):
            quiet = without([settled], [*touched, *unsure])
            for present in both(quiet, both(acting, there)):
                if present.length > slack:
                    yield Violation(ROUTED, present.since, f"{told}, and has {named}")
    if not lost:
        yield from _left_behind(router, named, without(there, unsure))


def _left_behind(router: Router, named: str, there: list[Span]) -> Iterator[Violation]:
    """What an orderly end has not removed."""
    observed, slack = router.observed, router.observed.slack
    for event in observed.of(
        DaemonChanged, node=router.director, name="keepalived", action="ended", status=0
    ):
        if router.took_over_nothing(event.at):
            continue
        if any(each.since <= event.at and event.at + 2 * slack <= each.until for each in there):
            text = f"keepalived on {router.director} ended in an orderly way, and left {named}"
            yield Violation(ROUTED, event.at, text, (event,))
