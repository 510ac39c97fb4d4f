"""A scenario's events as a picture: rows of bars and marks, without saying how they are drawn.
Pure.

All times in it are milliseconds after its zero: the first fault, or where there is none the
scenario's beginning.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.clock import Instant, duration
from harness.events import Event, Request
from harness.report import plots
from harness.report.artifacts import Scenario
from harness.report.plots import Plot
from harness.report.words import DIRECTING, SERVING, words

Bar = tuple[int, float, float, str, str]
"""Row, from, to, kind (``MASTER``, ``VIP``, ``pool``, ``due``, ...), what it says."""

Mark = tuple[int, float, str, str]
"""Row, when, kind (``request web1``, ``failed``, ``gratuitous ARP``, ...), what it says."""


VERDICTS = ("on time", "not on time", "missed")
_ROOM, _LEAST_ROOM = 0.12, 20.0
"""Beside what is to be seen: a share of it, and milliseconds."""


@dataclass
class Picture:
    """``rows`` are (node, label); ``spans`` are faults: from, to, node, name."""

    span: tuple[float, float]
    rows: list[tuple[str, str]] = field(default_factory=list)
    bars: list[Bar] = field(default_factory=list)
    marks: list[Mark] = field(default_factory=list)
    spans: list[tuple[float, float, str, str]] = field(default_factory=list)
    plots: list[Plot] = field(default_factory=list)
    view: tuple[float, float] = (0, 0)
    """What is to be seen first: the fault, what was due, and what came of it; all of it where
    nothing was due.
    """

    def as_json(self) -> dict[str, Any]:
        """What the page draws."""
        return {**vars(self), "plots": [plot.as_json() for plot in self.plots]}


def zero(scenario: Scenario) -> Instant:
    """The instant from which times are counted."""
    faults = [
        event.at
        for event in scenario.events
        if event.kind == "fault" and event.matches(action="injected")
    ]
    began = scenario.about.get("began")
    first = [event.at for event in scenario.events[:1]]
    return next(iter(faults), began if isinstance(began, int | float) else next(iter(first), 0.0))


def draw(scenario: Scenario) -> Picture:
    """The picture of a scenario, as far as it got."""
    return _Artist(scenario).draw()


class _Artist:
    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._zero = zero(scenario)
        events = scenario.events
        began = _number(scenario.about.get("began"), events[0].at if events else 0.0)
        ended = _number(
            scenario.about.get("ended"), max((event.at for event in events), default=began)
        )
        self._ended = max([ended, began + 1e-6, *(event.at for event in events[-1:])])
        self._began = min([began, *(event.at for event in events[:1])])
        self._picture = Picture((self._ms(self._began), self._ms(self._ended)))

    def _ms(self, at: Instant) -> float:
        return round((at - self._zero) * 1000, 4)

    def draw(self) -> Picture:
        """Lane after lane, in the order of the topology."""
        for node, role in self._nodes():
            if role in DIRECTING:
                self._director(node)
            if role in SERVING:
                self._real_server(node)
            if role not in DIRECTING + SERVING:
                self._other(node, role)
        self._faults()
        self._picture.view = self._view()
        return self._picture

    def _view(self) -> tuple[float, float]:
        due = [bar for bar in self._picture.bars if bar[3] == "window"]
        if not due:
            return self._picture.span
        told = [mark[1] for mark in self._picture.marks if mark[2] in VERDICTS]
        times = [*told, *(at for bar in due for at in bar[1:3])]
        times += [span[0] for span in self._picture.spans if span[0] <= max(times)]
        room = max(_LEAST_ROOM, (max(times) - min(times)) * _ROOM)
        return (min(times) - room, max(times) + room)

    def _nodes(self) -> list[tuple[str, str]]:
        known = [
            (str(node["name"]), str(node["role"])) for node in self._scenario.about.get("nodes", ())
        ]
        return known or [
            (name, _guess(events)) for name, events in _by_node(self._scenario.events).items()
        ]

    def _row(self, node: str, label: str) -> int:
        self._picture.rows.append((node, label))
        return len(self._picture.rows) - 1

    def _of(self, node: str, *kinds: str) -> list[Event]:
        """Its events of these kinds, those that already held among them."""
        everything = [*self._scenario.before, *self._scenario.events]
        return [event for event in everything if event.node == node and event.kind in kinds]

    def _bars(
        self, row: int, events: Iterable[Event], state: Callable[[Event], tuple[str, str] | None]
    ) -> None:
        """A bar from each event to the next; ``state`` gives its kind and text, None for no bar, in
        between.
        """
        current: tuple[Instant, str, str] | None = None
        for event in events:
            at = max(event.at, self._began)
            if current is not None and at > current[0]:
                self._bar(row, current[0], at, *current[1:])
            found = state(event)
            current = None if found is None else (at, *found)
        if current is not None:
            self._bar(row, current[0], self._ended, *current[1:])

    def _bar(self, row: int, start: Instant, end: Instant, kind: str, text: str) -> None:
        self._picture.bars.append((row, self._ms(start), self._ms(end), kind, text))

    def _mark(self, row: int, event: Event, kind: str) -> None:
        self._picture.marks.append((row, self._ms(event.at), kind, words(event)))

    # -- lanes -----------------------------------------------------------------

    def _director(self, node: str) -> None:
        states = self._of(node, "state", "power", "daemon")
        instances = sorted(
            {str(event.details.get("instance")) for event in states if event.kind == "state"}
        )
        row = len(self._picture.rows)
        for instance in instances or [""]:
            of_it = [
                event for event in states if event.details.get("instance", instance) == instance
            ]
            self._bars(
                self._row(node, f"VRRP {instance}" if len(instances) > 1 else "VRRP"),
                of_it,
                _vrrp_state,
            )
        for event in self._of(node, "advertisement"):
            if event.details.get("sent"):
                self._mark(
                    row,
                    event,
                    "resignation" if event.details.get("priority") == 0 else "advertisement",
                )
        owned = self._row(node, "VIP")
        for address in self._vips():
            self._bars(owned, _about(self._of(node, "address", "power"), address=address), _holds)
        for event in self._of(node, "arp"):
            if event.details.get("gratuitous") and event.details.get("sent"):
                self._mark(owned, event, "gratuitous ARP")
        self._expectations(node)

    def _vips(self) -> list[str]:
        """What directors announce is a VIP: what they add and remove, or already hold as one."""
        found = set()
        for event in self._scenario.events:
            if event.details.get("gratuitous"):
                found.add(event.details.get("sender"))
        directors = {name for name, role in self._nodes() if role in DIRECTING}
        for event in (*self._scenario.before, *self._scenario.events):
            on_a_director = event.kind == "address" and event.node in directors
            if on_a_director and event.details.get("interface") != "lo":
                found.add(event.details.get("address"))
        for node in self._scenario.about.get("nodes", ()):
            found -= _own_addresses(node)
        vips = [str(address) for address in found if address]
        return sorted(vip for vip in vips if not vip.startswith("fe80:"))

    def _real_server(self, node: str) -> None:
        row = self._row(node, "httpd")
        self._bars(row, self._of(node, "daemon", "power"), _daemon_state)
        addresses = self._addresses(node)
        tables: dict[str, list[Event]] = {}
        for director, role in self._nodes():
            if role in DIRECTING:
                tables[director] = self._pool_of(director, addresses)
        if all(event.at <= self._began for table in tables.values() for event in table):
            tables = {"every director": next(iter(tables.values()), [])}
        for director, table in tables.items():
            if any(event.kind == "destination" for event in table):
                self._bars(self._row(node, f"in {director}'s pool"), table, _pooled)

    def _pool_of(self, director: str, addresses: set[str]) -> list[Event]:
        """What happened to a director's table that concerns the server of these addresses."""
        events = []
        for event in self._of(director, "destination", "power"):
            if event.kind == "power" or _host(event.details.get("address")) in addresses:
                events.append(event)
        return events

    def _addresses(self, node: str) -> set[str]:
        found: set[str] = set()
        for described in self._scenario.about.get("nodes", ()):
            if described.get("name") == node:
                found |= _own_addresses(described)
        return found

    def _other(self, node: str, role: str) -> None:
        """A client, or a machine that plays a router."""
        said = [event for event in self._of(node, "advertisement") if event.details.get("sent")]
        if said:
            row = self._row(node, "advertisements")
            for event in said:
                self._mark(row, event, "advertisement")
        if role == "Client" or not said:
            self._client(node)

    def _client(self, node: str) -> None:
        requests = self._of(node, "request")
        row = self._row(node, "requests")
        self._outages(row, requests)
        for event in requests:
            good = event.details.get("status") == 200
            self._mark(
                row,
                event,
                f"answered by {event.details.get('server')}" if good else "failed request",
            )
        self._plot(node, row, [event for event in requests if isinstance(event, Request)])
        self._expectations(node)

    def _plot(self, node: str, row: int, requests: list[Request]) -> None:
        if len(requests) >= plots.LEAST:
            latency, rate = (self._row(node, label) for label in plots.LABELS)
            self._picture.plots.append(Plot(row, latency, rate, plots.took(requests)))

    def _outages(self, row: int, requests: list[Event]) -> None:
        """A bar from the last request that was answered to the next one that was, where others
        failed in between.
        """
        last_good: Event | None = None
        failed = False
        for event in requests:
            if event.details.get("status") != 200:
                failed = True
                continue
            if failed:
                began = requests[0] if last_good is None else last_good
                self._outage(row, began.at, event.at)
            last_good, failed = event, False
        if failed:
            self._outage(row, (last_good or requests[0]).at, self._ended)

    def _outage(self, row: int, start: Instant, end: Instant) -> None:
        self._bar(row, start, end, "outage", f"no request was answered for {duration(end - start)}")

    def _expectations(self, node: str) -> None:
        """A row for each thing that was due: its window, and when it came."""
        judged = {}
        for event in self._of(node, "expected", "judged", "missed"):
            judged[event.details.get("what"), event.details.get("since")] = event
        for (what, _), event in judged.items():
            latest, since = (
                _number(event.details.get(name), event.at) for name in ("latest", "since")
            )
            row = self._row(node, f"due: {what}")
            earliest = _number(event.details.get("earliest"), since)
            self._bar(row, earliest, latest, "window", f"{what}: due {self._due(earliest, latest)}")
            if event.kind == "judged":
                met = bool(event.details.get("met"))
                at = self._ms(_number(event.details.get("measured"), latest))
                self._picture.marks.append(
                    (row, at, "on time" if met else "not on time", words(event))
                )
            if event.kind == "missed":
                self._mark(row, event, "missed")

    def _due(self, earliest: Instant, latest: Instant) -> str:
        return f"from {self._ms(earliest):.1f} to {self._ms(latest):.1f} ms"

    def _faults(self) -> None:
        begun: dict[tuple[str, Any], Event] = {}
        for event in self._scenario.events:
            if event.kind != "fault":
                continue
            key = event.node, event.details.get("name")
            if event.details.get("action") == "injected":
                begun[key] = event
            elif (start := begun.pop(key, None)) is not None:
                self._picture.spans.append(
                    (self._ms(start.at), self._ms(event.at), event.node, str(key[1]))
                )
        for (node, name), start in begun.items():
            self._picture.spans.append((self._ms(start.at), self._ms(self._ended), node, str(name)))


def _vrrp_state(event: Event) -> tuple[str, str] | None:
    if event.kind == "state":
        return str(event.details.get("state")), words(event)
    action = event.details.get("action")
    if action in ("off", "ended"):
        return "off", "power off" if event.kind == "power" else words(event)
    return None


def _daemon_state(event: Event) -> tuple[str, str] | None:
    action = event.details.get("action")
    if action in ("off", "ended"):
        return "off", words(event)
    return ("serves", words(event)) if action == "started" else None


def _holds(event: Event) -> tuple[str, str] | None:
    return (
        ("VIP", f"holds {event.details.get('address')}")
        if event.details.get("action") == "added"
        else None
    )


def _pooled(event: Event) -> tuple[str, str] | None:
    if event.kind in ("power", "service") or event.details.get("action") == "removed":
        return None
    weight = event.details.get("weight")
    return "pool" if weight else "drained", f"{event.details.get('service')}: weight {weight}"


def _about(events: Iterable[Event], address: str) -> list[Event]:
    return [
        event
        for event in events
        if event.kind == "power" or event.details.get("address") == address
    ]


def _by_node(events: Iterable[Event]) -> dict[str, list[Event]]:
    found: dict[str, list[Event]] = {}
    for event in events:
        found.setdefault(event.node, []).append(event)
    return found


def _guess(events: Iterable[Event]) -> str:
    kinds = {event.kind for event in events}
    if "request" in kinds:
        return "Client"
    return "Director" if kinds & {"state", "destination", "expected"} else "RealServer"


def _host(endpoint: Any) -> str:
    """``172.16.10.21`` of ``172.16.10.21:80``, ``2001:db8::1`` of ``[2001:db8::1]:80``."""
    return str(endpoint).rpartition(":")[0].strip("[]")


def _number(value: Any, otherwise: float) -> float:
    return (
        float(value)
        if isinstance(value, int | float) and not isinstance(value, bool)
        else otherwise
    )


def _own_addresses(node: Mapping[str, Any]) -> set[str]:
    """The addresses that a node, as scenario.json describes it, has by its topology."""
    found: set[str] = set()
    for addresses in node.get("addresses", {}).values():
        found.update(str(address).partition("/")[0] for address in addresses)
    return found
