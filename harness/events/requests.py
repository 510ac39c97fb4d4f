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


@dataclass(frozen=True, kw_only=True)
class Saturated(Event):
    """wrk has kept a client's connections busy, until now."""

    kind = "saturated"
    address: str
    service_port: int
    connections: Annotated[int, "how many it was to have"]
    at_once: Annotated[int, "how many were seen open at the same time"]
    lasted: Annotated[float, "seconds"]
    requests: Annotated[int, "that were answered"]
    refused: Annotated[int, "of those, with a status of 400 or more"] = 0
    broken: Annotated[int, "connections that failed"] = 0
    timed_out: Annotated[int, "requests without an answer in time"] = 0
