"""The client's requests: paced, one by one, or held open; each recorded with what came of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from harness import events
from harness.clock import Instant, now
from harness.lab.machine import Machine
from harness.latch import Latch
from harness.observers.loop import Loop
from harness.observers.requests import Get, Query, Request, Target
from harness.timeline import Timeline

TIMEOUT = 1.0


class Client:
    """Sends requests from one machine. Each becomes a ``request`` event at the instant at which it
    was begun.
    """

    def __init__(
        self,
        loop: Loop,
        timeline: Timeline,
        machine: Machine,
        ports: Iterator[int],
        timeout: float = TIMEOUT,
    ) -> None:
        """``ports``: where the next requests come from; ``timeout`` in seconds for the whole of one
        request.
        """
        self.timeout = timeout
        self._loop, self._timeline, self._machine, self._ports = loop, timeline, machine, ports
        self._running: dict[
            Request, None
        ] = {}  # in the order of sending, which a set does not keep

    def send(
        self, target: Target, done: Callable[[events.Request], None] = lambda event: None
    ) -> None:
        """Send one request now (loop thread only)."""
        self._run(
            _kind(target)(
                self._loop, self._machine, self._ports, target, self.timeout, self._over(done)
            )
        )

    def open(
        self, target: Target, held: Callable[[], None], done: Callable[[events.Request], None]
    ) -> Get:
        """Open a connection, send all but the end of a GET, and call ``held`` (loop thread
        only).
        """
        request = Get(
            self._loop, self._machine, self._ports, target, self.timeout, self._over(done), held
        )
        self._run(request)
        return request

    def _run(self, request: Request) -> None:
        if not request.over:
            self._running[request] = None

    def _over(self, done: Callable[[events.Request], None]) -> Callable[[Request], None]:
        def over(request: Request) -> None:
            self._running.pop(request, None)
            done(self._record(request))

        return over

    def _record(self, request: Request) -> events.Request:
        at, target = request.begun - self._timeline.origin, request.target
        return self._timeline.record(
            events.Request(
                at,
                self._machine.name,
                latency=round(now() - request.begun, 9),
                status=request.status,
                server=request.body.splitlines()[0] if request.body else None,
                error=request.error,
                address=target.address,
                service_port=target.port,
                protocol=target.protocol,
                source=target.source,
                port=request.local_port,
                path=target.path,
                length=len(request.body),
            )
        )

    def ask(self, target: Target) -> events.Request:
        """Send one request and wait for what comes of it (any thread but the loop's)."""
        return _Outcome(self._loop, lambda done: self.send(target, done)).wait()

    def abandon(self) -> None:
        """What is under way is given up (loop thread only)."""
        for request in list(self._running):
            request.abandon()


def _kind(target: Target) -> type[Request]:
    if target.tls:
        from harness.observers.tls import TlsGet

        return TlsGet
    return Query if target.protocol == "UDP" else Get


class Load(Client):
    """Requests at a steady pace: one every ``resolution`` seconds, answered or not, until
    :meth:`stop`.
    """

    def __init__(
        self,
        loop: Loop,
        timeline: Timeline,
        machine: Machine,
        ports: Iterator[int],
        target: Target,
        rate: float,
        slack: float = 0.0,
    ) -> None:
        """``rate`` in requests a second; ``slack`` (seconds) is what this machine's clock and
        scheduler may be off.
        """
        super().__init__(loop, timeline, machine, ports)
        self._slack = slack
        self.resolution = 1 / rate
        self._target = target
        self._started: Instant = now()
        self._count = 0
        self._stopped = False

    def begin(self) -> None:
        """Send the first request (loop thread only)."""
        self._started = now()
        self._next()

    def _next(self) -> None:
        if self._stopped:
            return
        self.send(self._target)
        self._count += 1
        self._loop.at(self._started + self._count * self.resolution, self._next)

    def wait_answers(self, count: int, *, since: Instant) -> list[events.Request]:
        """Wait until ``count`` requests that were sent after ``since`` have got a good answer;
        returns them.
        """
        arrived = enough = 0

        def answered() -> list[events.Request] | None:
            nonlocal enough
            before = arrived
            good = self._timeline.events(events.Request, since=since, status=200)
            # so that thousands are not looked through after each of them
            enough = before + count - len(good)
            return good[:count] if len(good) >= count else None

        def matters(event: events.Event) -> bool:
            nonlocal arrived
            fits = isinstance(event, events.Request) and event.at >= since and event.status == 200
            arrived += fits
            return fits and arrived >= enough

        patience = (count + 1) * self.resolution + self.timeout + self._slack
        until = self._timeline.now() + patience
        return self._timeline.wait_until(answered, until, f"{count} requests are answered", matters)

    def stop(self) -> None:
        """Send no more; what is under way is given up (loop thread only)."""
        self._stopped = True
        self.abandon()


class Held:
    """A connection that lies open with a request begun in it: the server waits for its end (any
    thread but the loop's).

    Where no connection came about, :meth:`finish` tells why.
    """

    def __init__(self, loop: Loop, client: Client, target: Target) -> None:
        """Returns when the connection is established, or cannot be."""
        self._loop, self._timeout = loop, client.timeout
        settled = Latch()

        def begin(done: Callable[[events.Request], None]) -> None:
            def over(event: events.Request) -> None:
                done(event)
                settled.set()

            self._request = client.open(target, settled.set, over)

        self._outcome = _Outcome(loop, begin)
        settled.wait()

    @property
    def is_open(self) -> bool:
        """Whether the connection is there, as far as the client knows."""
        return not self._request.over

    def complete(self, timeout: float | None = None) -> None:
        """Send the end of the request; its answer is due within ``timeout`` seconds (None: as any
        other's).
        """
        self._loop.do(lambda: self._request.complete(self._timeout if timeout is None else timeout))

    def outcome(self) -> events.Request:
        """Wait for the answer of a completed request."""
        return self._outcome.wait()

    def finish(self) -> events.Request:
        """Complete the request and wait for its answer."""
        self.complete()
        return self.outcome()

    def give_up(self) -> None:
        """Close the connection, if it is still open."""
        self._loop.do(self._request.abandon)


class _Outcome:
    """The event of a request that ``begin`` sends in the loop's thread, to be waited for in
    another.
    """

    def __init__(
        self, loop: Loop, begin: Callable[[Callable[[events.Request], None]], None]
    ) -> None:
        self._known = Latch()
        loop.do(lambda: begin(self._set))

    def _set(self, event: events.Request) -> None:
        self._event = event
        self._known.set()

    def wait(self) -> events.Request:
        self._known.wait()
        return self._event
