"""A timeline's events to numbers: pure functions, so a judgement is tested without a kernel.

No evidence is never a pass: where a measure has nothing to go by it raises :class:`NoEvidence`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise

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
    ServiceChanged,
)
from harness.timeline import EVER, Timeline


class NoEvidence(HarnessError):
    """The timeline holds nothing from which the answer would follow."""


@dataclass(frozen=True)
class Tenure:
    """A time during which one node was something: from ``since`` to ``until`` (None: it still is),
    in seconds.
    """

    node: str
    since: Instant
    until: Instant | None

    def overlap(self, other: Tenure) -> float:
        """For how many seconds both lasted; two that both still last overlap for ever."""
        end = min(self._end, other._end)
        return max(0.0, end - max(self.since, other.since))

    @property
    def _end(self) -> float:
        return float("inf") if self.until is None else self.until


def ownership(
    timeline: Timeline, vip: str, interface: str | None = None, since: Instant = EVER
) -> list[Tenure]:
    """Who held the VIP as an address, and from when to when, in the order of beginning.

    A machine that lost power or was still hung when it lost its role counts as holding until it
    lost the address.
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
    """Under which name an interface of an event was first known: a new name takes no address from
    it.
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
    """Who holds the VIP as an address now, by name: who got it first is told by
    :func:`ownership`.
    """
    return sorted(
        tenure.node for tenure in ownership(timeline, vip, interface) if tenure.until is None
    )


def has_carrier(timeline: Timeline, node: str, interface: str) -> bool:
    """Whether an interface of a machine has its carrier now, by what the kernel last said of it."""
    said = timeline.events(Power, Link, node=node)
    states = [
        event.up for event in said if isinstance(event, Link) and event.interface == interface
    ]
    return bool(states) and states[-1]


def takeovers(
    timeline: Timeline, node: str, vip: str, since: Instant, until: Instant
) -> list[Instant]:
    """When a node got the VIP between two instants."""
    gained = timeline.events(
        AddressChanged, node=node, since=since, until=until, action="added", address=vip
    )
    return [event.at for event in gained]


def reigns(timeline: Timeline, vrid: int, since: Instant = EVER) -> list[Tenure]:
    """Who was master on the wire: the runs of each node's own advertisements, of any priority but
    0, in order.

    A run ends with the last advertisement before a resignation (priority 0) or a silence of three
    intervals. Raises NoEvidence if nobody advertised.
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
    """Those that some receiver may heed: what every receiver discards makes nobody master."""
    return [advert for advert in adverts if advert.flaw is None]


def advert_gaps(timeline: Timeline, node: str, vrid: int, since: Instant = EVER) -> list[float]:
    """The times between successive advertisements of one node, of any priority but 0, in seconds.

    Raises NoEvidence if it sent fewer than two.
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
    """Pairs of masters that went on advertising side by side.

    One who is outranked may have spoken once before it hears the other (RFC 5798 section 6.4.3), so
    sharing an instant is no split brain, and sharing more than the time between two advertisements
    is.
    """
    adverts = _counted(timeline.events(Advertisement, since=since, vrid=vrid))
    runs = reigns(timeline, vrid, since)
    interval = max(float(event.interval) for event in adverts)
    return [
        (first, second)
        for number, first in enumerate(runs)
        for second in runs[number + 1 :]
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
    """The advertisements of others that reached a node without a flaw, those of at least
    ``priority``: a backup's, as a rule, is its own, since it discards lower ones.
    """
    arrived = timeline.events(
        Advertisement, node=node, since=since, until=until, vrid=vrid, sent=False
    )
    return [advert for advert in _counted(arrived) if advert.priority >= priority]


def silences(adverts: list[Advertisement], longest: float, until: Instant) -> list[Instant]:
    """When a backup that heard these advertisements had heard nothing for ``longest`` seconds: once
    in each silence.

    Raises NoEvidence if it never heard anything.
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
    """The client's requests. Raises NoEvidence if there is none."""
    found = timeline.events(Request, since=timeline.mark if since is None else since, until=until)
    if not found:
        raise NoEvidence("the client sent no request")
    return found


def outage(timeline: Timeline, since: Instant | None = None) -> float:
    """The longest time between two successive requests that were answered well, by when they were
    sent, in seconds.

    Without an outage that is the time between two requests. Raises NoEvidence if fewer than two
    were answered.
    """
    good = [event.at for event in requests(timeline, since) if event.status == 200]
    if len(good) < 2:
        raise NoEvidence(
            f"only {len(good)} requests were answered: an outage has no beginning and end"
        )
    return max(later - earlier for earlier, later in pairwise(good))


def distribution(events: Iterable[Request]) -> Counter[str]:
    """How many of the requests each server answered; ``None`` counts those that nobody did."""
    return Counter(str(event.server) for event in events)


def pool(
    timeline: Timeline, director: str, service: str, at: Instant | None = None
) -> dict[str, int]:
    """The real servers (``address:port``) that a director's table holds for a service, with their
    weights.

    Raises NoEvidence if the service was never in the table.
    """
    held = pools(timeline, director, at)
    if service not in held:
        raise NoEvidence(f"{director} has no service {service} in its table")
    return held[service]


def pools(
    timeline: Timeline, director: str, at: Instant | None = None
) -> dict[str, dict[str, int]]:
    """A director's whole table: service -> real server -> weight."""
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
