"""What was meant, what else than events was seen, and what was found wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from harness.clock import Instant
from harness.events import Event
from harness.topology import VrrpInstance


@dataclass(frozen=True)
class Setup:
    """What was meant: each director's VRRP instances, each real server's VIPs, and by machine the
    gateway that it uses.

    ``nat`` are the real servers that are forwarded to by NAT. The VIPs of the directors in
    ``standing`` are always there, so that holding one says nothing. ``unanswered`` are real
    servers that nobody is there for, by director and as ``ADDRESS:PORT``.
    """

    directors: Mapping[str, tuple[VrrpInstance, ...]]
    servers: Mapping[str, tuple[str, ...]]
    gateways: Mapping[str, str]
    nat: frozenset[str] = frozenset()
    standing: frozenset[str] = frozenset()
    unanswered: frozenset[tuple[str, str]] = frozenset()


@dataclass(frozen=True)
class Flow:
    """What tells one TCP segment from all others, whoever forwards it: its ends and its first
    byte's number.
    """

    source: str
    destination: str
    ports: tuple[int, int]
    sequence: int


@dataclass(frozen=True)
class Hop:
    """A TCP segment over IPv4 that a machine sent to another one, or got from it; ``size`` in bytes
    of IP, and ``tunnelled`` if it is in a packet of a director's.
    """

    at: Instant
    sender: str
    receiver: str
    arrived: bool
    ttl: int
    size: int
    flow: Flow
    tunnelled: bool = False


@dataclass(frozen=True)
class Kernel:
    """What a machine's kernel says of itself, by its own counters.

    ``filtered`` are the packets that rp_filter dropped (``IPReversePathFilter``), ``tracked`` the
    connections that it keeps track of, of at most ``trackable`` (0: of none). ``accepts_local``:
    it takes packets that come with an address of its own. ``busy`` are processes of daemons that
    compute without rest, with the share of the time for which they did.
    """

    filtered: int = 0
    tracked: int = 0
    trackable: int = 0
    accepts_local: bool = False
    busy: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Seen:
    """What is known beside the timeline: the packets of client and server, and what each machine's
    kernel says.
    """

    hops: tuple[Hop, ...] = ()
    kernels: Mapping[str, Kernel] = field(default_factory=dict)


NOTHING: Final = Seen()


@dataclass(frozen=True)
class Diagnosis:
    """A misconfiguration: its ``name``, the machines it is on or between, the evidence for it,
    and what to do.

    ``shown`` are the few events that show it, in their order; ``option`` is the word of
    keepalived.conf that has it, where one has.
    """

    name: str
    nodes: tuple[str, ...]
    evidence: str
    cure: str
    shown: tuple[Event, ...] = ()
    option: str = ""

    def __post_init__(self) -> None:
        """A line of keepalived's may end in a full stop, and what to do comes after it."""
        object.__setattr__(self, "evidence", self.evidence.removesuffix("."))

    def __str__(self) -> str:
        return f"{self.name} ({', '.join(self.nodes)}): {self.evidence}; {self.cure}"
