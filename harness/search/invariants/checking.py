"""Health checkers keep their pace: they ask neither too often nor too seldom."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from harness.clock import Instant
from harness.search.invariants.balance import entries
from harness.search.invariants.registry import invariant
from harness.search.model.effects import Aspect, disturbances
from harness.search.model.health import breaks, lingering, starting
from harness.search.model.processes import CHECKERS, runs
from harness.search.model.spans import Span, both, without
from harness.search.observed import Observed, Table, Violation
from harness.topology.checks import HttpGet, Pace, TcpCheck
from harness.topology.services import Destination

CHECKED = "checks keep their pace"

RESOLVING = 3.0
"""Seconds after which what waits for a neighbour's address is sent or dropped (three questions, one
second apart: ``net/core/neighbour.c``): so much later than a check begins may it be seen.
"""

_REACHED = Aspect.WIRE | Aspect.EAR | Aspect.ADDRESS
"""What lets a check begin without a packet that shows it."""


@invariant(CHECKED)
def checks_keep_their_pace(observed: Observed) -> list[Violation]:
    """A real server that is out of the table is checked every ``delay_loop``; one that is in again
    after ``delay_before_retry`` at the soonest. None is forgotten.

    keepalived ``check_tcp.c``, ``tcp_epilog``, and ``check_http.c``, ``epilog``: ``retry`` is for
    who seems well. An attempt ends ``connect_timeout`` after it began at the latest, or after the
    same time once more if a connection was made, however the real server behaves.
    """
    found: list[Violation] = []
    if observed.probes is None:
        return found
    for name, director in observed.setting.directors.items():
        own = {table.service.name: table for table in reversed(director.tables)}
        asked = [
            each.endpoint for table in own.values() for each in (*table.destinations, *table.sorry)
        ]
        for table in own.values():
            for each in table.destinations:
                if asked.count(each.endpoint) == 1 and _judged(table):
                    found += _of_server(observed, name, table, each)
    return found


def _judged(table: Table) -> bool:
    """Whether each connection to one of its real servers is a check of one checker."""
    checks = table.service.checks
    return len(checks) == 1 and isinstance(checks[0], TcpCheck | HttpGet)


def _of_server(
    observed: Observed, director: str, table: Table, server: Destination
) -> list[Violation]:
    probes = [
        each.at
        for each in observed.probes or ()
        if (each.director, each.endpoint) == (director, server.endpoint)
    ]
    found = list(_too_soon(observed, director, table, server, probes))
    if not lingering(observed, table.service):  # else one's silence delays the checks of all
        found += _too_late(observed, director, table, server, probes)
    return found


def _too_soon(
    observed: Observed, director: str, table: Table, server: Destination, probes: list[Instant]
) -> Iterator[Violation]:
    service = table.service
    pace = service.checks[0].pace(service.delay_loop)
    after = pace.timeout + RESOLVING + observed.slack
    steady = _reached(observed, director, server, _steady(observed, director), after)
    # With fast_recovery the last good check brings it back, and the others are made at once.
    hastens = getattr(service.checks[0], "fast_recovery", False)
    out = _out(observed, director, table, server) if service.quorum == 1 else []
    for earlier, later in pairwise(probes):
        between = Span(earlier, later)
        if not _within(steady, between) or hastens:
            continue
        is_out = _within(out, between)
        least = pace.delay_loop if is_out else min(pace.delay_loop, pace.delay_before_retry)
        if between.length < least - observed.slack:
            text = f"{director} checks {server.endpoint} of {table.name} again after"
            text += f" {between.length:.3f} s, not {least:g} s"
            text += ", though it is out of the table" if is_out else ""
            yield Violation(CHECKED, later, text)


def _too_late(
    observed: Observed, director: str, table: Table, server: Destination, probes: list[Instant]
) -> Iterator[Violation]:
    service = table.service
    most = _longest(service.checks[0].pace(service.delay_loop)) + observed.slack
    steady = _steady(observed, director, starting(service))
    reached = _reached(observed, director, server, steady, most)
    for since, until in pairwise((observed.began, *probes, observed.ended)):
        for span in both([Span(since, until)], reached):
            if span.length > most:
                text = f"{director} has not checked {server.endpoint} of {table.name} for"
                text += f" {span.length:.3f} s; {most:.3f} s are the most"
                yield Violation(CHECKED, span.since + most, text)


def _longest(pace: Pace) -> float:
    """The longest from one attempt to the next, in seconds: to connect and to be answered each have
    ``connect_timeout``.
    """
    return 2 * pace.timeout + max(pace.delay_loop, pace.delay_before_retry)


def _steady(observed: Observed, director: str, begins: float = 0.0) -> list[Span]:
    """When a director's checkers went on without a break and without a change, from ``begins``
    seconds after their start.
    """
    acting = [run.span for run in runs(observed, director, CHECKERS)]
    changed = disturbances(
        observed, Aspect.CONFIG | Aspect.TABLE, director, begins + observed.slack
    )
    anew = [instant for instant, _ in breaks(observed, director)]
    starts = [Span(instant, instant + begins + observed.slack) for instant in anew]
    return without(without(acting, changed), starts)


def _reached(
    observed: Observed, director: str, server: Destination, spans: list[Span], after: float
) -> list[Span]:
    """What is left of ``spans`` without those when a check could begin without a packet, or with a
    later one, and ``after`` seconds more.
    """
    for name in (director, observed.setting.server_at(server.address)):
        spans = without(spans, disturbances(observed, _REACHED, name, after=after))
    return spans


def _out(observed: Observed, director: str, table: Table, server: Destination) -> list[Span]:
    """When a real server was not in a table, or in it without the weight that it was given."""
    if not server.weight:
        return []
    loads = [
        entry.span
        for entry in entries(observed, director, table.name, server.endpoint)
        if entry.weight
    ]
    return without([Span(observed.began, observed.ended)], loads)


def _within(spans: list[Span], span: Span) -> bool:
    return any(each.since <= span.since and span.until <= each.until for each in spans)
