"""Who is sent where: a scheduler leaves nobody out, and who is to stay with a real server does."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from ipaddress import ip_network

from harness.events import Request
from harness.search.invariants.balance import entries, holder, takes
from harness.search.invariants.registry import invariant
from harness.search.model.effects import ALL, disturbances
from harness.search.model.spans import Span
from harness.search.observed import Observed, Violation
from harness.search.setting import Table
from harness.topology.services import Destination

SHARED = "a scheduler leaves nobody out"
STAYS = "a client stays with its real server"

_ROUNDS = 3
"""So many times as many requests as a round has are looked at: others' requests may be between."""


@invariant(SHARED)
def nobody_is_left_out(observed: Observed) -> list[Violation]:
    """With the schedulers ``rr`` and ``wrr`` each real server of a weight gets some of as many
    requests as three rounds have, and one of weight 0 gets none.

    Kernel ``ip_vs_rr.c``, ``ip_vs_rr_schedule``, and ``ip_vs_wrr.c``, ``ip_vs_wrr_schedule``. It is
    judged where nothing is done, the table stays as it is, and there is no persistence.
    """
    found: list[Violation] = []
    for name, table, asked in _asked(observed):
        service = table.service
        if service.scheduler not in ("rr", "wrr") or service.persistence_timeout is not None:
            continue
        weights = _weights(observed, name, table, asked)
        if len(weights) < 2 or len(asked) < _ROUNDS * sum(weights.values()):
            continue
        counts = Counter(each.server for each in asked)
        for server, weight in weights.items():
            got = counts[observed.setting.servers[server]]
            if (got > 0) != (weight > 0):
                text = f"{name}'s table {table.name} has {server} with weight {weight}, and it"
                text += f" answers {got} of {len(asked)} requests"
                found.append(Violation(SHARED, asked[-1].at, text, (asked[0], asked[-1])))
    return found


@invariant(STAYS)
def clients_stay(observed: Observed) -> list[Violation]:
    """A client of a service with ``persistence_timeout`` is answered by the same real server as
    last time, if that was no longer ago and nothing has changed since.

    Kernel ``ip_vs_core.c``, ``ip_vs_sched_persist``. Clients of one network stay together with
    ``persistence_granularity``.
    """
    found: list[Violation] = []
    for name, table, asked in _asked(observed):
        timeout = table.service.persistence_timeout
        if timeout is None or not _weights(observed, name, table, asked):
            continue
        last: dict[str, Request] = {}
        for request in asked:
            client = _client(table, request)
            before = last.get(client)
            last[client] = request
            if before is None or request.at - before.at >= timeout:
                continue
            if before.server != request.server:
                text = f"{request.node} was answered by {before.server}, and is by"
                text += f" {request.server} {request.at - before.at:.3f} s later, though {name}"
                text += f" is to keep it there for {timeout} s"
                found.append(Violation(STAYS, request.at, text, (before, request)))
                break
    return found


def _client(table: Table, request: Request) -> str:
    """Whom a service takes for one client."""
    granularity = table.service.persistence_granularity
    if granularity is None or request.source is None:
        return request.source or request.node
    return str(ip_network(f"{request.source}/{granularity}", strict=False))


def _asked(observed: Observed) -> Iterator[tuple[str, Table, Sequence[Request]]]:
    """For each table the requests of one time without a deed that one director sent on and that
    were answered.
    """
    done = disturbances(observed, ALL, after=observed.slack)
    done += [Span(act.at, observed.over(act)) for act in observed.acts if act.kind == "Reload"]
    times: dict[tuple[str, str, int], list[Request]] = {}
    tables: dict[tuple[str, str], Table] = {}
    for request in observed.of(Request, status=200, protocol="TCP"):
        sent = Span(request.at, request.at + request.latency)
        if any(span.meets(sent) for span in done):
            continue
        name = holder(observed, request)
        if name is None or observed.setting.directors[name].own_text:
            continue
        part = sum(span.until < request.at for span in done)
        for table in observed.setting.directors[name].tables:
            if takes(table, request):
                tables[name, table.name] = table
                times.setdefault((name, table.name, part), []).append(request)
    for (name, wanted, _), requests in times.items():
        yield name, tables[name, wanted], requests


def _weights(
    observed: Observed, director: str, table: Table, asked: Sequence[Request]
) -> dict[str, int]:
    """What each real server weighs in a table that stayed as it was while clients asked; nothing if
    it did not, if one of them is not known or is there by two ports, or if a sorry server serves.
    """
    span = Span(asked[0].at - observed.slack, asked[-1].at + asked[-1].latency)
    found: dict[str, int] = {}
    for each in (*table.destinations, *table.sorry):
        present = _all_through(observed, director, table, each, span)
        server = observed.setting.server_at(each.address)
        if present is None or server is None or server in found or (each.sorry and present >= 0):
            return {}
        if present >= 0:
            found[server] = present
    return found


def _all_through(
    observed: Observed, director: str, table: Table, server: Destination, span: Span
) -> int | None:
    """The weight of a server that a table has all through a span; -1 if it never has it, None if it
    changes.
    """
    there = [
        entry
        for entry in entries(observed, director, table.name, server.endpoint)
        if entry.span.meets(span)
    ]
    if not there:
        return -1
    return there[0].weight if len(there) == 1 and there[0].span.covers(span) else None
