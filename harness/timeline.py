"""Everything that happened, on one clock: observers record events, scenarios wait for and judge them."""

from __future__ import annotations

import bisect
import contextlib
import itertools
import json
import threading
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from typing import Any, Final, TextIO, TypeVar

from harness.clock import Instant, now
from harness.errors import HarnessError
from harness.latch import Latch

T = TypeVar("T")
Value = str | int | float | bool | None


@dataclass(frozen=True)
class Event:
    """One thing that happened: when (seconds on the cluster's clock), to which node, what kind, and its details.

    Kinds and details: ``address`` (action added|removed, address, prefix, interface), ``link`` (interface, up),
    ``advertisement`` (vrid, priority, source, destination, interval, version, addresses), ``arp`` (operation, sender,
    sender_mac, target, gratuitous), ``ndp`` (operation solicitation|advertisement, sender, target, target_mac,
    unsolicited), ``frame`` is never an event: frames stay in the capture until somebody asks for them. ``service`` and
    ``destination`` (action added|removed|changed, service, address, weight), ``request`` (sent, latency, status,
    server, error), ``state`` (instance, state: what keepalived says of itself), ``notification`` (channel script|fifo,
    text: whom keepalived tells, and what), ``mail`` (sender, recipient, subject, body), ``log`` (daemon, line),
    ``daemon`` (name, action started|reloaded|ended, status), ``power`` (action on|off), ``fault`` (name, action
    injected|healed), ``expected`` (what, since, latest: what a scenario begins to wait for), ``judged`` (what, since,
    earliest, latest, measured, met: what came of it; instants of this timeline). docs/artifacts.md has them all with
    their units.
    """

    at: Instant
    node: str
    kind: str
    details: dict[str, Value]

    def __getattr__(self, name: str) -> Any:
        try:
            return self.details[name]
        except KeyError:
            raise AttributeError(f"an event of kind {self.kind!r} has no {name!r}") from None

    def matches(self, **wanted: Value) -> bool:
        """Whether all the given details have the given values."""
        return all(self.details.get(name) == value for name, value in wanted.items())

    def as_dict(self) -> dict[str, Value]:
        """``at`` in seconds to the nanosecond, ``node``, ``kind``, then the details."""
        return {"at": round(self.at, 9), "node": self.node, "kind": self.kind, **self.details}

    def as_json(self) -> str:
        """One line of ``timeline.jsonl``, see :meth:`as_dict`."""
        return json.dumps(self.as_dict())

    @classmethod
    def from_dict(cls, line: dict[str, Any]) -> Event:
        """What :meth:`as_dict` made. Raises KeyError, TypeError or ValueError if it is not that."""
        details = dict(line)
        return cls(float(details.pop("at")), str(details.pop("node")), str(details.pop("kind")), details)

    def __str__(self) -> str:
        details = " ".join(f"{name}={value}" for name, value in self.details.items())
        return f"{self.at:12.6f}  {self.node:<10} {self.kind:<13} {details}"


EVER: Final = float("-inf")

Matters = Callable[[Event], bool]
"""Whether an event can be what somebody waits for."""


class TooLate(HarnessError):
    """Something waited for did not happen in time."""


class Timeline:
    """Events in the order in which they happened. Any thread may record, wait and query."""

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._lock = threading.RLock()
        self._waits: list[tuple[Matters, Latch]] = []
        self._settle: Callable[[str | None], None] = lambda kind: None
        self._listener: Callable[[Event], None] | None = None
        self._awaited: list[str] = []
        self.origin = now()
        self.mark: Instant = EVER

    def on_query(self, settle: Callable[[str | None], None]) -> None:
        """Have ``settle(kind)`` called before a query, so that what was only captured so far becomes events.

        A query without a kind does not ask for that: it is for those who wait, and decoding takes long.
        """
        self._settle = settle

    def listen(self, listener: Callable[[Event], None] | None) -> None:
        """Have every event told to ``listener`` as soon as it is recorded, by whoever records it; None ends that."""
        with self._lock:
            self._listener = listener

    def record(self, node: str, kind: str, at: Instant | None = None, **details: Value) -> Event:
        """Add an event; ``at`` is in seconds on this timeline, now unless given."""
        event = Event(round(self.now() if at is None else at, 9), node, kind, details)
        with self._lock:
            bisect.insort(self._events, event, key=lambda other: other.at)
            if self._listener is not None:
                self._listener(event)
            for matters, woken in self._waits:
                if matters(event):
                    woken.set()
        return event

    def now(self) -> Instant:
        """The present on this timeline: seconds since it began."""
        return now() - self.origin

    def let_pass(self, seconds: float) -> None:
        """Let time pass, where it is quiet that has to be shown."""
        with contextlib.suppress(TooLate):
            self.wait_until(lambda: None, self.now() + seconds, "time passes", lambda event: False)

    def events(
        self,
        kind: str | None = None,
        *,
        node: str | None = None,
        since: Instant = EVER,
        until: Instant | None = None,
        **details: Value,
    ) -> list[Event]:
        """All events that fit, oldest first; ``since`` and ``until`` are inclusive, in seconds on this timeline.

        A scenario that shares a cluster with others finds in ``mark`` the instant at which it began itself.
        """
        self._settle(kind)
        with self._lock:
            return list(self._matching(kind, node, since, until, details))

    def _matching(
        self, kind: str | None, node: str | None, since: Instant, until: Instant | None, details: dict[str, Value]
    ) -> Iterator[Event]:
        first = bisect.bisect_left(self._events, since, key=lambda event: event.at)
        for event in itertools.islice(self._events, first, None):
            if until is not None and event.at > until:
                return
            if _fits(event, kind, node, details):
                yield event

    def wait_until(
        self, found: Callable[[], T | None], until: Instant, what: str, matters: Matters = lambda event: True
    ) -> T:
        """Wait until ``found()`` gives something, looking again after every event that ``matters``, and return it.

        ``until`` is the instant on this timeline at which waiting raises :class:`TooLate`, which names ``what``.
        ``matters`` is asked by whoever records, so it is to be quick.
        """
        woken = Latch()
        with self._lock:
            self._waits.append((matters, woken))
        try:
            while (result := found()) is None:
                remaining = until - self.now()
                if remaining <= 0:
                    raise TooLate(f"{what}: not until {until:.3f} s")
                woken.wait(remaining)
                woken.clear()  # before looking, so that what happens meanwhile is looked at too
            return result
        finally:
            with self._lock:
                self._waits = [wait for wait in self._waits if wait[1] is not woken]

    def wait_for(
        self, kind: str, *, node: str | None = None, since: Instant = EVER, until: Instant, **details: Value
    ) -> Event:
        """Wait for the first event that fits, from ``since`` on; it may have happened already."""
        wanted = " ".join([kind, *(f"{name}={value}" for name, value in details.items()), f"on {node or 'any node'}"])

        def found() -> Event | None:
            with self._lock:
                return next(self._matching(kind, node, since, None, details), None)

        self._awaited.append(kind)
        try:
            self._settle(kind)
            return self.wait_until(found, until, wanted, lambda event: _fits(event, kind, node, details))
        except TooLate:
            self._settle(kind)  # frames are taken a moment after they came
            if (event := found()) is None or event.at > until:
                raise
            return event
        finally:
            self._awaited.remove(kind)

    def awaits(self, kinds: Container[str]) -> bool:
        """Whether somebody waits for an event of such a kind, which is then to be recorded at once."""
        return any(kind in kinds for kind in self._awaited)

    def write(self, file: TextIO, since: Instant = EVER, until: Instant | None = None) -> None:
        """Write ``timeline.jsonl``: one event a line, see :meth:`Event.as_json`."""
        self._settle("advertisement")
        for event in self.events(since=since, until=until):
            file.write(event.as_json() + "\n")


def _fits(event: Event, kind: str | None, node: str | None, details: dict[str, Value]) -> bool:
    return kind in (None, event.kind) and node in (None, event.node) and event.matches(**details)
