"""Connections of the client that last: many requests in one, as browsers and proxies keep them
alive, and long answers whose every piece is on the timeline, as of a download or a film.
"""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from harness import events
from harness.clock import Instant, now
from harness.lab.machine import Machine
from harness.observers.loop import Loop
from harness.observers.requests import Get, Request, Target
from harness.timeline import Timeline

_FOREVER = float("inf")
_SMALL = 4096
"""Bytes of a slow reader's receive buffer."""


class _Persistent(Request):
    """One connection in which one request after the other is asked (RFC 9112 section 9.3)."""

    def __init__(
        self,
        loop: Loop,
        client: Machine,
        ports: Iterator[int],
        target: Target,
        timeout: float,
        done: Callable[[Request], None],
        opened: Callable[[], None],
    ) -> None:
        """``opened`` is called when it is established."""
        self._answer = b""
        self._opened = opened
        self._answered: Callable[[int, str, str | None], None] | None = None
        super().__init__(loop, client, ports, target, timeout, done)

    def _connected(self) -> None:
        self._due = _FOREVER  # an idle connection may last for as long as it likes
        self._loop.rewatch(self._socket.fileno(), self._readable, selectors.EVENT_READ)
        self._opened()

    def ask(
        self, path: str, timeout: float, answered: Callable[[int, str, str | None], None]
    ) -> None:
        """Send a GET; ``answered`` is told its status (0: none), the answer and what went wrong
        (loop thread only).
        """
        if self.over:
            answered(0, "", self.error or "the connection has ended")
            return
        self._answer, self._answered = b"", answered
        head = (
            f"GET {path} HTTP/1.1\r\nHost: {self.target.address}\r\nConnection: keep-alive\r\n\r\n"
        )
        if self._send(head.encode()):
            self._expect(timeout)

    def _readable(self) -> None:
        while data := self._receive():
            self._answer += data
        if self.over:
            return
        head, separator, body = self._answer.partition(b"\r\n\r\n")
        if separator and len(body) >= _length(head):
            answered, self._answered = self._answered, None
            self._due = _FOREVER
            if answered is not None:
                answered(int(head.split(None, 2)[1]), body.decode(errors="replace").strip(), None)
        if data == b"":
            self._finish("closed by the server")

    def _finish(self, error: str | None) -> None:
        answered, self._answered = self._answered, None
        super()._finish(error)
        if answered is not None:
            answered(0, "", error)


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            with contextlib.suppress(ValueError):
                return int(value)
    return 0


class Session:
    """A connection kept alive. Each request in it is a ``request`` event, all with the same port
    (any thread but the loop's).
    """

    def __init__(
        self,
        loop: Loop,
        timeline: Timeline,
        client: Machine,
        ports: Iterator[int],
        target: Target,
        timeout: float,
    ) -> None:
        """Returns when the connection is established, or cannot be."""
        self._loop, self._timeline, self._client, self._target, self._timeout = (
            loop,
            timeline,
            client,
            target,
            timeout,
        )
        settled = threading.Event()

        def begin() -> None:
            self._connection = _Persistent(
                loop, client, ports, target, timeout, lambda _: settled.set(), settled.set
            )

        loop.do(begin)
        settled.wait()

    @property
    def is_open(self) -> bool:
        """Whether the connection is there, as far as the client knows."""
        return not self._connection.over

    def fetch(self, path: str = "/") -> events.Request:
        """Ask for a page in this connection, and wait for what comes of it."""
        known = threading.Event()
        found: list[events.Request] = []
        begun = now()

        def answered(status: int, body: str, error: str | None) -> None:
            found.append(self._record(begun, path, status, body, error))
            known.set()

        self._loop.do(lambda: self._connection.ask(path, self._timeout, answered))
        known.wait()
        return found[0]

    def _record(
        self, begun: Instant, path: str, status: int, body: str, error: str | None
    ) -> events.Request:
        target = self._target
        return self._timeline.record(
            events.Request(
                begun - self._timeline.origin,
                self._client.name,
                latency=round(now() - begun, 9),
                status=status,
                server=body.splitlines()[0] if body else None,
                error=error,
                address=target.address,
                service_port=target.port,
                protocol=target.protocol,
                source=target.source,
                port=self._connection.local_port,
                path=path,
                length=len(body),
            )
        )

    def close(self) -> None:
        """Close it, if it is still open."""
        self._loop.do(self._connection.abandon)


class _LongGet(Get):
    """A GET without a deadline that tells of every piece of its answer."""

    piece: Callable[[int], None] = staticmethod(lambda length: None)
    rate = 0
    """Bytes a second, for one that is slow."""

    def _readable(self) -> None:
        self._due = _FOREVER
        before = len(self._answer)
        while data := self._receive():
            self._answer += data
        if len(self._answer) > before:
            self.piece(len(self._answer))
        if data is not None:
            self._judge()


class _SlowGet(_LongGet):
    """A GET whose answer is read at a rate of the client's own. What it does not read fills the
    buffers, until the server may send no more.
    """

    def _bind(self, target: Target, ports: Iterator[int]) -> int:
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _SMALL)
        return super()._bind(target, ports)

    def _readable(self) -> None:
        """Something has come: from now on it is read by the clock."""
        self._due = _FOREVER
        self._loop.unwatch(self._socket.fileno())
        self._read_at(now())

    def _read_at(self, instant: Instant) -> None:
        if self.over:
            return
        try:
            data = self._socket.recv(self.rate)
        except BlockingIOError:  # nothing has come since, and there may be more
            data = None
        except OSError as problem:
            self._finish(problem.strerror or str(problem))
            return
        if data == b"":
            self._judge()
            return
        if data:
            self._answer += data
            self.piece(len(self._answer))
        self._loop.at(instant + 1.0, lambda: self._read_at(instant + 1.0))


@dataclass
class Stream:
    """A long answer, piece by piece: ``pieces`` are instants of the timeline, each with the bytes
    that had come by then. ``outcome`` is None while it lasts, then "complete", or what ended it
    before.
    """

    port: int = 0
    pieces: list[tuple[Instant, int]] = field(default_factory=list)
    outcome: str | None = None
    ended: threading.Event = field(default_factory=threading.Event, repr=False)
    give_up: Callable[[], None] = field(default=lambda: None, repr=False)

    @property
    def received(self) -> int:
        """How many bytes have come, head and all."""
        return self.pieces[-1][1] if self.pieces else 0


def stream(
    loop: Loop,
    timeline: Timeline,
    client: Machine,
    ports: Iterator[int],
    target: Target,
    length: int,
    rate: int | None = None,
) -> Stream:
    """Begin to fetch a page of ``length`` bytes, and to read ``rate`` of them a second (None: all
    that come). Its ``stream`` events have ``action`` began, received or ended.
    """
    made = Stream()

    def piece(total: int) -> None:
        event = timeline.record(
            events.StreamChanged(
                timeline.now(), client.name, action="received", port=made.port, bytes=total
            )
        )
        made.pieces.append((event.at, total))

    def over(request: Request) -> None:
        whole = request.status == 200 and len(request.body) >= length
        made.outcome = "complete" if whole else request.error or "ended too early"
        timeline.record(
            events.StreamChanged(
                timeline.now(),
                client.name,
                action="ended",
                port=request.local_port,
                error=made.outcome,
            )
        )
        made.ended.set()

    def begin() -> None:
        kind = _LongGet if rate is None else _SlowGet
        getting = kind(loop, client, ports, target, 60.0, over)
        getting.rate = rate or 0
        made.port, getting.piece, made.give_up = (
            getting.local_port,
            piece,
            lambda: loop.do(getting.abandon),
        )
        timeline.record(
            events.StreamChanged(
                timeline.now(), client.name, action="began", port=made.port, path=target.path
            )
        )

    loop.do(begin)
    return made
