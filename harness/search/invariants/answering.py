"""Clients are answered while nothing disturbs."""

from __future__ import annotations

from harness.events import Request
from harness.observers.requests import GIVEN_UP
from harness.search.invariants.balance import entries, holder, takes
from harness.search.invariants.registry import invariant
from harness.search.invariants.rest import checks_due, election_due
from harness.search.model.effects import ALL, disturbances
from harness.search.model.spans import Span, without
from harness.search.observed import Observed, Violation
from harness.search.setting import DirectorSetting, Table
from harness.topology.checks import SmtpCheck

ANSWERED = "a request is answered where nothing disturbs"


@invariant(ANSWERED)
def requests_are_answered(observed: Observed) -> list[Violation]:
    """A request is answered where one director holds the address and balances over real servers,
    and nothing is done to anybody, nor was since the last healing and its windows.

    Kernel ``ip_vs_core.c``, ``ip_vs_in_hook`` and ``ip_vs_schedule``: each packet to the service
    goes to a real server that has a weight; the windows are those of
    :func:`harness.keepalived.timers.removal` and its like.
    """
    found: list[Violation] = []
    failed = observed.of(Request, status=0, protocol="TCP")
    unanswered = [each for each in failed if each.error != GIVEN_UP]
    calm = _calm(observed) if unanswered else []
    for request in unanswered:
        sent = Span(request.at, request.at + request.latency)
        name = holder(observed, request)
        if name is None or not any(span.covers(sent) for span in calm):
            continue
        served = _served(observed, name, observed.setting.directors[name], request)
        if served:
            asked = f"{request.address}:{request.service_port}"
            text = f"{request.node} is not answered by {asked} ({request.error}), though {name}"
            found.append(
                Violation(ANSWERED, request.at, f"{text} has {', '.join(served)}", (request,))
            )
    return found


def _calm(observed: Observed) -> list[Span]:
    """When nothing was done, and all that was done before was over."""
    windows = max(election_due(observed), checks_due(observed))
    disturbed = disturbances(observed, ALL, after=windows)
    reloaded = [
        Span(act.at, observed.over(act) + windows) for act in observed.acts if act.kind == "Reload"
    ]
    return without([Span(observed.began, observed.ended)], [*disturbed, *reloaded])


def _served(
    observed: Observed, name: str, director: DirectorSetting, request: Request
) -> list[str]:
    """The real servers that its table sends a request to, all of which have a weight; none if it
    has no such table, or what it is to do is not known.
    """
    if not director.elects or director.own_text:
        return []
    for table in director.tables:
        if takes(table, request) and _speaks_http(table):
            weights = {
                each.endpoint: entry.weight
                for each in table.destinations
                for entry in entries(observed, name, table.name, each.endpoint)
                if entry.span.has(request.at)
            }
            return sorted(weights) if all(weights.values()) else []
    return []


def _speaks_http(table: Table) -> bool:
    return not any(isinstance(check, SmtpCheck) for check in table.service.checks)
