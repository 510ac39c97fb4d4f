"""Measures turn the events of a timeline into numbers.

They are pure functions, so that a judgement can be tested without a kernel.

Where a measure has nothing to judge by, it raises :class:`NoEvidence`: no evidence is never a pass.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import combinations, pairwise

from harness.clock import Instant
from harness.errors import HarnessError
from harness.events import (
    AddressChanged,
    Advertisement,
    DestinationChanged,
    Link,
    Power,
    Renamed,
    Request,
    Saturated,
    ServiceChanged,
    StreamChanged,
)
from harness.timeline import EVER, Timeline


class NoEvidence(HarnessError):
    """The timeline holds no event from which the answer could follow."""


@dataclass(frozen=True)
class Tenure:
    """How long one node had a role: from ``since`` to ``until``, in seconds.

    ``until`` is None while the node still has it.
    """

    node: str
    since: Instant
    until: Instant | None

    def overlap(self, other: Tenure) -> float:
        """For how many seconds both lasted. If neither has ended, that is infinity."""
        end = min(self._end, other._end)
        return max(0.0, end - max(self.since, other.since))

    @property
    def _end(self) -> float:
        return float("inf") if self.until is None else self.until


def ownership(
    timeline: Timeline, vip: str, interface: str | None = None, since: Instant = EVER
) -> list[Tenure]:
    """Who held the VIP as an address of an interface, and when; the earliest beginning comes first.

    A director can hold the VIP without being master: one that hangs keeps the address until it is
    removed or the machine loses power.
    """
    held: dict[str, Instant] = {}
    tenures: list[Tenure] = []
    called = _first_names(timeline)
    for event in timeline.events(Power, AddressChanged, since=since):
        if isinstance(event, Power):
            if event.action == "off" and (start := held.pop(event.node, None)) is not None:
                tenures.append(Tenure(event.node, start, event.at))
        elif event.address == vip and interface in (None, called(event)):
            if event.action == "added":
                held.setdefault(event.node, event.at)
            elif (start := held.pop(event.node, None)) is not None:
                tenures.append(Tenure(event.node, start, event.at))
    tenures += [Tenure(node, start, None) for node, start in held.items()]
    return sorted(tenures, key=lambda tenure: tenure.since)


def _first_names(timeline: Timeline) -> Callable[[AddressChanged], str]:
    """A function that gives the first name of an event's interface.

    An interface that is renamed keeps its addresses, so it is followed by its first name.
    """
    renamed = timeline.events(Renamed)

    def first_name(event: AddressChanged) -> str:
        name = event.interface
        for rename in reversed(renamed):
            if rename.node == event.node and rename.at <= event.at and rename.interface == name:
                name = rename.before
        return name

    return first_name


def owners(timeline: Timeline, vip: str, interface: str | None = None) -> list[str]:
    """The names of the nodes that hold the VIP as an address now, sorted.

    :func:`ownership` says who got it first.
    """
    return sorted(
        tenure.node for tenure in ownership(timeline, vip, interface) if tenure.until is None
    )


def holders(timeline: Timeline) -> dict[tuple[str, str], set[str]]:
    """Which nodes hold each address as one of each interface now, by the address and the
    interface's first name.

    As :func:`owners`, for all addresses at once: where there are a hundred VIPs, one look at each
    of them after each of their changes takes minutes.
    """
    called = _first_names(timeline)
    held: dict[tuple[str, str], set[str]] = {}
    for event in timeline.events(Power, AddressChanged):
        if isinstance(event, AddressChanged):
            nodes = held.setdefault((event.address, called(event)), set())
            (nodes.add if event.action == "added" else nodes.discard)(event.node)
        elif event.action == "off":
            for nodes in held.values():
                nodes.discard(event.node)
    return held


def has_carrier(timeline: Timeline, node: str, interface: str) -> bool:
    """Whether an interface has a carrier now, as the kernel last reported it."""
    said = timeline.events(Power, Link, node=node)
    states = [
        event.up for event in said if isinstance(event, Link) and event.interface == interface
    ]
    return bool(states) and states[-1]


def takeovers(
    timeline: Timeline, node: str, vip: str, since: Instant, until: Instant
) -> list[Instant]:
    """The instants between ``since`` and ``until`` at which a node got the VIP."""
    gained = timeline.events(
        AddressChanged, node=node, since=since, until=until, action="added", address=vip
    )
    return [event.at for event in gained]


def reigns(timeline: Timeline, vrid: int, since: Instant = EVER) -> list[Tenure]:
    """Who was master on the wire, and when: one tenure for each run of a node's advertisements.

    A run ends with the last advertisement before a resignation (priority 0) or before a silence of
    three intervals. Raises NoEvidence if nobody advertised.
    """
    sent = _counted(timeline.events(Advertisement, since=since, sent=True, vrid=vrid))
    if not sent:
        raise NoEvidence(f"nobody advertised VRID {vrid}")
    runs: list[list[Advertisement]] = []
    current: dict[str, list[Advertisement]] = {}
    for advert in sent:
        run = current.get(advert.node)
        if advert.priority == 0:
            current.pop(advert.node, None)
        elif run and advert.at - run[-1].at < 3 * advert.interval:
            run.append(advert)
        else:
            runs.append([advert])
            current[advert.node] = runs[-1]
    return [Tenure(run[0].node, run[0].at, run[-1].at) for run in runs]


def _counted(adverts: Iterable[Advertisement]) -> list[Advertisement]:
    """The advertisements without a flaw. One that every receiver discards makes nobody master."""
    return [advert for advert in adverts if advert.flaw is None]


def advert_gaps(timeline: Timeline, node: str, vrid: int, since: Instant = EVER) -> list[float]:
    """The times in seconds between successive advertisements that a node sent.

    Resignations (priority 0) do not count. Raises NoEvidence if it sent fewer than two.
    """
    own = timeline.events(Advertisement, node=node, since=since, sent=True, vrid=vrid)
    sent = [event.at for event in own if event.priority]
    if len(sent) < 2:
        raise NoEvidence(
            f"{node} sent {len(sent)} advertisements of VRID {vrid}: there is no time between two"
        )
    return [later - earlier for earlier, later in pairwise(sent)]


def split_brain(
    timeline: Timeline, vrid: int, since: Instant = EVER
) -> list[tuple[Tenure, Tenure]]:
    """Pairs of masters that advertised at the same time.

    A master that is outranked may advertise once more before it hears the other one (RFC 5798
    section 6.4.3). So two tenures are a split brain only if they overlap for longer than the time
    between two advertisements.
    """
    adverts = _counted(timeline.events(Advertisement, since=since, vrid=vrid))
    runs = reigns(timeline, vrid, since)
    interval = max(float(event.interval) for event in adverts)
    return [
        (first, second)
        for first, second in combinations(runs, 2)
        if first.node != second.node and first.overlap(second) > interval
    ]


def heard(
    timeline: Timeline,
    node: str,
    vrid: int,
    since: Instant = EVER,
    until: Instant | None = None,
    priority: int = 1,
) -> list[Advertisement]:
    """The advertisements without a flaw that reached a node from others.

    Only those of at least ``priority`` count. For a backup give its own priority: it discards lower
    ones (RFC 5798 section 6.4.2).
    """
    arrived = timeline.events(
        Advertisement, node=node, since=since, until=until, vrid=vrid, sent=False
    )
    return [advert for advert in _counted(arrived) if advert.priority >= priority]


def silences(adverts: list[Advertisement], longest: float, until: Instant) -> list[Instant]:
    """The instants at which a backup had heard nothing for ``longest`` seconds.

    ``adverts`` are those that it heard; there is one instant for each longer silence between them,
    or before ``until``. Raises NoEvidence if it never heard anything.
    """
    if not adverts:
        raise NoEvidence("no advertisement arrived, so it is not known when its silence began")
    ends = [advert.at for advert in adverts[1:]] + [until]
    return [
        advert.at + longest
        for advert, end in zip(adverts, ends, strict=True)
        if end - advert.at > longest
    ]


def requests(
    timeline: Timeline, since: Instant | None = None, until: Instant | None = None
) -> list[Request]:
    """The client's requests, by default in this scenario. Raises NoEvidence if there is none."""
    found = timeline.events(Request, since=timeline.mark if since is None else since, until=until)
    if not found:
        raise NoEvidence("the client sent no request")
    return found


def outage(timeline: Timeline, since: Instant | None = None) -> float:
    """The longest time in seconds between two successive requests that were answered with 200.

    A request counts from when it was sent. Without an outage the result is the time between two
    requests; one of some seconds is told as up to twice that time more, since it may begin just
    before a request is sent and end just after one. Raises NoEvidence if fewer than two were
    answered.
    """
    good = [event.at for event in requests(timeline, since) if event.status == 200]
    if len(good) < 2:
        raise NoEvidence(
            f"only {len(good)} requests were answered: an outage has no beginning and end"
        )
    return max(later - earlier for earlier, later in pairwise(good))


def stall(timeline: Timeline, port: int, since: Instant, until: Instant) -> float:
    """The longest time in seconds between two instants in which no byte came of the stream to a
    client's port, by ``client.stream()``.

    Raises NoEvidence if there was no such stream.
    """
    told = timeline.events(StreamChanged, port=port)
    if not told:
        raise NoEvidence(f"no stream came to port {port}: cluster.client.stream(...)")
    pieces = [event.at for event in told if event.action == "received" and since < event.at < until]
    return max(later - earlier for earlier, later in pairwise([since, *pieces, until]))


def at_once(timeline: Timeline, since: Instant = EVER) -> int:
    """How many connections a client had open at the same time, at the most, by ``saturate()``.

    Raises NoEvidence if there was none.
    """
    saturated = timeline.events(Saturated, since=since)
    if not saturated:
        raise NoEvidence("no client was to keep connections busy: cluster.client.saturate(...)")
    return max(event.at_once for event in saturated)


def distribution(events: Iterable[Request]) -> Counter[str]:
    """How many requests each server answered; under ``"None"``, how many got no answer."""
    return Counter(str(event.server) for event in events)


def pool(
    timeline: Timeline, director: str, service: str, at: Instant | None = None
) -> dict[str, int]:
    """A director's real servers for one service: ``address:port`` -> weight.

    ``at`` is the instant to look at (None: now). Raises NoEvidence if the table has no such
    service.
    """
    held = pools(timeline, director, at)
    if service not in held:
        raise NoEvidence(f"{director} has no service {service} in its table")
    return held[service]


def pools(
    timeline: Timeline, director: str, at: Instant | None = None
) -> dict[str, dict[str, int]]:
    """A director's whole IPVS table: service -> real server (``address:port``) -> weight."""
    table: dict[str, dict[str, int]] = {}
    changes = timeline.events(
        Power, ServiceChanged, DestinationChanged, node=director, since=EVER, until=at
    )
    for event in changes:
        if isinstance(event, Power):
            table = {}
        elif isinstance(event, ServiceChanged):
            table.pop(event.service, None)
            if event.action == "added":
                table[event.service] = {}
        elif (servers := table.get(event.service)) is not None:
            if event.weight is None:
                servers.pop(event.address, None)
            else:
                servers[event.address] = event.weight
    return table
