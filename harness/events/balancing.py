"""What a director's IPVS does: its table, its connections, and what it tells the other
directors of these.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from harness.events.event import AddedRemoved, Event, OnWire, Sent


@dataclass(frozen=True, kw_only=True)
class ServiceChanged(Event):
    """A director's IPVS table gets or loses a virtual service."""

    kind = "service"
    action: AddedRemoved
    service: Annotated[str, "`TCP 172.16.10.50:80`"]


@dataclass(frozen=True, kw_only=True)
class DestinationChanged(Event):
    """A virtual service gets or loses a real server, or its weight changes."""

    kind = "destination"
    optional = ("weight",)
    action: Literal["added", "changed", "removed"]
    service: str
    address: Annotated[str, "`172.16.10.21:80`"]
    weight: Annotated[int | None, "unless it is removed"] = None


@dataclass(frozen=True, kw_only=True)
class ConnectionChanged(Event):
    """Where a scenario looks at a director's IPVS connections: what has changed since its last
    look.
    """

    kind = "connection"
    action: Literal["added", "changed", "removed"]
    protocol: str
    client: Annotated[str, "address and port"]
    service: Annotated[str, "address and port"]
    server: Annotated[str, "address and port"]
    state: Annotated[str, "the kernel's word"]
    expires: Annotated[int, "seconds from then"]
    synchronised: Annotated[bool, "heard of from another director"]


@dataclass(frozen=True, kw_only=True)
class Synchronisation(Event):
    """A message of IPVS's sync daemon: connections that one director tells the others of."""

    kind = "sync"
    interface: OnWire = ""
    sent: Sent
    syncid: int
    connections: Annotated[
        str, "each as PROTOCOL CLIENT SERVICE SERVER STATE, with commas between them"
    ]


@dataclass(frozen=True, kw_only=True)
class Counter(Event):
    """Where a scenario asks for a director's counters: what one of them has come to."""

    kind = "counter"
    of: Annotated[str, "`TCP 172.16.10.50:80`, ` -> 172.16.10.21:80` behind it, or a VRRP instance"]
    name: Annotated[str, "ipvsadm's word, such as `inpkts`, or keepalived's"]
    value: int
