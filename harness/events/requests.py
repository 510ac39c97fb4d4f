"""What comes of a client's requests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from harness.events.event import Event


@dataclass(frozen=True, kw_only=True)
class Request(Event):
    """A client's request, at the instant of sending, with what came of it."""

    kind = "request"
    latency: Annotated[float, "seconds"] = 0.0
    status: Annotated[int, "0: no answer"]
    server: Annotated[str | None, "the first line of the answer"] = None
    error: str | None = None
    address: str = ""
    service_port: int = 80
    protocol: str = "TCP"
    source: Annotated[str | None, "the client's address, where one was asked for"] = None
    port: Annotated[int, "the client's"] = 0
    path: str = "/"
    length: Annotated[int, "bytes of the answer"] = 0


@dataclass(frozen=True, kw_only=True)
class StreamChanged(Event):
    """A long answer begins to come to a client, has come further, or ends."""

    kind = "stream"
    optional = ("path", "bytes", "error")
    action: Literal["began", "received", "ended"]
    port: Annotated[int, "the client's"]
    path: Annotated[str | None, "of one that begins"] = None
    bytes: Annotated[int | None, "in all, so far"] = None
    error: Annotated[str | None, "of one that ends: complete, or what ended it"] = None
