"""The host's end of a running guest: streams, signals, collected files, and the exit status."""

from __future__ import annotations

import collections
import os
import selectors
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, NoReturn

from harness import received
from harness.errors import HarnessError
from harness.kernels import wire
from harness.kernels.host.link import Ends, Link
from harness.kernels.host.terminal import Terminal, Writer
from harness.kernels.host.watchdog import Step, Watchdog

_FORWARDED = (
    signal.SIGINT,
    signal.SIGTERM,
    signal.SIGHUP,
    signal.SIGQUIT,
    signal.SIGWINCH,
    signal.SIGURG,
)
_INTERRUPTS = (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT)
_PRODS = 4
_PATIENCE = 3  # interrupts without a sign of life from the guest


class Interrupted(Exception):
    """A signal came before there was a program to give it to."""

    def __init__(self, number: int) -> None:
        self.number = number


class Relay:
    """Connects the guest with the caller's streams until the guest's program has ended.

    ``patience`` is how long the guest's virtual time may stand still, in seconds of real time; 0 is
    for ever, None that its time is real. Errors name the folder ``kept``, which has what the guest
    wrote.
    """

    def __init__(
        self,
        ends: Ends,
        kinds: Sequence[str],
        terminal: Terminal | None,
        collect: Sequence[Path],
        kept: Path,
        patience: float | None,
    ) -> None:
        self._ends, self._log = ends, ends.log
        self._terminal, self._collect, self._kept = terminal, collect, kept
        self._watchdog = Watchdog(patience or 0, ends.guard, gradually=True)
        self._link = Link(ends, patience is not None, self._watchdog)
        self._patience, self._stuck = patience, False
        self._report = "(the guest did not say)"
        self._frames = wire.Frames()
        self._running, self._receiving = False, True
        self._interrupts = 0
        self._typed = b""
        self._keys_wanted = False
        self._tail: collections.deque[bytes] = collections.deque(maxlen=20)
        self._selector = selectors.PollSelector()
        self._outputs = {
            kind: Writer(descriptor, partial(self._link.send, wire.CLOSED, kind))
            for descriptor, kind in ((1, wire.STDOUT), (2, wire.STDERR))
            if kinds[descriptor] == "data"
        }
        if terminal is not None:
            self._outputs[wire.TERMINAL] = Writer(terminal.descriptor, lambda: None)

    def run(self) -> int:
        """The program's exit status.

        Raises :class:`Interrupted`, and :class:`HarnessError` if the kernel dies or no longer
        reacts.
        """
        guard = os.pidfd_open(self._ends.guard)
        os.set_blocking(self._log.fileno(), False)
        try:
            with _signals() as wakeup:
                self._watch(self._ends.receiving, self._on_frames)
                self._watch(self._log, self._on_log)
                self._watch(guard, self._on_death)
                self._watch(wakeup, lambda: self._on_signals(wakeup))
                return self._loop()
        finally:
            os.close(guard)
            self._finish()

    def _watch(self, source: Any, act: Callable[[], int | None]) -> None:
        self._selector.register(source, selectors.EVENT_READ, act)

    def _loop(self) -> int:
        while True:
            if self._watchdog.left() == 0:
                if self._watchdog.expired():
                    self._on_stuck()
                elif (
                    self._watchdog.stepping
                ):  # pid 1 may have lost the processor again before it was done
                    self._prod()
            for key, _ in self._selector.select(self._watchdog.left()):
                status: int | None = key.data()
                if status is not None:
                    return status

    def _finish(self) -> None:
        """Have everything shown that the guest has sent; from here on signals act on the caller
        again.
        """
        try:
            for output in self._outputs.values():
                output.finish()
        finally:
            if self._terminal is not None:
                self._terminal.restore()

    def _on_stuck(self) -> None:
        """Virtual time does not move: end what computes; if that does not help, the program; give
        up at last.
        """
        step = self._watchdog.take_step()
        if step is None:
            return
        if step is Step.END_LIMITED:
            self._link.send(wire.RELIEVE, b"limited")
            self._prod()
        elif step is Step.END_SPINNING:
            self._link.send(wire.RELIEVE)
            self._prod()
        elif step is Step.INTERRUPT:
            self._stuck = True
            self._link.send_urgently(wire.REPORT)
            self._link.send_urgently(wire.SIGNAL, bytes([signal.SIGINT]))
        else:
            self._raise_stuck()

    def _prod(self) -> None:
        """Let pid 1 look at all processes, several times, which takes longer than to read a
        frame.
        """
        for _ in range(_PRODS):
            self._link.order(wire.PROD)

    def _tell_ended(self, ended: str) -> None:
        """Say what a scenario lacks from here on."""
        if ended:
            self._watchdog.relieved()
        for line in ended.splitlines():
            told = f"virtual time did not move: ended {received.plain(line)}"
            print(f"\nlvs-harness: {told}", file=sys.stderr, flush=True)

    def _raise_stuck(self) -> NoReturn:
        raise HarnessError(
            f"virtual time did not move for {self._patience:g} s, so the run was ended"
            " (--watchdog). Running were:\n"
            f"{self._report}\nPython's stacks are above; what the run wrote until then"
            f" is in {self._kept}"
        )

    def _on_frames(self) -> int | None:
        data = self._ends.receiving.recv(65536)
        if not data:  # The guard ends presently, or has.
            self._selector.unregister(self._ends.receiving)
            self._receiving = False
        try:
            for kind, payload in self._frames.feed(data):
                if kind == wire.EXIT and self._stuck:
                    self._raise_stuck()
                if kind == wire.EXIT:
                    return payload[0]
                self._on_frame(kind, payload)
        except (
            wire.Malformed,
            IndexError,
        ) as problem:  # a payload without the byte that it should have
            raise HarnessError(
                f"the guest was ended: it sent what is no answer ({problem})"
            ) from None
        return None

    def _on_frame(self, kind: bytes, payload: bytes) -> None:
        if kind == wire.PROGRESS:  # which says nothing of the program
            self._watchdog.feed()
            return
        if kind == wire.LIMITED:
            self._watchdog.set_limited(bool(payload))
            return
        self._interrupts = 0
        if kind == wire.READY and self._running:
            raise wire.Malformed("it began a second time")
        if kind == wire.READY:
            self._running = True
            self._link.order(wire.TAKEN)
            self._watchdog.feed()
            if self._terminal is not None and self._terminal.interactive:
                self._terminal.make_raw()
                self._watch(0, self._on_keyboard)
        elif kind in self._outputs:
            self._outputs[kind].write(payload)
        elif kind == wire.WANT_STDIN:
            if 0 not in self._selector.get_map():
                self._watch(0, self._on_stdin)
        elif kind == wire.WANT_KEYS:
            self._keys_wanted = True
            self._send_keys()
        elif kind == wire.IDLE:
            self._link.halt(payload[0])
        elif kind == wire.REPORT:
            self._report = payload.decode(errors="replace")
        elif kind == wire.ENDED:
            self._tell_ended(payload.decode(errors="replace"))
        elif kind == wire.FILE:
            self._store(*wire.file_of(payload))

    def _on_log(self) -> None:
        data = self._log.read(65536)
        if data:
            self._tail.extend(data.splitlines())
        else:
            self._selector.unregister(self._log)

    def _on_death(self) -> int:
        """The guard has ended: with the guest, if what it sent before says so."""
        while self._receiving:
            if (status := self._on_frames()) is not None:
                return status
        self._raise_dead()

    def _raise_dead(self) -> NoReturn:
        while data := self._log.read(65536):
            self._tail.extend(data.splitlines())
        lines = [line.decode(errors="replace") for line in self._tail if line]
        # Behind it may be what a process of the guest has said since, whom for a moment nobody
        # traced.
        killed = next((line for line in lines if line.startswith(wire.KILLED.decode())), "")
        lines = lines[: lines.index(killed)] if killed else lines
        if wire.QUOTA.decode() in lines:
            raise HarnessError(
                f"the guest {wire.QUOTA.decode()}, and was ended: see what is in {self._kept}"
            )
        kept = f"what the run wrote until then is in {self._kept}"
        if killed.endswith("SIGKILL"):
            raise HarnessError(
                f"the embedded kernel {killed}, which came from outside; {kept}; run it again"
            )
        why = "\n".join([*lines, killed])
        raise HarnessError(
            f"the embedded kernel died; {kept}, and why may be in the kernel's last lines:\n{why}"
        )

    def _on_stdin(self) -> None:
        self._selector.unregister(0)
        self._link.send(wire.STDIN, os.read(0, wire.STDIN_PIECE))

    def _on_keyboard(self) -> None:
        try:
            typed = os.read(0, 4096)
        except OSError:
            typed = b""
        if not typed:  # The terminal is gone; a SIGHUP tells the program.
            self._selector.unregister(0)
        self._typed += typed
        if b"\x03" in typed:
            self._count_interrupt()
        self._send_keys()

    def _send_keys(self) -> None:
        if self._typed and self._keys_wanted:
            self._keys_wanted = False
            piece, self._typed = self._typed[: wire.KEYS_PIECE], self._typed[wire.KEYS_PIECE :]
            send = self._link.send_urgently if b"\x03" in piece else self._link.send
            send(wire.TERMINAL, piece)

    def _on_signals(self, wakeup: socket.socket) -> None:
        for number in wakeup.recv(64):
            if number == signal.SIGWINCH:
                if self._terminal is not None and self._running:
                    self._link.send(wire.SIZE, self._terminal.size())
            elif number == signal.SIGURG:  # `lvs-harness exec` asks something of a prompt
                if self._running:
                    self._link.send(wire.SIGNAL, bytes([number]))
            elif not self._running:
                raise Interrupted(number)
            else:
                self._link.send_urgently(wire.SIGNAL, bytes([number]))
                if number in _INTERRUPTS:
                    self._count_interrupt()

    def _count_interrupt(self) -> None:
        self._interrupts += 1
        if self._interrupts >= _PATIENCE:
            raise HarnessError(
                f"the embedded kernel did not react to {_PATIENCE} interrupts and was ended"
            )

    def _store(self, index: int, below: str, content: bytes) -> None:
        parts = PurePosixPath(below).parts
        target = self._collect[index]
        if below.startswith("/") or ".." in parts:
            raise HarnessError(f"the guest tried to write outside {target}: {below}")
        path = target.joinpath(*parts)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        except OSError as error:
            raise HarnessError(
                f"cannot write {path}, which the run made: {error.strerror}"
            ) from error


@contextmanager
def _signals() -> Iterator[socket.socket]:
    """A socket that gets the number of every forwarded signal as one byte; ignored ones stay
    ignored.
    """
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    numbers = [number for number in _FORWARDED if signal.getsignal(number) is not signal.SIG_IGN]
    old_wakeup = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    old = {number: signal.signal(number, lambda *_: None) for number in numbers}
    try:
        with reader, writer:
            yield reader
    finally:
        signal.set_wakeup_fd(old_wakeup)
        for number, handler in old.items():
            signal.signal(number, handler)
