"""The one program that the embedded kernel runs, and the streams between it and the host.

Part of pid 1 of the guest, and so as sparing with imports and system calls as ``guest.py``.
"""

from __future__ import annotations

import _thread
import fcntl
import os
import select
import termios
import time

from harness.kernels import wire
from harness.kernels.guest.forks import Forks

TYPE_CHECKING = False  # that of `typing` takes 15 ms to import
if TYPE_CHECKING:
    from typing import Any

    from harness.kernels.guest.standstill import Standstill

_HIGH = 10  # above the descriptors that the program is given
_SIGKILL, _SIGINT, _SIGPIPE, _SIGXFSZ = 9, 2, 13, 25


def _open_terminal(settings: dict[str, Any]) -> tuple[int, int]:
    """A pseudo-terminal for the program, set like the host's: its two ends, this one's not
    blocking.
    """
    master, slave = os.openpty()
    termios.tcsetattr(slave, termios.TCSANOW, settings["attributes"])
    fcntl.ioctl(slave, termios.TIOCSWINSZ, settings["size"])
    os.set_blocking(master, False)
    return master, slave


def move_high(low: int) -> int:
    """A file's new descriptor, above those that the program is given; ``low`` is closed."""
    high = fcntl.fcntl(low, fcntl.F_DUPFD_CLOEXEC, _HIGH)
    os.close(low)
    return high


class _Sink:
    """A descriptor that takes input in pieces, each asked of the host when the one before is
    taken.
    """

    def __init__(
        self, poll: select.poll, line: int, descriptor: int, ask: bytes, patient: bool
    ) -> None:
        """``patient``: ask only when :meth:`ask` is called."""
        self._poll, self._line, self._descriptor, self._ask = (
            poll,
            line,
            descriptor,
            wire.frame(ask),
        )
        self._patient, self._due = patient, False
        self._pending = b""
        os.set_blocking(descriptor, False)
        poll.register(descriptor, select.POLLOUT)

    def give(self, data: bytes) -> None:
        """Pass ``data`` on as soon as there is room; no data is the end."""
        self._pending = data
        if data:
            self._poll.register(self._descriptor, select.POLLOUT)
        else:
            os.close(self._descriptor)

    def feed(self) -> None:
        """There is room: use it."""
        try:
            while self._pending:
                self._pending = self._pending[os.write(self._descriptor, self._pending) :]
        except BlockingIOError:
            return
        except OSError:  # Nobody will ever read it.
            self._poll.unregister(self._descriptor)
            return
        self._poll.unregister(self._descriptor)
        self._due = True
        if not self._patient:
            self.ask()

    def ask(self) -> None:
        """Ask for the next piece, if there is room and it has not been asked for."""
        if self._due:
            self._due = False
            wire.write_all(self._line, self._ask)


class Program:
    """The one program of the run and the streams that lead to it."""

    def __init__(self, line: int, request: dict[str, Any]) -> None:
        self._line = line
        self._frames = wire.Frames()
        self._poll = select.poll()
        self._outputs: dict[int, bytes] = {}
        self._sinks: dict[int, _Sink] = {}
        self._inputs: dict[bytes, _Sink] = {}
        self._terminal = self._slave = -1
        self._poll.register(line, select.POLLIN)
        self._paced = request["paced"]
        if request["terminal"]:
            self._terminal, self._slave = _open_terminal(request["terminal"])
            self._add_output(self._terminal, wire.TERMINAL)
            self._add_input(os.dup(self._terminal), wire.TERMINAL, wire.WANT_KEYS)
        self._standstill = self._open_standstill() if request["virtual"] else None
        self._steps = move_high(os.memfd_create("steps")) if request["virtual"] else -1
        self._steps_seen = 0
        self._forks = Forks()
        self._poll.register(self._forks.listener, select.POLLIN)
        self._pid = self._spawn(request)
        self._done, ended = os.pipe()
        self._poll.register(self._done, select.POLLIN)
        _thread.start_new_thread(_reap, (self._pid, ended))

    def _open_standstill(self) -> Standstill:
        from harness.kernels.guest.standstill import Standstill

        standstill = Standstill(self._line)
        self._poll.register(standstill.channel, select.POLLIN)
        _thread.start_new_thread(_tell_progress, (self._line,))
        return standstill

    def _add_output(self, descriptor: int, kind: bytes) -> None:
        self._outputs[descriptor] = kind
        self._poll.register(descriptor, select.POLLIN)

    def _add_input(self, descriptor: int, kind: bytes, ask: bytes) -> None:
        patient = self._paced and kind == wire.STDIN
        self._inputs[kind] = self._sinks[descriptor] = _Sink(
            self._poll, self._line, descriptor, ask, patient
        )

    def _spawn(self, request: dict[str, Any]) -> int:
        actions = [self._stream(number, kind) for number, kind in enumerate(request["streams"])]
        channel = []
        if self._standstill:
            channel.append(self._standstill.program_action)
            channel.append((os.POSIX_SPAWN_DUP2, self._steps, wire.STEPS))
        channel.append((os.POSIX_SPAWN_DUP2, request["imports"], wire.IMPORTS))
        os.umask(request["umask"])
        argv, environment = request["argv"], request["environment"]
        ignored = (_SIGPIPE, _SIGXFSZ)  # by Python, and inherited
        pid = os.posix_spawn(
            argv[0],
            argv,
            environment,
            file_actions=[*actions, *channel],
            setsid=True,
            setsigdef=ignored,
        )
        os.close(request["imports"])
        for action in actions:
            if action[0] == os.POSIX_SPAWN_DUP2 and action[1] > 2:
                os.close(action[1])
        return pid

    def _stream(self, number: int, kind: str) -> tuple[Any, ...]:
        """What posix_spawn does for the program's descriptor ``number``; prepares the other end."""
        if kind == "terminal":
            # The first terminal that a session's leader opens becomes its controlling terminal.
            return (os.POSIX_SPAWN_OPEN, number, os.ttyname(self._slave), os.O_RDWR, 0)
        if kind == "null":
            return (os.POSIX_SPAWN_OPEN, number, "/dev/null", os.O_RDWR, 0)
        if kind == "stdout":
            return (os.POSIX_SPAWN_DUP2, 1, number)
        reader, writer = os.pipe()
        if number == 0:
            self._add_input(writer, wire.STDIN, wire.WANT_STDIN)
            return (os.POSIX_SPAWN_DUP2, reader, number)
        self._add_output(reader, wire.STDOUT if number == 1 else wire.STDERR)
        return (os.POSIX_SPAWN_DUP2, writer, number)

    def relay(self) -> int:
        """Relay until the program has ended; its exit status, 128 + N if signal N killed it."""
        while True:
            held = self._standstill if self._standstill and self._standstill.active else None
            events = self._poll.poll(0 if held else None)
            if held and held.hold(quiet=not events):
                self._tell_idle(held)
            for descriptor, _ in events:
                if descriptor == self._done:
                    return self._end()
                if descriptor == self._line:
                    for kind, payload in self._frames.feed(os.read(self._line, 65536)):
                        if self._standstill:
                            self._standstill.count()
                        self._obey(kind, payload)
                elif self._standstill and descriptor == self._standstill.channel:
                    self._standstill.listen()
                elif descriptor == self._forks.listener.fileno():
                    self._forks.serve()
                elif descriptor in self._sinks:
                    self._sinks[descriptor].feed()
                elif descriptor in self._outputs and not self._forward(descriptor):
                    self._drop(descriptor)

    def _tell_idle(self, standstill: Standstill) -> None:
        """All wait for the host: the only moment at which input may come, where it must not
        disturb.
        """
        for sink in self._sinks.values():
            sink.ask()
        standstill.tell()

    def _obey(self, kind: bytes, payload: bytes) -> None:
        if kind in self._inputs:
            self._inputs[kind].give(payload)
        elif kind == wire.SIGNAL:
            # As from a terminal: an interrupt is for the program and its children, the rest for it
            # alone.
            _kill(-self._pid if payload[0] == _SIGINT else self._pid, payload[0])
        elif kind == wire.SIZE:
            fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, payload)
        elif kind == wire.REPORT:
            from harness.kernels.guest import running

            wire.write_all(self._line, wire.frame(wire.REPORT, running.report(self._pid).encode()))
        elif kind == wire.RELIEVE:
            self._relieve(limited=bool(payload))
        elif kind == wire.CLOSED:
            for descriptor in [
                number for number, stream in self._outputs.items() if stream == payload
            ]:
                self._drop(descriptor)

    def _relieve(self, limited: bool) -> None:
        """End what computes, unless it is the program that gets on: with scenarios that take no
        virtual time, one after the other.
        """
        if not limited and self._has_stepped():
            wire.write_all(self._line, wire.frame(wire.PROGRESS))
            return
        from harness.kernels.guest import running

        ended = running.relieve(self._pid, limited)
        wire.write_all(self._line, wire.frame(wire.ENDED, ended.encode()))

    def _has_stepped(self) -> bool:
        """Whether the program has taken a step within the last second of virtual time, and since
        this was asked before. What spins soon after a step is ended one limit later.
        """
        if not self._standstill:
            return False
        file = os.fstat(self._steps)
        more, self._steps_seen = file.st_size > self._steps_seen, file.st_size
        return more and time.time() - file.st_mtime < 1

    def _forward(self, descriptor: int) -> bool:
        """Send what the program wrote; whether more may come."""
        try:
            data = os.read(descriptor, 65536)
        except BlockingIOError:
            return True
        except OSError:  # A terminal that nobody has open any more.
            return False
        if data:
            wire.write_all(self._line, wire.frame(self._outputs[descriptor], data))
        return bool(data)

    def _drop(self, descriptor: int) -> None:
        self._poll.unregister(descriptor)
        del self._outputs[descriptor]
        os.close(descriptor)

    def _end(self) -> int:
        """End what the program left behind, so that its streams end, and relay what is in them."""
        status = os.waitstatus_to_exitcode(int.from_bytes(os.read(self._done, 4), "little"))
        _kill(-1, _SIGKILL)
        if self._slave >= 0:
            os.close(self._slave)
            os.set_blocking(self._terminal, True)
        for descriptor in list(self._outputs):
            while self._forward(descriptor):
                pass
        return status if status >= 0 else 128 - status


def _kill(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return  # What it was for has just happened.


def _tell_progress(line: int) -> None:
    while True:
        time.sleep(
            1 - time.monotonic() % 1
        )  # on the second, so that it does not matter when this began
        os.write(line, wire.frame(wire.PROGRESS))


def _reap(program: int, ended: int) -> None:
    """Collect every process that ends without a parent; tell when it was the program."""
    while True:
        pid, status = os.wait()
        if pid == program:
            os.write(ended, status.to_bytes(4, "little"))
            return
