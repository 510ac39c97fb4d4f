"""All observers of one cluster, and the thread they live in."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

from harness import events
from harness.clock import Instant, now
from harness.lab.machine import Machine
from harness.observers import protocols
from harness.observers.addresses import AddressObserver
from harness.observers.client import TIMEOUT, Client, Held, Load
from harness.observers.connections import Session, Stream, stream
from harness.observers.fifos import FifoObserver
from harness.observers.ipvs import IpvsObserver
from harness.observers.logs import LogObserver
from harness.observers.loop import Loop
from harness.observers.packets import Capture, Frame
from harness.observers.requests import PORTS, Target, prepare
from harness.timeline import EVER, Timeline

DRAINING = 0.01
"""How long after a frame the ring is emptied, in seconds: those that come meanwhile cost no waking
up of their own.
"""

HEARTBEAT = 0.02
"""How often, in real time, the loop looks whether it gets the processor when it should, in seconds.
"""


class Recorder:
    """Records a cluster's life on its timeline and keeps the frames of its wires."""

    def __init__(self, timeline: Timeline, folder: Path) -> None:
        self._timeline, self._folder = timeline, folder
        self._loop = Loop()
        self._frames: list[Frame] = []
        self._undecoded: list[Frame] = []
        self._unheard: list[Frame] = []
        self._listener: Callable[[list[Frame]], None] | None = None
        self._addresses: dict[str, AddressObserver] = {}
        self._ipvs: dict[str, IpvsObserver] = {}
        self._logs: list[LogObserver] = []
        self._fifos: dict[str, list[FifoObserver]] = {}
        self._capture: Capture | None = None
        self._ports = itertools.cycle(PORTS)
        timeline.on_query(self._settle)
        self._loop.start()

    def capture(
        self,
        wires: dict[int, tuple[str, str]],
        deaf: Collection[int] = (),
        vips: int = 0,
        checks: int = 0,
    ) -> None:
        """Begin to capture; to be called in the network namespace of the wires.

        See :class:`Capture` for ``deaf``, ``vips`` and ``checks``.
        """
        capture = self._capture = Capture(
            wires, self._timeline.origin, self._keep, vips=vips, checks=checks, deaf=deaf
        )
        self._loop.do(lambda: self._loop.watch(capture.socket.fileno(), self._drain_soon))

    def watch_machine(self, machine: Machine) -> None:
        """Observe a machine's addresses and links, and the ends of its programs."""
        observer = self._addresses[machine.name] = AddressObserver(machine, self._timeline)

        def watch() -> None:
            self._loop.watch(observer.socket.fileno(), observer.read)
            self._loop.watch(machine.notes.fileno(), lambda: self._read_note(machine))

        self._loop.do(watch)

    def _read_note(self, machine: Machine) -> None:
        if not machine.read_note():
            self._loop.unwatch(machine.notes.fileno())

    def forget_machine(self, machine: Machine) -> None:
        """Let go of a machine that is about to lose its power: nothing may keep its namespace
        alive.
        """
        observer = self._addresses.pop(machine.name, None)
        if observer is None:
            return
        table = self._ipvs.pop(machine.name, None)
        fifos = self._fifos.pop(machine.name, [])

        def forget() -> None:
            observer.read()
            self._loop.unwatch(observer.socket.fileno())
            self._loop.unwatch(machine.notes.fileno())
            observer.close()
            if table is not None:
                table.close()
            for fifo in fifos:
                fifo.close()

        self._loop.do(forget, though_failed=True)

    def watch_ipvs(self, director: Machine) -> None:
        """Observe a director's IPVS table."""
        observer = self._ipvs[director.name] = IpvsObserver(self._loop, self._timeline, director)
        self._loop.hand(observer.sweep)

    def look_at_ipvs(self, director: Machine) -> None:
        """Read a director's IPVS table, since there are signs of a change (loop thread only)."""
        if (observer := self._ipvs.get(director.name)) is not None:
            observer.look()

    def look_now(self, director: Machine) -> None:
        """Read a director's IPVS table, since somebody has just changed it by hand."""
        self._loop.do(lambda: self.look_at_ipvs(director))

    def connections(self, director: Machine, service: str) -> dict[str, tuple[int, int]]:
        """Each real server's active and inactive connections in one of a director's services."""
        table = self._loop.do(lambda: self._ipvs[director.name].read())
        return {name: (each.active, each.inactive) for name, each in table.get(service, {}).items()}

    def log_pipe(self, machine: Machine, daemon: str, on_line: Callable[[str], None]) -> int:
        """A pipe for a daemon's output; ``on_line`` is called in the loop's thread with every
        line.
        """
        log = LogObserver(
            self._loop, self._timeline, machine.name, daemon, self._folder / machine.name, on_line
        )
        self._logs.append(log)
        return log.writer

    def watch_fifo(self, machine: Machine, path: str, on_line: Callable[[str], None]) -> None:
        """Make a FIFO in a machine; ``on_line`` is called in the loop's thread with every line
        written into it.
        """
        fifo = FifoObserver(self._loop, machine.fifo(path), on_line)
        self._fifos.setdefault(machine.name, []).append(fifo)

    def watch_scheduling(self) -> None:
        """Notice when this machine is starved; see :meth:`stalled`."""

        def beat() -> None:
            self._loop.at(now() + HEARTBEAT, beat)

        self._loop.hand(beat)

    def stalled(self, since: Instant) -> float:
        """The longest time for which the machine was starved since an instant of the timeline, in
        seconds.
        """
        origin = self._timeline.origin
        return max(
            (until - due for due, until in self._loop.stalls if until - origin >= since),
            default=0.0,
        )

    # -- frames ----------------------------------------------------------------

    def frames(self, since: Instant = EVER) -> list[Frame]:
        """All frames captured since an instant of the timeline, in order."""
        self._loop.do(self._drain)
        return [frame for frame in self._frames if frame.at >= since]

    @property
    def dropped(self) -> int:
        """How many frames the kernel had to drop because nobody took them in time."""
        return 0 if self._capture is None else self._capture.dropped

    def listen(self, listener: Callable[[list[Frame]], None] | None) -> None:
        """Have all frames from now on told to ``listener``, in the loop's thread, soon after they
        came; None ends that.

        Those of before are told to the one who listened before.
        """

        def change() -> None:
            self._drain()
            self._listener = listener

        self._loop.do(change)

    @contextlib.contextmanager
    def not_capturing(self) -> Iterator[None]:
        """Let frames pass unseen, where there are more than anybody could take."""
        assert self._capture is not None
        self._capture.pause()
        try:
            yield
        finally:
            self._capture.resume()

    def _keep(self, frame: Frame) -> None:
        self._frames.append(frame)
        self._unheard.append(frame)
        if protocols.kind_of(frame):
            self._undecoded.append(frame)

    def _drain(self) -> None:
        if self._capture is not None:
            self._capture.drain()
        unheard, self._unheard = self._unheard, []
        if self._listener is not None and unheard:
            self._listener(unheard)
        if self._timeline.awaits(protocols.DECODED):
            self._decode(self._take_undecoded())

    def _take_undecoded(self) -> list[Frame]:
        frames, self._undecoded = self._undecoded, []
        return frames

    def _decode(self, frames: list[Frame]) -> None:
        for frame in frames:
            protocols.record(frame, self._timeline)

    def _drain_soon(self) -> None:
        assert self._capture is not None
        fd = self._capture.socket.fileno()
        self._loop.unwatch(fd)

        def drain() -> None:
            self._drain()
            self._loop.watch(fd, self._drain_soon)

        self._loop.at(now() + DRAINING, drain)

    def _settle(self, kinds: Collection[str]) -> None:
        """Before a query: take what lies in the ring, and decode it if that is what the query is
        about.
        """
        self._loop.check()
        if not protocols.DECODED.isdisjoint(kinds):

            def take() -> list[Frame]:
                self._drain()
                return self._take_undecoded()

            self._decode(self._loop.do(take))

    # -- requests --------------------------------------------------------------

    def load(self, client: Machine, target: Target, rate: float, slack: float = 0.0) -> Load:
        """Begin to send requests at a steady rate; ``slack`` as for :class:`Load`."""
        prepare(target)
        load = Load(self._loop, self._timeline, client, self._ports, target, rate, slack)
        self._loop.do(load.begin)
        return load

    def end_load(self, load: Load) -> None:
        """Send no more."""
        self._loop.do(load.stop)

    def fetch(self, client: Machine, target: Target) -> events.Request:
        """Send one request and wait for what comes of it."""
        prepare(target)
        return Client(self._loop, self._timeline, client, self._ports).ask(target)

    def hold(self, client: Machine, target: Target) -> Held:
        """Open a connection that stays open, a request begun in it."""
        return Held(self._loop, Client(self._loop, self._timeline, client, self._ports), target)

    def session(self, client: Machine, target: Target) -> Session:
        """Open a connection in which one request after the other can be asked."""
        return Session(self._loop, self._timeline, client, self._ports, target, TIMEOUT)

    def stream(
        self, client: Machine, target: Target, length: int, rate: int | None = None
    ) -> Stream:
        """Begin to fetch a long page, and to read ``rate`` bytes a second (None: all that come)."""
        return stream(self._loop, self._timeline, client, self._ports, target, length, rate)

    def stop(self) -> None:
        """Stop observing. Raises if an observer had failed."""
        try:
            self._loop.stop()
        finally:
            for log in self._logs:
                log.close()
            if self._capture is not None:
                self._capture.close()
