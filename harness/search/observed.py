"""What a sequence of deeds has left to judge by: everything that invariants read, and nothing else.

It is taken of a running cluster (:func:`observe`), or of the events that a scenario left on disk,
so that both can be judged by the same invariants.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from harness.clock import Instant
from harness.daemons.keepalived import CHECKING
from harness.events import Event, FaultChanged, Log
from harness.observers.packets import Frame
from harness.observers.paths import SYN, TCP, Packet, is_ip
from harness.report.standing import standing
from harness.search.setting import Setting, setting_of
from harness.timeline import EVER, E
from harness.topology.services import endpoint

if TYPE_CHECKING:
    from harness.cluster import Cluster


P = ParamSpec("P")
R = TypeVar("R")

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
    worked_out: dict[Any, Any] = field(default_factory=dict, init=False, repr=False, compare=False)
    """What :func:`once` keeps."""

    @cached_property
    def _by_kind(self) -> dict[type[Event], list[Event]]:
        return _grouped(self.events)

    @cached_property
    def _held_by_kind(self) -> dict[type[Event], list[Event]]:
        return _grouped(self.before)

    @cached_property
    def earlier(self) -> tuple[Act, ...]:
        """The faults before it, as far as they are known of."""
        return acts_of(self.held(FaultChanged))

    def of(self, kind: type[E], **details: Any) -> list[E]:
        """The events of one class that have these details (``node`` is one of them), oldest
        first.
        """
        return _having(self._by_kind.get(kind, []), details)

    def held(self, kind: type[E], **details: Any) -> list[E]:
        """The same of what already held when it began."""
        return _having(self._held_by_kind.get(kind, []), details)

    @property
    def slack(self) -> float:
        """What the clock may be off, in seconds."""
        return self.setting.slack

    def over(self, act: Act) -> Instant:
        """When a deed was taken back; the end of the sequence if it was not."""
        return self.ended if act.healed_at is None else act.healed_at


def _grouped(events: Iterable[Event]) -> dict[type[Event], list[Event]]:
    found: dict[type[Event], list[Event]] = {}
    for event in events:
        found.setdefault(type(event), []).append(event)
    return found


def _having(events: Iterable[Any], details: Mapping[str, Any]) -> list[Any]:
    found = list(events)  # whoever asks may change it
    for name, value in details.items():
        found = [event for event in found if getattr(event, name) == value]
    return found


def once(
    function: Callable[Concatenate[Observed, P], list[R]],
) -> Callable[Concatenate[Observed, P], list[R]]:
    """Have what several invariants ask of a sequence, with the same arguments, be worked out once.
    Each is given a list of its own, which it may change.
    """

    @wraps(function)
    def known(observed: Observed, /, *args: P.args, **kwargs: P.kwargs) -> list[R]:
        asked = (function, args, tuple(kwargs.items()))
        if asked not in observed.worked_out:
            observed.worked_out[asked] = function(observed, *args, **kwargs)
        return list(observed.worked_out[asked])

    return known


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
        before=(*standing(cluster.timeline, since), *_checking(cluster, since)),
        probes=tuple(probes_of(cluster.recorder.frames(since), setting)),
    )  # fmt: skip


def _checking(cluster: Cluster, at: Instant) -> list[Event]:
    """What the checkers may have in hand at an instant: all faults before it, and each director's
    last word that its checkers begin, at a start or a reload.

    A cluster is at rest, and handed on, before they have made their first checks, or have tried
    again what failed once.
    """

    def begin(event: Log) -> bool:
        return event.at <= at and bool(CHECKING.search(event.line))

    said = [cluster.timeline.latest(Log, begin, node=each.name) for each in cluster.directors]
    faults = cluster.timeline.events(FaultChanged, since=EVER, until=at)
    return [*faults, *(event for event in said if event is not None)]


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
