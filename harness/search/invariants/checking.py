"""Health checkers keep their pace: they ask neither too often nor too seldom."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from harness.clock import Instant
from harness.events import Log
from harness.search.invariants.balance import entries
from harness.search.invariants.registry import invariant
from harness.search.model.effects import Aspect, disturbances
from harness.search.model.health import breaks, lingering, starting
from harness.search.model.processes import CHECKERS, runs
from harness.search.model.spans import Span, both, without
from harness.search.observed import Observed, Violation
from harness.search.setting import Table
from harness.topology.checks import Check, HttpGet, Pace, TcpCheck
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
        steady = _steady(observed, name)
        for table in own.values():
            for each in table.destinations:
                if asked.count(each.endpoint) == 1 and _judged(table):
                    checked = _Checked(observed, name, table, each)
                    found += _too_soon(checked, steady)
                    if not lingering(observed, table.service):  # else one delays the checks of all
                        found += _too_late(checked)
    return found


@dataclass(frozen=True)
class _Checked:
    """A real server in one of a director's tables, and its checker."""

    observed: Observed
    director: str
    table: Table
    server: Destination

    @property
    def check(self) -> Check:
        """The only one that the service has."""
        return self.table.service.checks[0]

    @property
    def pace(self) -> Pace:
        """Its times."""
        return self.check.pace(self.table.service.delay_loop)

    @cached_property
    def probes(self) -> list[Instant]:
        """When the director opened a connection to the real server."""
        wanted = (self.director, self.server.endpoint)
        probes = self.observed.probes or ()
        return [each.at for each in probes if (each.director, each.endpoint) == wanted]

    @property
    def out(self) -> list[Span]:
        """When the real server was not in the table, or in it without the weight that it was
        given.
        """
        if not self.server.weight:
            return []
        found = entries(self.observed, self.director, self.table.name, self.server.endpoint)
        whole = [Span(self.observed.began, self.observed.ended)]
        return without(whole, [entry.span for entry in found if entry.weight])

    @property
    def answered(self) -> list[Instant]:
        """When keepalived said that a page of the real server is well again, which is not yet a
        recovery: all of them are asked for once more.
        """
        words = f"success to [{self.server.address}]:tcp:{self.server.port} "
        logs = self.observed.of(Log, node=self.director, daemon="keepalived")
        return [each.at for each in logs if words in each.line]

    def reached(self, spans: list[Span], after: float) -> list[Span]:
        """What is left of ``spans`` without those when a check could begin without a packet, or
        with a later one, and ``after`` seconds more.
        """
        for name in (self.director, self.observed.setting.server_at(self.server.address)):
            spans = without(spans, disturbances(self.observed, _REACHED, name, after=after))
        return spans


def _judged(table: Table) -> bool:
    """Whether each connection to one of its real servers is a check of one checker."""
    checks = table.service.checks
    return len(checks) == 1 and isinstance(checks[0], TcpCheck | HttpGet)


def _too_soon(checked: _Checked, steady: list[Span]) -> Iterator[Violation]:
    if getattr(checked.check, "fast_recovery", False):
        return  # the last good check brings it back, and the others are made at once
    pace, slack = checked.pace, checked.observed.slack
    steady = checked.reached(steady, pace.timeout + RESOLVING + slack)
    out = checked.out if checked.table.service.quorum == 1 else []
    begun_anew = [instant for instant, _ in breaks(checked.observed, checked.director)]
    out = [_until_answered(checked, span, begun_anew) for span in out]
    for earlier, later in pairwise(checked.probes):
        between = Span(earlier, later)
        if not _covered(steady, between):
            continue
        is_out = _covered(out, between)
        least = pace.delay_loop if is_out else min(pace.delay_loop, pace.delay_before_retry)
        if between.length < least - slack:
            text = f"{checked.director} checks {checked.server.endpoint} of {checked.table.name}"
            text += f" again after {between.length:.3f} s, not {least:g} s"
            text += ", though it is out of the table" if is_out else ""
            yield Violation(CHECKED, later, text)


def _until_answered(checked: _Checked, out: Span, begun_anew: list[Instant]) -> Span:
    """The part of a span in which a checker goes on that has failed: from the first page that is
    well, a failure is tried again until that has failed ``retry`` times, and so is one of a checker
    that starts anew (keepalived ``check_http.c``, ``epilog``, ``failed_url`` and ``has_run``).
    """
    wide = Span(out.since - checked.observed.slack, out.until)
    ends = [each for each in (*checked.answered, *begun_anew) if wide.has(each)]
    return Span(out.since, min([out.until, *ends]))


def _too_late(checked: _Checked) -> Iterator[Violation]:
    observed = checked.observed
    most = _longest(checked.pace) + observed.slack
    steady = _steady(observed, checked.director, starting(checked.table.service))
    reached = checked.reached(steady, most)
    for since, until in pairwise((observed.began, *checked.probes, observed.ended)):
        for span in both([Span(since, until)], reached):
            if span.length > most:
                text = f"{checked.director} has not checked {checked.server.endpoint} of"
                text += f" {checked.table.name} for {span.length:.3f} s; {most:.3f} s are the most"
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


def _covered(spans: list[Span], span: Span) -> bool:
    return any(each.covers(span) for each in spans)
