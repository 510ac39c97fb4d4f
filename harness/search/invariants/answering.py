"""Clients are answered while nothing disturbs."""

from __future__ import annotations

from harness.events import Request
from harness.search.invariants.balance import entries, holds
from harness.search.invariants.registry import invariant
from harness.search.invariants.rest import checks_due, election_due
from harness.search.model.effects import NOTHING, effect
from harness.search.model.spans import Span, joined, without
from harness.search.observed import DirectorSetting, Observed, Table, Violation
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
    calm = _calm(observed)
    for request in observed.of(Request, status=0, protocol="TCP"):
        sent = Span(request.at, request.at + request.latency)
        if not any(span.since <= sent.since and sent.until <= span.until for span in calm):
            continue
        holders = [
            name
            for name, director in observed.setting.directors.items()
            if holds(observed, name, director, request)
        ]
        if len(holders) != 1:
            continue
        (name,) = holders
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
    unrest = [
        Span(act.at, observed.ended if act.healed_at is None else act.healed_at + windows)
        for act in observed.acts
        if effect(act) != NOTHING or act.kind == "Reload"
    ]
    return without([Span(observed.began, observed.ended)], joined(unrest))


def _served(
    observed: Observed, name: str, director: DirectorSetting, request: Request
) -> list[str]:
    """The real servers that its table sends a request to, all of which have a weight; none if it
    has no such table, or what it is to do is not known.
    """
    if not director.elects or director.own_text:
        return []
    for table in director.tables:
        service = table.service
        asked = (service.vip, service.port) == (request.address, request.service_port)
        if asked and not service.fwmark and _speaks_http(table):
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
