"""What can happen: a class for each kind of event, and how events are written to and read from
``timeline.jsonl``.

A kind is what an event is called in the file, such as ``advertisement``; :data:`KINDS` has its
class. The fields of a class are the event's details. docs/artifacts.md has a table of them, which
``python -m harness.events`` writes.
"""

from __future__ import annotations

import difflib
import json
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    ClassVar,
    Final,
    Literal,
    Union,
    get_args,
    get_origin,
    get_type_hints,
)

from harness.clock import Instant
from harness.errors import HarnessError

Value = str | int | float | bool | None

_STAMP: Final = re.compile(r"^\w{3} \w{3} [ \d]\d [\d:]{8} \d{4}: ")

MULTICAST: Final = ("224.0.0.18", "ff02::12")
"""Where advertisements go unless they are sent to a single peer (RFC 5798 sections 5.1.1.2 and
5.1.2.2).
"""


class UnknownName(HarnessError):
    """A kind, a detail or a node that does not exist: a question about it would always get the same
    answer.
    """

    @classmethod
    def of(cls, problem: str, name: str, known: Iterable[str]) -> UnknownName:
        """``problem`` says what is wrong with the name; the message adds what was probably
        meant.
        """
        names = sorted(known)
        close = difflib.get_close_matches(name, names, n=1)
        meant = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(names)}"
        return cls(f"{problem}: {meant}")


@dataclass(frozen=True)
class Event:
    """One thing that happened: when (seconds on the cluster's clock), and to which node."""

    at: Instant
    node: str
    kind: ClassVar[str] = ""
    optional: ClassVar[tuple[str, ...]] = ()
    """The details that are left out of the file where they are None."""

    def __post_init__(self) -> None:
        object.__setattr__(
            self, "at", round(self.at, 9)
        )  # as exact as the file, so that both say the same

    @property
    def details(self) -> dict[str, Value]:
        """What there is beside the instant and the node, in the order of the file."""
        return {name: getattr(self, name) for name in details_of(type(self))}

    def matches(self, **wanted: Value) -> bool:
        """Whether all the given details have the given values; an event that has no such detail
        does not match.
        """
        own = details_of(type(self))
        return all(name in own and getattr(self, name) == value for name, value in wanted.items())

    def as_dict(self) -> dict[str, Value]:
        """``at`` in seconds to the nanosecond, ``node``, ``kind``, then the details."""
        line = {"at": self.at, "node": self.node, "kind": self.kind, **self.details}
        for name in self.optional:
            if line[name] is None:
                del line[name]
        return line

    def as_json(self) -> str:
        """One line of ``timeline.jsonl``, see :meth:`as_dict`."""
        return json.dumps(self.as_dict())

    @classmethod
    def from_dict(cls, line: Mapping[str, Any]) -> Event:
        """What :meth:`as_dict` made. Raises KeyError, TypeError or ValueError if it is not that."""
        details = dict(line)
        at, node, kind = details.pop("at"), details.pop("node"), details.pop("kind")
        if isinstance(at, bool) or not isinstance(at, int | float) or not isinstance(node, str):
            raise TypeError(f"neither instant nor node: {at!r:.100}, {node!r:.100}")
        return make(kind, float(at), node, **details)

    def __str__(self) -> str:
        details = " ".join(f"{name}={value}" for name, value in self.details.items())
        return f"{self.at:12.6f}  {self.node:<10} {self.kind:<13} {details}"


OnWire = Annotated[str, "the machine's interface"]
Sent = Annotated[bool, "true: by this node, false: received by it"]
AddedRemoved = Literal["added", "removed"]
Channel = Literal["script", "fifo"]
State = Literal["MASTER", "BACKUP", "FAULT"]


@dataclass(frozen=True, kw_only=True)
class Power(Event):
    """A machine is switched on or off."""

    kind = "power"
    action: Literal["on", "off"]


@dataclass(frozen=True, kw_only=True)
class Link(Event):
    """What the kernel says of an interface."""

    kind = "link"
    interface: str
    up: Annotated[bool, "whether it has a carrier"]


@dataclass(frozen=True, kw_only=True)
class Renamed(Event):
    """An interface has another name from now on; its addresses stay on it."""

    kind = "renamed"
    interface: Annotated[str, "the new name"]
    before: Annotated[str, "the old one"]


@dataclass(frozen=True, kw_only=True)
class AddressChanged(Event):
    """An interface gets or loses an address."""

    kind = "address"
    action: AddedRemoved
    address: str
    prefix: Annotated[int, "its length in bits"]
    interface: str


@dataclass(frozen=True, kw_only=True)
class DaemonChanged(Event):
    """A daemon is started, is told to read its configuration again, or has ended."""

    kind = "daemon"
    optional = ("status",)
    name: Annotated[str, "keepalived, httpd, ..."]
    action: Literal["started", "reloaded", "ended"]
    status: Annotated[int | None, "exit status of one that ended; negative: the signal"] = None


@dataclass(frozen=True, kw_only=True)
class StateChanged(Event):
    """What keepalived's log says of the state of a VRRP instance."""

    kind = "state"
    instance: str
    state: State


@dataclass(frozen=True, kw_only=True)
class Notification(Event):
    """What keepalived told its notify scripts or its notify FIFO."""

    kind = "notification"
    channel: Channel
    text: str


@dataclass(frozen=True, kw_only=True)
class Mail(Event):
    """A mail that the SMTP server took."""

    kind = "mail"
    sender: str
    recipient: str
    subject: str
    body: str


@dataclass(frozen=True, kw_only=True)
class Log(Event):
    """A line that a daemon printed."""

    kind = "log"
    daemon: str
    line: str

    @property
    def said(self) -> str:
        """The line without the time that keepalived begins it with: the instant is known better."""
        return _STAMP.sub("", self.line)


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
class Advertisement(Event):
    """A VRRP advertisement, whole or cut short; what is cut off counts as 0. :attr:`flaw` is what
    is wrong with it.
    """

    kind = "advertisement"
    optional = ("count", "length", "authentication")
    interface: OnWire = ""
    sent: Sent
    vrid: int
    priority: Annotated[int, "0: the master resigns"]
    source: str = ""
    destination: str = MULTICAST[0]
    interval: Annotated[float, "seconds"] = 1.0
    version: int = 2
    addresses: Annotated[str, "one after the other"] = ""
    count: Annotated[int | None, "how many addresses it says it has"] = None
    type: Annotated[int, "1: advertisement; no other is defined"] = 1
    ttl: Annotated[int, "of IPv4, or the hop limit of IPv6"] = 255
    checksum: Annotated[bool, "right by RFC 5798 or, of the message alone, by RFC 9568"] = True
    length: Annotated[int | None, "bytes of VRRP"] = None
    authentication: Annotated[str | None, "none, pass, AH, or a number; version 3 has none"] = None

    @property
    def flaw(self) -> str | None:
        """Why every receiver discards it; None if it is for each receiver's configuration to say.

        RFC 5798 section 7.1; keepalived's ``vrrp_check_packet``, which looks at the TTL of
        multicast alone.
        """
        if self.length is not None and self.length < 8:
            return f"only {self.length} of the first 8 bytes"
        if self.destination in MULTICAST and self.ttl != 255:
            return f"TTL {self.ttl} instead of 255"
        if self.version not in (2, 3):
            return f"version {self.version}"
        if self.type != 1:
            return f"type {self.type} instead of 1"
        if self.length is not None and self.length != self.whole:
            return f"{self.length} bytes instead of {self.whole}"
        return None if self.checksum else "wrong checksum"

    @property
    def whole(self) -> int:
        """How many bytes a message of so many addresses has: version 2 has 8 bytes of
        authentication at its end.
        """
        count = len(self.addresses.split()) if self.count is None else self.count
        return 8 + count * (16 if ":" in self.source else 4) + (8 if self.version == 2 else 0)


@dataclass(frozen=True, kw_only=True)
class Arp(Event):
    """An ARP packet."""

    kind = "arp"
    interface: OnWire = ""
    sent: Sent
    operation: Annotated[str, "request, reply, or a number"] = "reply"
    sender: str
    sender_mac: str = ""
    target: str = ""
    gratuitous: Annotated[bool, "the sender asks for, or tells, its own address"] = False


@dataclass(frozen=True, kw_only=True)
class Ndp(Event):
    """A packet of IPv6 neighbour discovery."""

    kind = "ndp"
    interface: OnWire = ""
    sent: Sent
    operation: Literal["solicitation", "advertisement"]
    sender: str
    target: str
    target_mac: Annotated[str | None, "of an advertisement"] = None
    unsolicited: bool = False


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
class FaultChanged(Event):
    """A fault begins or ends."""

    kind = "fault"
    name: str
    action: Literal["injected", "healed"]


@dataclass(frozen=True, kw_only=True)
class Expected(Event):
    """A scenario begins to wait."""

    kind = "expected"
    what: str
    since: Annotated[float, "instant"]
    latest: Annotated[float, "instant"]


@dataclass(frozen=True, kw_only=True)
class Judged(Event):
    """A scenario has compared what it waited for with its window."""

    kind = "judged"
    what: str
    since: Annotated[float, "instant"]
    earliest: Annotated[float, "instant"]
    latest: Annotated[float, "instant"]
    measured: Annotated[float, "instant"]
    met: bool


@dataclass(frozen=True, kw_only=True)
class Missed(Event):
    """A scenario has waited in vain."""

    kind = "missed"
    what: str
    since: Annotated[float, "instant"]
    latest: Annotated[float, "instant at which it was due"]


KINDS: Final[Mapping[str, type[Event]]] = {
    each.kind: each
    for each in (
        Power,
        Link,
        Renamed,
        AddressChanged,
        DaemonChanged,
        StateChanged,
        Notification,
        Mail,
        Log,
        ServiceChanged,
        DestinationChanged,
        Advertisement,
        Arp,
        Ndp,
        Request,
        StreamChanged,
        ConnectionChanged,
        Synchronisation,
        FaultChanged,
        Expected,
        Judged,
        Missed,
    )
}
"""Every kind of event and its class, in the order of docs/artifacts.md."""


# -- details -------------------------------------------------------------------


def _details(event: type[Event]) -> Mapping[str, Any]:
    hints = get_type_hints(event, include_extras=True)
    return {
        field.name: hints[field.name] for field in fields(event) if field.name not in ("at", "node")
    }


_DETAILS: Final = {kind: _details(event) for kind, event in KINDS.items()}


def details_of(event: type[Event]) -> Mapping[str, Any]:
    """The names of an event's details and their types, in the order of the file."""
    return _DETAILS[event.kind]


def class_of(kind: str | type[Event]) -> type[Event]:
    """The class of a kind. Raises UnknownName."""
    if isinstance(kind, type):
        return kind
    try:
        return KINDS[kind]
    except KeyError:
        raise UnknownName.of(f"{kind!r} is no kind of event", kind, KINDS) from None


def check_details(kinds: Iterable[type[Event]], details: Mapping[str, Value]) -> None:
    """Raise UnknownName if none of the kinds has such a detail, or if it never has such a value."""
    asked = tuple(kinds)
    for name, value in details.items():
        types = [details_of(kind)[name] for kind in asked if name in details_of(kind)]
        if not types:
            known = {detail for kind in asked for detail in details_of(kind)}
            raise UnknownName.of(f"{name!r} is no detail of {_named(asked)}", name, known)
        if not any(_can_be(value, each) for each in types):
            words = {str(word) for each in types for word in _words_of(each)}
            if words:
                raise UnknownName.of(f"{name} is never {value!r}", str(value), words)
            raise UnknownName(f"{name} is never {value!r}: what it can be is of another type")


def _named(kinds: tuple[type[Event], ...]) -> str:
    return " or ".join(kind.kind for kind in kinds) if len(kinds) <= 3 else "any event"


def _words_of(hint: Any) -> tuple[Any, ...]:
    if get_origin(hint) is Annotated:
        return _words_of(get_args(hint)[0])
    return get_args(hint) if get_origin(hint) is Literal else ()


def _can_be(value: Any, hint: Any) -> bool:
    """Whether a detail of a type can have a value; a whole number is a fraction as well, but no
    truth value is.
    """
    origin = get_origin(hint)
    if origin is Annotated:
        return _can_be(value, get_args(hint)[0])
    if origin is Literal:
        return isinstance(value, str) and value in get_args(hint)
    if origin in (Union, UnionType):
        return any(_can_be(value, each) for each in get_args(hint))
    if hint is NoneType:
        return value is None
    if hint in (int, float):
        return isinstance(value, int | hint) and not isinstance(value, bool)
    return isinstance(value, hint)


def make(kind: str | type[Event], at: Instant, node: str, **details: Any) -> Event:
    """An event of a kind. Raises UnknownName, or TypeError where a detail is missing or of a wrong
    type.
    """
    event = class_of(kind)
    hints = details_of(event)
    for name, value in details.items():
        if name not in hints:
            raise UnknownName.of(f"{name!r} is no detail of {event.kind}", name, hints)
        if not _can_be(value, hints[name]):
            raise TypeError(f"{event.kind} {name}: {value!r:.100} is not what it can be")
    return event(at, node, **details)


# -- the table in docs/artifacts.md --------------------------------------------

BEGIN, END = "<!-- events: written by python -m harness.events -->\n", "<!-- end of events -->\n"


def table() -> str:
    """All kinds with their details, in Markdown."""
    rows = ["| kind | class | what happened | details |", "|---|---|---|---|"]
    for kind, event in KINDS.items():
        told = "; ".join(_told(name, hint) for name, hint in details_of(event).items())
        rows.append(f"| `{kind}` | `{event.__name__}` | {_first_paragraph(event)} | {told} |")
    return "\n".join(rows) + "\n"


def _first_paragraph(event: type[Event]) -> str:
    """What a docstring says first, up to where it speaks of single attributes."""
    words = " ".join((event.__doc__ or "").partition("\n\n")[0].split())
    return words.partition(" :attr:")[0].rstrip(".")


def _told(name: str, hint: Any) -> str:
    words = ", ".join(map(str, _words_of(hint)))
    note = get_args(hint)[1] if get_origin(hint) is Annotated else ""
    told = ": ".join(filter(None, [words, note]))
    return f"`{name}` ({told})" if told else f"`{name}`"


def with_table(page: str) -> str:
    """A page's text with the table between its two marks written anew."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


if __name__ == "__main__":
    document = Path(sys.argv[1])
    document.write_text(with_table(document.read_text()))
