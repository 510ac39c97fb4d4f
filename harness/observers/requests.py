"""One request of the client: a connection over HTTP or a datagram to a DNS server, and what came of
it.

A request is a non-blocking socket in the client's network namespace, driven by the observers' loop:
no process and no thread a request.
"""

from __future__ import annotations

import contextlib
import errno
import itertools
import os
import selectors
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from harness.clock import Instant, now
from harness.daemons.dnsmasq import ASKED_NAME
from harness.lab.machine import Machine
from harness.observers.loop import Loop

GIVEN_UP = "given up"
"""What came of a request that was under way when its client ended."""


@dataclass(frozen=True)
class Target:
    """Where requests go, and from which of the client's addresses (None: the kernel chooses).

    ``path`` is what is asked for over TCP: a GET, with ``tls`` over HTTPS; over UDP the question is
    for a TXT record. ``padding`` bytes make the GET larger. With ``source_port`` every request
    comes from that port of the client's.
    """

    address: str
    port: int
    protocol: str = "TCP"
    source: str | None = None
    path: str = "/"
    padding: int = 0
    tls: bool = False
    source_port: int | None = None

    @property
    def family(self) -> int:
        """AF_INET or AF_INET6."""
        return socket.AF_INET6 if ":" in self.address else socket.AF_INET


PORTS = range(32768, 61000)
"""Where requests come from, one after the other: the kernel's own choice may come back to a port
within seconds, and a director remembers for minutes which real server a port's connection went to,
be it gone by now.
"""
_TRIES = 1000  # ports that others may have taken


def prepare(target: Target) -> None:
    """Import what requests will need, not in the loop: in a guest that takes a second, and it would
    hear nothing.
    """
    if target.protocol == "UDP":
        import scapy.layers.dns  # noqa: F401
    if target.tls:
        import harness.observers.tls  # noqa: F401


class Request:
    """What all requests have in common. When it is over, ``done`` is called with it.

    ``status`` is HTTP's (200 for a datagram that was answered, 0 for none), ``body`` the answer.
    """

    kind = socket.SOCK_STREAM

    def __init__(
        self, loop: Loop, client: Machine, ports: Iterator[int], target: Target, timeout: float,
        done: Callable[[Request], None],
    ) -> None:  # fmt: skip
        """``ports``: the client's next ones."""
        self.begun: Instant = now()
        self.target, self.timeout = target, timeout
        self.local_port = 0
        self.status = 0
        self.body = ""
        self.error: str | None = None
        self.over = False
        self._loop, self._done = loop, done
        with client.inside():
            self._socket = socket.socket(
                target.family, self.kind | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
            )
        try:
            port = self._bind(target, ports)
            code = self._socket.connect_ex((target.address, target.port))
        except OSError as problem:
            code = problem.errno or errno.EINVAL
        if code not in (0, errno.EINPROGRESS):
            self._finish(os.strerror(code))
            return
        self.local_port = port
        self._due = self.begun + timeout
        loop.at(self._due, self._check_due)
        if not self._asks_at_once():
            loop.watch(self._socket.fileno(), self._writable, selectors.EVENT_WRITE)

    def _bind(self, target: Target, ports: Iterator[int]) -> int:
        anyone = "::" if target.family == socket.AF_INET6 else ""
        if target.source_port is not None:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._socket.bind((target.source or anyone, target.source_port))
            return target.source_port
        for port in itertools.islice(ports, _TRIES):
            try:
                self._socket.bind((target.source or anyone, port))
                return port
            except OSError as problem:
                if problem.errno != errno.EADDRINUSE:
                    raise
        raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))

    def _expect(self, timeout: float) -> None:
        """Give it up after ``timeout`` seconds from now, whatever was expected before."""
        self._due = now() + timeout
        self._loop.at(self._due, self._check_due)

    def _check_due(self) -> None:
        if now() >= self._due:
            self._finish("timed out")

    def _asks_at_once(self) -> bool:
        """Whether no answer to the connection's opening had to be waited for: what follows has been
        done then.
        """
        return False

    def _writable(self) -> None:
        code = self._socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if code:
            self._finish(os.strerror(code))
        else:
            self._connected()

    def _connected(self) -> None:
        raise NotImplementedError

    def _send(self, data: bytes) -> bool:
        """Whether the kernel took it; if not, the request is over."""
        try:
            self._socket.send(data)
        except OSError as problem:
            self._finish(problem.strerror or str(problem))
        return not self.over

    def _receive(self) -> bytes | None:
        """What has arrived; None if that was nothing, or an error, and the request is over."""
        try:
            return self._socket.recv(1 << 16)
        except BlockingIOError:
            return None
        except OSError as problem:
            self._finish(problem.strerror or str(problem))
            return None

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
        self._finish(GIVEN_UP)


class Get(Request):
    """One HTTP GET in a connection of its own. With ``hold`` its last line is kept back until
    :meth:`complete`.

    A server that waits for the first byte before it accepts (TCP_DEFER_ACCEPT, as httpd does) has
    then accepted.
    """

    def __init__(
        self, loop: Loop, client: Machine, ports: Iterator[int], target: Target, timeout: float,
        done: Callable[[Request], None], hold: Callable[[], None] | None = None,
    ) -> None:  # fmt: skip
        """``hold`` is called when the connection is established and lies open."""
        self._answer = b""
        self._hold = hold
        super().__init__(loop, client, ports, target, timeout, done)

    @property
    def _head(self) -> bytes:
        host = f"[{self.target.address}]" if ":" in self.target.address else self.target.address
        padding = f"X-Padding: {'x' * self.target.padding}\r\n" if self.target.padding else ""
        return f"GET {self.target.path} HTTP/1.0\r\nHost: {host}\r\n{padding}".encode()

    def _asks_at_once(self) -> bool:
        """Where nothing delays them, frames have gone to and fro before ``connect`` returns."""
        if self._hold is not None:
            return False
        try:
            self._socket.send(self._head + b"\r\n")
        except BlockingIOError:
            return False
        except OSError as problem:
            self._finish(problem.strerror or str(problem))
            return True
        self._loop.watch(self._socket.fileno(), self._readable, selectors.EVENT_READ)
        return True

    def _connected(self) -> None:
        if not self._send(self._head if self._hold else self._head + b"\r\n"):
            return
        self._loop.rewatch(self._socket.fileno(), self._readable, selectors.EVENT_READ)
        if self._hold is not None:
            self._due = float("inf")
            self._hold()

    def complete(self, timeout: float) -> None:
        """Send what was kept back; the answer is due within ``timeout`` seconds (loop thread
        only).
        """
        if not self.over and self._send(b"\r\n"):
            self._expect(timeout)

    def _readable(self) -> None:
        while data := self._receive():  # its end has often come with it
            self._answer += data
        if data is not None:
            self._judge()

    def _judge(self) -> None:
        """The answer is whole."""
        head, _, body = self._answer.partition(b"\r\n\r\n")
        with contextlib.suppress(IndexError, ValueError):
            self.status = int(head.split(None, 2)[1])
        self.body = body.decode(errors="replace").strip()
        self._finish(None if self.status else "no HTTP answer")


class Query(Request):
    """One DNS question in a datagram: who are you?"""

    kind = socket.SOCK_DGRAM

    def _connected(self) -> None:
        from scapy.layers.dns import DNS, DNSQR

        question = DNS(id=self.local_port, rd=0, qd=DNSQR(qname=ASKED_NAME, qtype="TXT"))
        if self._send(bytes(question)):
            self._loop.rewatch(self._socket.fileno(), self._readable, selectors.EVENT_READ)

    def _readable(self) -> None:
        from scapy.layers.dns import DNS

        data = self._receive()
        if data is None:
            return
        answer = DNS(data)
        if answer.id != self.local_port or not answer.ancount:
            self._finish("no DNS answer")
            return
        self.status = 200
        record = answer.an[0] if isinstance(answer.an, list) else answer.an
        self.body = b"\n".join(record.rdata).decode(errors="replace")
        self._finish(None)
