"""The client's requests: paced, each a connection of its own, each recorded with what came of it.

A request is a non-blocking socket in the client's network namespace, driven by the observers' loop: no process and no
thread a request, and the pace does not wait for answers.
"""

from __future__ import annotations

import contextlib
import errno
import os
import selectors
import socket
import threading
from collections.abc import Callable

from harness.clock import Instant, now
from harness.lab.machine import Machine
from harness.observers.loop import Loop
from harness.timeline import Event, Timeline

TIMEOUT = 1.0


class Request:
    """One HTTP GET. When it is over, ``done`` is called with status (0: none), body, and the error or None."""

    def __init__(
        self, loop: Loop, client: Machine, address: tuple[str, int], path: str, timeout: float,
        done: Callable[[Request], None],
    ) -> None:  # fmt: skip
        self.begun: Instant = now()
        self.local_port = 0
        self.status = 0
        self.body = ""
        self.error: str | None = None
        self._loop, self._done = loop, done
        self._answer = b""
        self._question = f"GET {path} HTTP/1.0\r\nHost: {address[0]}\r\n\r\n".encode()
        self.over = False
        family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        with client.inside():
            self._socket = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        code = self._socket.connect_ex(address)
        if code not in (0, errno.EINPROGRESS):
            self._finish(os.strerror(code))
            return
        self.local_port = self._socket.getsockname()[1]
        loop.watch(self._socket.fileno(), self._connected, selectors.EVENT_WRITE)
        loop.at(self.begun + timeout, lambda: self._finish("timed out"))

    def _connected(self) -> None:
        code = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            self._finish(os.strerror(code))
            return
        try:
            self._socket.send(self._question)
        except OSError as problem:
            self._finish(problem.strerror or str(problem))
            return
        self._loop.rewatch(self._socket.fileno(), self._readable, selectors.EVENT_READ)

    def _readable(self) -> None:
        try:
            data = self._socket.recv(1 << 16)
        except OSError as problem:
            self._finish(problem.strerror or str(problem))
            return
        self._answer += data
        if data:
            return
        head, _, body = self._answer.partition(b"\r\n\r\n")
        with contextlib.suppress(IndexError, ValueError):
            self.status = int(head.split(None, 2)[1])
        self.body = body.decode(errors="replace").strip()
        self._finish(None if self.status else "no HTTP answer")

    def _finish(self, error: str | None) -> None:
        if self.over:
            return
        self.over = True
        self.error = error
        self._loop.unwatch(self._socket.fileno())
        self._socket.close()
        self._done(self)

    def abandon(self) -> None:
        """Give it up: the client is gone."""
        self._finish("given up")


class Load:
    """Requests at a steady pace: one every ``resolution`` seconds, answered or not, until :meth:`stop`.

    Every one of them becomes a ``request`` event at the instant at which it was sent.
    """

    def __init__(
        self, loop: Loop, timeline: Timeline, client: Machine, address: tuple[str, int], rate: float, path: str = "/",
        timeout: float = TIMEOUT,
    ) -> None:  # fmt: skip
        """``rate`` in requests a second; ``timeout`` in seconds for the whole of one request."""
        self.resolution = 1 / rate
        self._loop, self._timeline, self._client = loop, timeline, client
        self.timeout = timeout
        self._address, self._path = address, path
        self._running: dict[Request, None] = {}  # in the order of sending, which a set does not keep
        self._started = now()
        self._count = 0
        self._stopped = False

    def begin(self) -> None:
        """Send the first request (loop thread only)."""
        self._started = now()
        self._next()

    def _next(self) -> None:
        if self._stopped:
            return
        self.send()
        self._count += 1
        self._loop.at(self._started + self._count * self.resolution, self._next)

    def send(self, done: Callable[[Event], None] = lambda event: None) -> None:
        """Send one request now (loop thread only)."""

        def over(request: Request) -> None:
            self._running.pop(request, None)
            done(self._record(request))

        request = Request(self._loop, self._client, self._address, self._path, self.timeout, over)
        if not request.over:
            self._running[request] = None

    def one(self) -> Event:
        """Send one request and wait for what comes of it (any thread but the loop's)."""
        answered = threading.Event()
        outcome: list[Event] = []

        def done(event: Event) -> None:
            outcome.append(event)
            answered.set()

        self._loop.do(lambda: self.send(done))
        answered.wait()
        return outcome[0]

    def _record(self, request: Request) -> Event:
        at = request.begun - self._timeline.origin
        return self._timeline.record(
            self._client.name, "request", at, latency=round(now() - request.begun, 9),
            status=request.status, server=request.body.splitlines()[0] if request.body else None, error=request.error,
            address=self._address[0], port=request.local_port, path=self._path,
        )  # fmt: skip

    def stop(self) -> None:
        """Send no more; what is under way is given up (loop thread only)."""
        self._stopped = True
        for request in list(self._running):
            request.abandon()
