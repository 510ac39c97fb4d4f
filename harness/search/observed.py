"""What a sequence of deeds has left to judge by: everything that invariants read, and nothing else.

It is taken of a running cluster (:func:`observe`), or of the events that a scenario left on disk,
so that both can be judged by the same invariants.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from harness.clock import Instant
from harness.daemons.keepalived import CHECKING
from harness.events import Event, FaultChanged, Log
from harness.lab.plan import Plan
from harness.nodes import DirectorNode, RealServerNode, node_of
from harness.observers.packets import Frame
from harness.observers.paths import SYN, TCP, Packet, is_ip
from harness.report.standing import standing
from harness.timeline import EVER, E, Timeline
from harness.topology import SyncGroup, VirtualService, VrrpInstance
from harness.topology.services import Destination, endpoint

if TYPE_CHECKING:
    from harness.cluster import Cluster


UNTOLD = "untold"
"""The parameter of a deed whose own parameters are not known."""


@dataclass(frozen=True)
class Act:
    """One deed that was done: what it is called, to which node, with which parameters, and from
    when to when.

    ``healed_at`` is None while it still lasts. What is over as soon as it is done ends when it
    begins.
    """

    name: str
    node: str | None
    parameters: Mapping[str, Any]
    at: Instant
    healed_at: Instant | None

    @property
    def kind(self) -> str:
        """The first word of the name: ``Cut from director2`` is a ``Cut``."""
        return self.name.split()[0]

    def lasts_at(self, instant: Instant) -> bool:
        """Whether it was in force at an instant."""
        return self.at <= instant and (self.healed_at is None or instant <= self.healed_at)


@dataclass(frozen=True)
class Table:
    """One virtual service as one director is to balance it: ``name`` is what its IPVS table calls
    it.

    ``sorry`` has the sorry server, if there is one.
    """

    name: str
    service: VirtualService
    destinations: tuple[Destination, ...]
    sorry: tuple[Destination, ...] = ()


@dataclass(frozen=True)
class DirectorSetting:
    """What one director is configured with, by the topology; ``addresses`` are its own, by
    interface, IPv4 first.

    ``elects`` says whether it runs keepalived, ``told`` whether its notification FIFO is listened
    to; ``startup_delay`` is for how many seconds after its start it takes no part in elections.
    ``config`` is the text of its keepalived.conf, ``own_text`` whether that may say more than the
    rest of this.
    """

    instances: tuple[VrrpInstance, ...]
    tables: tuple[Table, ...]
    addresses: Mapping[str, tuple[str, ...]]
    sync_groups: tuple[SyncGroup, ...] = ()
    elects: bool = True
    told: bool = False
    config: str = ""
    own_text: bool = False
    startup_delay: float = 0.0

    def instance(self, vrid: int) -> VrrpInstance | None:
        """Its part in the election of a VRID, if it takes part."""
        return next((each for each in self.instances if each.vrid == vrid), None)


@dataclass(frozen=True)
class Setting:
    """What the configurations say: of each director, and of each real server the first line that it
    answers with.

    ``servers`` has that line by the server's name, ``server_addresses`` its addresses. ``slack`` is
    what the clock may be off, in seconds.
    """

    directors: Mapping[str, DirectorSetting]
    servers: Mapping[str, str]
    server_addresses: Mapping[str, tuple[str, ...]]
    slack: float

    def server_at(self, address: str) -> str | None:
        """The real server that has an address, by name."""
        return next((name for name, own in self.server_addresses.items() if address in own), None)


@dataclass(frozen=True)
class Violation:
    """Something that is not as an invariant has it: which one, when, in words, and the events that
    show it.
    """

    invariant: str
    at: Instant
    text: str
    evidence: tuple[Event, ...] = ()
    kind: str = "violated"
    """``unknown`` if the invariant could not say."""

    def __str__(self) -> str:
        return f"{self.at:.3f} s: {self.invariant}: {self.text}"


@dataclass(frozen=True)
class Probe:
    """A connection that a director opened itself, to check a real server: to which ``endpoint``
    (``address:port``).
    """

    at: Instant
    director: str
    endpoint: str


@dataclass(frozen=True)
class Observed:
    """One sequence: its events in order of time, from ``began`` to ``ended`` (seconds on the
    timeline), and what was done meanwhile. ``before`` says what already held when it began, see
    :func:`harness.report.standing.standing`. ``probes`` are None where frames are not at hand.
    """

    events: tuple[Event, ...]
    began: Instant
    ended: Instant
    acts: tuple[Act, ...]
    setting: Setting
    before: tuple[Event, ...] = field(default=(), repr=False)
    probes: tuple[Probe, ...] | None = field(default=None, repr=False)

    @cached_property
    def _by_kind(self) -> dict[type[Event], list[Event]]:
        found: dict[type[Event], list[Event]] = {}
        for event in self.events:
            found.setdefault(type(event), []).append(event)
        return found

    def of(self, kind: type[E], **details: Any) -> list[E]:
        """The events of one class that have these details (``node`` is one of them), oldest
        first.
        """
        found: list[Any] = self._by_kind.get(kind, [])
        for name, value in details.items():
            found = [event for event in found if getattr(event, name) == value]
        return found

    def held(self, kind: type[E], **details: Any) -> list[E]:
        """The same of what already held when it began."""
        found: list[Any] = [event for event in self.before if isinstance(event, kind)]
        return [
            event
            for event in found
            if all(getattr(event, name) == value for name, value in details.items())
        ]

    @property
    def slack(self) -> float:
        """What the clock may be off, in seconds."""
        return self.setting.slack

    def over(self, act: Act) -> Instant:
        """When a deed was taken back; the end of the sequence if it was not."""
        return self.ended if act.healed_at is None else act.healed_at


def observe(cluster: Cluster, since: Instant, acts: Sequence[Act] | None = None) -> Observed:
    """What has happened to a running cluster from ``since`` (an instant on its timeline) until now.

    Without ``acts`` they are the faults that the timeline tells of, whose parameters are not known.
    """
    ended = cluster.timeline.now()
    events = tuple(cluster.timeline.events(since=since, until=ended))
    done = acts_of(events) if acts is None else tuple(acts)
    setting = setting_of(cluster)
    return Observed(
        events=events, began=since, ended=ended, acts=done, setting=setting,
        before=(*standing(cluster.timeline, since), *_checking(cluster.timeline, since)),
        probes=tuple(probes_of(cluster.recorder.frames(since), setting)),
    )  # fmt: skip


def _checking(timeline: Timeline, at: Instant) -> list[Event]:
    """What the checkers may have in hand at an instant: all faults before it, and each director's
    last word that its checkers begin, at a start or a reload.

    A cluster is at rest, and handed on, before they have made their first checks, or have tried
    again what failed once.
    """
    said = timeline.events(Log, since=EVER, until=at, daemon="keepalived")
    begun = {event.node: event for event in said if CHECKING.search(event.line)}
    return [*timeline.events(FaultChanged, since=EVER, until=at), *begun.values()]


def probes_of(frames: Iterable[Frame], setting: Setting) -> Iterator[Probe]:
    """The connections that directors opened themselves, in order; a first packet that is sent again
    (RFC 9293 section 3.8.1) counts once. It has the sequence number that it had, and a connection
    from a port that was used before has not: the kernel begins elsewhere with its ports every 10 s
    (``net/core/secure_seq.c``).
    """
    opened: set[tuple[str, int, int, str]] = set()
    own = {
        name: {address for each in director.addresses.values() for address in each}
        for name, director in setting.directors.items()
    }
    for frame in frames:
        if not frame.sent or frame.node not in own or not is_ip(frame):
            continue
        packet = Packet(frame)
        if packet.protocol != TCP or packet.flags != SYN or packet.source not in own[frame.node]:
            continue
        source, port = packet.ports
        to = endpoint(packet.destination, port)
        connection = (frame.node, source, packet.sequence, to)
        if connection not in opened:
            yield Probe(frame.at, frame.node, to)
        opened.add(connection)


def acts_of(events: Iterable[Event]) -> tuple[Act, ...]:
    """The faults that a timeline tells of, in the order in which they were injected."""
    acts: list[Act] = []
    for event in events:
        if not isinstance(event, FaultChanged):
            continue
        if event.action == "injected":
            acts.append(
                Act(event.name, event.node, {UNTOLD: True, "arriving": None}, event.at, None)
            )
            continue
        for number, act in enumerate(acts):
            if (act.name, act.node, act.healed_at) == (event.name, event.node, None):
                acts[number] = Act(act.name, act.node, act.parameters, act.at, event.at)
                break
    return tuple(acts)


def setting_of(cluster: Cluster) -> Setting:
    """What the topology of a running cluster says."""
    return setting_of_plan(cluster.plan, cluster.slack)


def setting_of_plan(plan: Plan, slack: float) -> Setting:
    """What a plan says, whether or not a cluster of it runs; ``slack`` in seconds."""
    directors: dict[str, DirectorSetting] = {}
    pages: dict[str, str] = {}
    addresses: dict[str, tuple[str, ...]] = {}
    for host in plan.hosts:
        node = node_of(host, plan)
        if isinstance(node, DirectorNode):
            directors[host.name] = _of_director(node)
        if isinstance(node, RealServerNode):
            pages[host.name] = node.page
            addresses[host.name] = tuple(
                str(each.ip) for own in host.interfaces for each in own.addresses
            )
    return Setting(directors, pages, addresses, slack)


def _of_director(node: DirectorNode) -> DirectorSetting:
    tables = [
        Table(
            name,
            service,
            tuple(node.destinations(service, name)),
            tuple(node.sorry_server(service)),
        )
        for service in node.role.services
        for name in service.names
    ]
    own = {
        each.name: tuple(str(address.ip) for address in each.addresses)
        for each in node.plan.interfaces
    }
    text = node.config_text().decode(errors="replace")
    return DirectorSetting(
        instances=node.role.instances,
        tables=tuple(tables),
        addresses=own,
        sync_groups=node.role.sync_groups,
        elects=node.role.by == "keepalived",
        told=node.role.notify_fifo,
        config=text,
        startup_delay=startup_delay(node),
        own_text=bool(node.role.edits or node.role.config or node.role.files),
    )


def startup_delay(node: DirectorNode) -> float:
    """For how many seconds after its start keepalived takes no part in elections: what its topology
    says of ``vrrp_startup_delay``, or else its keepalived.conf.
    """
    text = node.config_text().decode(errors="replace")
    found = re.search(r"^\s*vrrp_startup_delay\s+([\d.]+)", text, re.MULTILINE)
    return node.role.startup_delay or (float(found[1]) if found else 0.0)
