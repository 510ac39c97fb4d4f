"""One request of the client over HTTPS: a GET inside TLS, whose certificate nobody looks at.

A module of its own, since only few clusters need ``ssl``, which takes its time to be imported in a
guest.
"""

from __future__ import annotations

import functools
import selectors
import ssl
from typing import Any

from harness.observers.requests import Get


@functools.cache
def _context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class TlsGet(Get):
    """A GET in a connection of its own, which is TLS's."""

    def __init__(self, *arguments: Any) -> None:
        self._arrived, self._leaving = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = _context().wrap_bio(self._arrived, self._leaving)
        self._asked = False
        super().__init__(*arguments)

    def _asks_at_once(self) -> bool:
        return False

    def _connected(self) -> None:
        self._loop.rewatch(self._socket.fileno(), self._readable, selectors.EVENT_READ)
        self._go_on()

    def _readable(self) -> None:
        while data := self._receive():
            self._arrived.write(data)
        if data is not None:
            self._arrived.write_eof()
        if not self.over:
            self._go_on()

    def _go_on(self) -> None:
        """As far as what has arrived allows."""
        try:
            if not self._asked:
                self._tls.do_handshake()
                self._asked = True
                self._tls.write(self._head + b"\r\n")
            while data := self._tls.read(1 << 16):
                self._answer += data
            self._judge()
        except ssl.SSLWantReadError:
            if leaving := self._leaving.read():
                self._send(leaving)
        except ssl.SSLError as problem:
            if self._answer:  # the server has closed the connection without a word of TLS's
                self._judge()
            else:
                self._finish(f"no TLS: {problem.reason or problem}")
