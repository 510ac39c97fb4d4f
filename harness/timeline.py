"""Everything that happened, on one clock: observers record events, scenarios wait for and judge
them.
"""

from __future__ import annotations

import bisect
import contextlib
import heapq
import itertools
import threading
from collections import defaultdict
from collections.abc import Callable, Collection, Container, Iterator, Sequence
from typing import Any, Final, TextIO, TypeVar, overload

from harness.clock import Instant, now
from harness.errors import HarnessError
from harness.events import KINDS, Event, UnknownName, Value, check_details
from harness.latch import Latch

T = TypeVar("T")
E = TypeVar("E", bound=Event)
F = TypeVar("F", bound=Event)
G = TypeVar("G", bound=Event)


EVER: Final = float("-inf")

_Entry = tuple[Instant, int, Event]
"""An event with its instant, and with a number of its own, by which events of one instant are in
the order in which they were recorded.
"""

Matters = Callable[[Event], bool]
"""Whether an event can be what somebody waits for."""


class TooLate(HarnessError):
    """Something waited for did not happen in time."""


class Timeline:
    """All events of a cluster, in the order in which they happened.

    Any thread may record events, wait for them and query them.
    """

    def __init__(self) -> None:
        self._events: list[_Entry] = []
        self._of_kind: defaultdict[type[Event], list[_Entry]] = defaultdict(list)
        self._number = itertools.count()
        self._lock = threading.RLock()
        self._waits: list[tuple[Matters, Latch]] = []
        self._settle: Callable[[Collection[str]], None] = lambda kinds: None
        self._listener: Callable[[Event], None] | None = None
        self._awaited: list[str] = []
        self.origin = now()
        self.mark: Instant = EVER
        self.nodes: Collection[str] | None = None
        """The names that a query may ask for; None: any."""

    def on_query(self, settle: Callable[[Collection[str]], None]) -> None:
        """Call ``settle(kinds)`` before each query, so that frames that were only captured so far
        are decoded.
        """
        self._settle = settle

    def listen(self, listener: Callable[[Event], None] | None) -> None:
        """Have every event told to ``listener`` as soon as it is recorded, by whoever records it;
        None ends that.
        """
        with self._lock:
            self._listener = listener

    def record(self, event: E, /) -> E:
        """Add an event, which is returned; its instant is on this timeline."""
        with self._lock:
            self._add(event)
            if self._listener is not None:
                self._listener(event)
            for matters, woken in self._waits:
                if matters(event):
                    woken.set()
        return event

    def _add(self, event: Event) -> None:
        """Put an event behind all that happened before it or at the same instant."""
        entry = event.at, next(self._number), event
        bisect.insort(self._events, entry)
        bisect.insort(self._of_kind[type(event)], entry)

    def now(self) -> Instant:
        """The present on this timeline: seconds since it began."""
        return now() - self.origin

    def let_pass(self, seconds: float) -> None:
        """Wait for so many seconds, for instance to show that nothing happens."""
        with contextlib.suppress(TooLate):
            self.wait_until(lambda: None, self.now() + seconds, "time passes", lambda event: False)

    @overload
    def events(
        self,
        kind: type[E],
        /,
        *,
        node: str | None = None,
        since: Instant = EVER,
        until: Instant | None = None,
        **details: Value,
    ) -> list[E]: ...
    @overload
    def events(
        self,
        kind: type[E],
        other: type[F],
        /,
        *,
        node: str | None = None,
        since: Instant = EVER,
        until: Instant | None = None,
        **details: Value,
    ) -> list[E | F]: ...
    @overload
    def events(
        self,
        kind: type[E],
        other: type[F],
        third: type[G],
        /,
        *,
        node: str | None = None,
        since: Instant = EVER,
        until: Instant | None = None,
        **details: Value,
    ) -> list[E | F | G]: ...
    @overload
    def events(
        self,
        /,
        *kinds: type[Event],
        node: str | None = None,
        since: Instant = EVER,
        until: Instant | None = None,
        **details: Value,
    ) -> list[Event]: ...
    def events(
        self,
        /,
        *kinds: type[Event],
        node: str | None = None,
        since: Instant = EVER,
        until: Instant | None = None,
        **details: Value,
    ) -> list[Any]:
        """The events of some kinds that fit, oldest first; without a kind those of all kinds.

        ``since`` and ``until`` are instants in seconds on this timeline, both included. ``details``
        are the values that the events' own fields must have. ``mark`` is the instant at which the
        present scenario began, where it shares the cluster with others. Raises UnknownName for a
        kind, a detail or a node that does not exist, since no event could ever fit.
        """
        wanted = self._checked(kinds, node, details)
        self._settle([each.kind for each in wanted])
        with self._lock:
            return list(self._matching(wanted, node, since, until, details))

    def latest(
        self, kind: type[E], fits: Callable[[E], bool], /, *, node: str | None = None
    ) -> E | None:
        """The last event of a kind that ``fits``, looked for from the end; None if there is none.

        Raises UnknownName as :meth:`events` does.
        """
        (wanted,) = self._checked([kind], node, {})
        self._settle([wanted.kind])
        with self._lock:
            parts = map(reversed, self._asked((wanted,)))
            for _, _, event in heapq.merge(*parts, reverse=True):
                if node in (None, event.node) and isinstance(event, kind) and fits(event):
                    return event
        return None

    def before(self, instant: Instant) -> Timeline:
        """A new timeline with the events before an instant, to judge how things were until then."""
        earlier = Timeline()
        earlier.origin, earlier.mark, earlier.nodes = self.origin, self.mark, self.nodes
        for event in self.events():
            if event.at < instant:
                earlier._add(event)
        return earlier

    def _checked(
        self, kinds: Sequence[type[Event]], node: str | None, details: dict[str, Value]
    ) -> tuple[type[Event], ...]:
        """The classes that a query asks for. Raises UnknownName if what it asks for cannot be."""
        wanted = tuple(map(_class, kinds)) or tuple(KINDS.values())
        check_details(wanted, details)
        if node is not None and self.nodes is not None and node not in self.nodes:
            raise UnknownName.of(f"{node!r} is no node", node, self.nodes)
        return wanted

    def _asked(self, kinds: tuple[type[Event], ...]) -> list[list[_Entry]]:
        """The lists that have the events of some kinds, each in order."""
        if len(kinds) < len(KINDS):  # large clusters have many events, and few of most kinds
            return [own for kind, own in self._of_kind.items() if issubclass(kind, kinds)]
        return [self._events]

    def _matching(
        self,
        kinds: tuple[type[Event], ...],
        node: str | None,
        since: Instant,
        until: Instant | None,
        details: dict[str, Value],
    ) -> Iterator[Event]:
        parts = [_since(entries, since) for entries in self._asked(kinds)]
        for at, _, event in parts[0] if len(parts) == 1 else heapq.merge(*parts):
            if until is not None and at > until:
                return
            if node in (None, event.node) and (not details or event.matches(**details)):
                yield event

    def wait_until(
        self,
        found: Callable[[], T | None],
        until: Instant,
        what: str,
        matters: Matters = lambda event: True,
    ) -> T:
        """Wait until ``found()`` returns something other than None, and return that.

        ``found`` is called again after every event for which ``matters`` is true. ``matters`` is
        called by whoever records the event, so it has to be quick. At the instant ``until`` waiting
        ends with :class:`TooLate`, whose message says ``what`` did not happen.
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
        self,
        kind: type[E],
        /,
        *,
        node: str | None = None,
        since: Instant = EVER,
        until: Instant,
        **details: Value,
    ) -> E:
        """Wait for the first event that fits, at ``since`` or later, and return it.

        The event may have happened already. At the instant ``until`` waiting ends with TooLate.
        Raises UnknownName as :meth:`events` does.
        """
        kinds = self._checked([kind], node, details)
        (name,) = (each.kind for each in kinds)
        wanted = " ".join(
            [
                name,
                *(f"{name}={value}" for name, value in details.items()),
                f"on {node or 'any node'}",
            ]
        )

        def found() -> E | None:
            with self._lock:
                event = next(self._matching(kinds, node, since, None, details), None)
            return event if isinstance(event, kind) else None

        self._awaited.append(name)
        try:
            self._settle([name])
            return self.wait_until(
                found, until, wanted, lambda event: _fits(event, kinds, node, details)
            )
        except TooLate:
            self._settle([name])  # frames are taken a moment after they came
            if (event := found()) is None or event.at > until:
                raise
            return event
        finally:
            self._awaited.remove(name)

    def awaits(self, kinds: Container[str]) -> bool:
        """Whether somebody waits for an event of such a kind, which is then to be recorded at
        once.
        """
        return any(kind in kinds for kind in self._awaited)

    def write(
        self,
        file: TextIO,
        since: Instant = EVER,
        until: Instant | None = None,
        line: Callable[[Event], str] = Event.as_json,
    ) -> None:
        """Write ``timeline.jsonl``: one event a line, see :meth:`harness.events.Event.as_json`, or
        as ``line`` has it.
        """
        for event in self.events(since=since, until=until):
            file.write(line(event) + "\n")


def _since(entries: list[_Entry], since: Instant) -> Iterator[_Entry]:
    return itertools.islice(entries, bisect.bisect_left(entries, (since,)), None)


def _class(kind: object) -> type[Event]:
    """A kind as a query names it. Raises UnknownName for what is no class of an event, such as the
    word for one.
    """
    if isinstance(kind, type) and issubclass(kind, Event):
        return kind
    named = {each.kind: each.__name__ for each in KINDS.values()}
    word = str(named.get(str(kind), kind))
    raise UnknownName.of(
        f"{kind!r} is no kind of event, which are classes of harness.events", word, named.values()
    )


def _fits(
    event: Event, kinds: tuple[type[Event], ...], node: str | None, details: dict[str, Value]
) -> bool:
    return isinstance(event, kinds) and node in (None, event.node) and event.matches(**details)
