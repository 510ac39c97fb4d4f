"""IPVS tables say what the checks say, and nobody is sent to a real server that was removed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from harness.clock import Instant
from harness.events import DestinationChanged, Power, Request, ServiceChanged
from harness.keepalived.timers.checking import BOOTSTRAP_DELAY
from harness.observers.ipvs import SWEEP
from harness.search.invariants.registry import invariant
from harness.search.model.effects import Aspect, disturbances
from harness.search.model.health import Health, health
from harness.search.model.processes import CHECKERS, calm, holding, runs
from harness.search.model.spans import Span, both, cut, joined, without
from harness.search.observed import Observed, Violation
from harness.search.setting import DirectorSetting, Table
from harness.topology.checks import FileCheck
from harness.topology.services import endpoint

TABLES = "the IPVS table says what the checks say"
SERVED = "nobody is answered by a real server that was removed"


@dataclass(frozen=True)
class Entry:
    """A time in which a table had a real server, with a weight."""

    span: Span
    weight: int


def entries(observed: Observed, director: str, table: str, address: str) -> list[Entry]:
    """When a director's table had a real server (``address:port``), by the timeline."""
    before = observed.held(DestinationChanged, node=director, service=table, address=address)
    weight: int | None = before[-1].weight if before else None
    since = observed.began
    found: list[Entry] = []
    for event in observed.events:
        if event.node != director:
            continue
        emptied = (isinstance(event, Power) and event.action == "off") or (
            isinstance(event, ServiceChanged) and event.service == table
        )
        ours = isinstance(event, DestinationChanged) and (event.service, event.address) == (
            table,
            address,
        )
        if emptied or ours:
            if weight is not None:
                found.append(Entry(Span(since, event.at), weight))
            weight = event.weight if isinstance(event, DestinationChanged) else None
            since = event.at
    if weight is not None:
        found.append(Entry(Span(since, observed.ended), weight))
    return found


@invariant(TABLES)
def tables_follow_checks(observed: Observed) -> list[Violation]:
    """A real server that is well is in its table with its weight; one whose checks must have failed
    is not.

    keepalived ``ipwrapper.c``, ``update_svr_checker_state`` and ``perform_svr_state``; the times
    are those of
    :func:`harness.keepalived.timers.removal` and its like. While too few are well for the quorum,
    only the sorry server may be there (``update_quorum_state``). With ``inhibit_on_failure`` one
    that has failed stays, with weight 0.
    """
    found: list[Violation] = []
    for name, director in observed.setting.directors.items():
        if not director.elects:
            continue
        touched = disturbances(
            observed, Aspect.TABLE | Aspect.CONFIG, name, after=SWEEP + observed.slack
        )
        acting = [
            Span(
                run.span.since + (1.0 if run.afresh else observed.slack),
                run.span.until - observed.slack,
            )
            for run in runs(observed, name, CHECKERS)
        ]
        acting = [span for span in without(acting, touched) if span.length > 0]
        for table in director.tables:
            found += _of_table(observed, name, table, acting)
    return found


def _of_table(
    observed: Observed, director: str, table: Table, acting: list[Span]
) -> Iterator[Violation]:
    service, slack = table.service, observed.slack
    if len({each.endpoint for each in table.destinations}) < len(table.destinations):
        return
    states = {
        each.endpoint: health(observed, director, table, each.address)
        for each in table.destinations
    }
    has_quorum, lacks_quorum = _quorum(table, states, acting)
    if len(service.checks) == 1:
        yield from _of_sorry_server(observed, director, table, has_quorum, lacks_quorum)
    enough = has_quorum if table.sorry or service.quorum > 1 else acting
    for each in table.destinations:
        present = entries(observed, director, table.name, each.endpoint)
        state = states[each.endpoint]
        told = f"{director}'s table {table.name}"
        due = both(both(state.well, enough), acting)
        right = [entry.span for entry in present if entry.weight == each.weight]
        for span in _long(without(due, right), slack):
            yield Violation(
                TABLES,
                span.since,
                f"{told} lacks {each.endpoint} with weight {each.weight}, which is well",
            )
        if service.alpha and any(not isinstance(check, FileCheck) for check in service.checks):
            yield from _unchecked(observed, director, table, each.endpoint)
        if not service.checks or len(service.checks) > 1:
            continue
        loads = [
            entry.span
            for entry in present
            if (entry.weight or not service.inhibit_on_failure)
            and not set_by_hand(observed, director, entry)
        ]
        for span in _long(both(both(state.ill, acting), loads), slack):
            yield Violation(
                TABLES, span.since, (f"{told} still has {each.endpoint}, whose checks have failed")
            )
        if service.inhibit_on_failure and each.weight:
            kept = [entry.span for entry in present]
            for span in _long(without(both(state.ill, acting), kept), slack):
                text = f"{told} lacks {each.endpoint}, which is to stay with weight 0"
                yield Violation(TABLES, span.since, text)


def set_by_hand(observed: Observed, director: str, entry: Entry) -> bool:
    """Whether an operator has set this weight, which stays until keepalived changes it: ``Weigh``
    sets one, and then the one that was there before.
    """
    return any(
        abs(entry.span.since - instant) <= observed.slack
        for act in observed.acts
        if act.kind == "Weigh" and act.node == director
        for instant in (act.at, observed.over(act))
    )


def _unchecked(
    observed: Observed, director: str, table: Table, endpoint: str
) -> Iterator[Violation]:
    """With ``alpha`` nobody has a weight in a table before the first check, which begins
    :data:`harness.keepalived.timers.checking.BOOTSTRAP_DELAY` after the checker. A file is read as
    the checker begins, and knows no ``alpha`` (``check_file.c``, ``add_rs_to_track_files``).
    """
    for run in runs(observed, director, CHECKERS):
        early = Span(run.span.since, run.span.since + BOOTSTRAP_DELAY - observed.slack)
        weighed = any(
            act.kind in ("Weigh", "Drain")
            and act.node == director
            and Span(act.at, observed.over(act) + SWEEP).meets(early)
            for act in observed.acts
        )
        if weighed or not calm(observed, Aspect.CONFIG, director, early):
            continue  # somebody gave it a weight, or an edit may have taken alpha out
        for event in observed.of(
            DestinationChanged, node=director, service=table.name, address=endpoint, action="added"
        ):
            if event.weight and run.afresh and early.has(event.at):
                text = f"{director}'s table {table.name} has {endpoint} before it was checked"
                yield Violation(TABLES, event.at, text, (event,))


def _of_sorry_server(
    observed: Observed,
    director: str,
    table: Table,
    has_quorum: list[Span],
    lacks_quorum: list[Span],
) -> Iterator[Violation]:
    """It is there while too few real servers are well for the quorum, and else it is not."""
    slack = observed.slack
    for sorry in table.sorry:
        present = [entry.span for entry in entries(observed, director, table.name, sorry.endpoint)]
        told = f"{director}'s table {table.name}"
        for span in _long(without(lacks_quorum, present), slack):
            text = f"{told} lacks its sorry server {sorry.endpoint}, and there is no quorum"
            yield Violation(TABLES, span.since, text)
        for span in _long(both(has_quorum, present), slack):
            text = f"{told} still has its sorry server {sorry.endpoint}, and there is a quorum"
            yield Violation(TABLES, span.since, text)


def _quorum(
    table: Table, states: Mapping[str, Health], acting: list[Span]
) -> tuple[list[Span], list[Span]]:
    """When a table certainly has its quorum, and when it certainly lacks it.

    keepalived ``ipwrapper.c``, ``update_quorum_state``: it is lost below ``quorum`` less
    ``hysteresis``, or when nobody is left, and gained at the sum of both.
    """
    service = table.service
    gained = service.quorum + service.hysteresis
    kept = max(service.quorum - service.hysteresis, 1)
    has: list[Span] = []
    lacks: list[Span] = []
    changes = [each for state in states.values() for each in (*state.well, *state.ill)]
    for span in acting:
        up: bool | None = None
        for part in cut(span, changes):
            middle = (part.since + part.until) / 2
            least = most = 0
            for each in table.destinations:
                state = states[each.endpoint]
                if any(well.has(middle) for well in state.well):
                    least += each.weight
                if not any(ill.has(middle) for ill in state.ill):
                    most += each.weight
            if least >= gained:
                up = True
            elif most < kept:
                up = False
            elif (up is True and least < kept) or (up is False and most >= gained):
                up = None
            if up is not None:
                (has if up else lacks).append(part)
    return joined(has), joined(lacks)


def _long(spans: list[Span], slack: float) -> list[Span]:
    return [span for span in spans if span.length > slack]


@invariant(SERVED)
def removed_servers_serve_nobody(observed: Observed) -> list[Violation]:
    """A request that is sent after the master has removed a real server is not answered by that.

    Kernel ``ip_vs_ctl.c``, ``__ip_vs_unlink_dest``: a scheduler sees a removed destination no more.
    It is judged where one director alone holds the VIP, for connections that were made afterwards.
    """
    found: list[Violation] = []
    used: dict[tuple[str, int], Instant] = {}
    for request in observed.of(Request):
        key = (request.node, request.port)
        first = used.setdefault(key, request.at)
        if request.status != 200 or request.server is None or first != request.at:
            continue
        name = next(
            (each for each, page in observed.setting.servers.items() if page == request.server),
            None,
        )
        if name is not None:
            found += _not_removed(observed, request, name)
    return found


def _not_removed(observed: Observed, request: Request, server: str) -> Iterator[Violation]:
    name = holder(observed, request)
    if name is None or name == server:
        return
    answered = Span(request.at - observed.slack, request.at + request.latency)
    for table in observed.setting.directors[name].tables:
        if not takes(table, request) or table.service.persistence_timeout is not None:
            continue
        own = [
            each
            for each in table.destinations
            if observed.setting.server_at(each.address) == server
        ]
        sorry = [each for each in table.sorry if observed.setting.server_at(each.address) == server]
        present = [
            entry.span
            for each in (*own, *sorry)
            for entry in entries(observed, name, table.name, each.endpoint)
        ]
        if own and not any(span.meets(answered) for span in present):
            text = (
                f"{server} answers a request to {request.address}, and {name}'s table does"
                f" not have it"
            )
            yield Violation(SERVED, request.at, text, (request,))


def holder(observed: Observed, request: Request) -> str | None:
    """The one director that held the address of a request; None if none did, or several."""
    holders = [
        name
        for name, director in observed.setting.directors.items()
        if _holds(observed, name, director, request)
    ]
    return holders[0] if len(holders) == 1 else None


def takes(table: Table, request: Request) -> bool:
    """Whether a table is that of what was asked, by its address and port: a group has a table for
    each, and an edit may take one of them out (``ipvswrapper.c``, ``clear_diff_vsge``).
    """
    return table.name == f"{request.protocol} {endpoint(request.address, request.service_port)}"


def _holds(observed: Observed, name: str, director: DirectorSetting, request: Request) -> bool:
    """Whether a director held the address of a request when that was sent."""
    vip = request.address
    devices = [
        one.device_of(vip) for one in director.instances if vip in (*one.vips, *one.excluded_vips)
    ]
    return any(
        span.has(request.at) for device in devices for span in holding(observed, name, vip, device)
    )
