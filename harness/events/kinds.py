"""Every kind of event by its name, and how events are made of names and checked by them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from harness.clock import Instant
from harness.events.balancing import (
    ConnectionChanged,
    Counter,
    DestinationChanged,
    ServiceChanged,
    Synchronisation,
)
from harness.events.event import Event, UnknownName, Value, details_of
from harness.events.machines import (
    AddressChanged,
    DaemonChanged,
    Link,
    Log,
    Mail,
    Power,
    Renamed,
    RouteChanged,
    RuleChanged,
)
from harness.events.neighbours import Arp, Ndp
from harness.events.requests import Request, Saturated, StreamChanged
from harness.events.scenario import Expected, FaultChanged, Judged, Missed
from harness.events.vrrp import Advertisement, Notification, StateChanged

KINDS: Final[Mapping[str, type[Event]]] = {
    each.kind: each
    for each in (
        Power,
        Link,
        Renamed,
        AddressChanged,
        RouteChanged,
        RuleChanged,
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
        Saturated,
        ConnectionChanged,
        Counter,
        Synchronisation,
        FaultChanged,
        Expected,
        Judged,
        Missed,
    )
}
"""Every kind of event and its class, in the order of docs/artifacts.md."""


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
            words = {str(word) for each in types for word in words_of(each)}
            if words:
                raise UnknownName.of(f"{name} is never {value!r}", str(value), words)
            raise UnknownName(f"{name} is never {value!r}: what it can be is of another type")


def _named(kinds: tuple[type[Event], ...]) -> str:
    return " or ".join(kind.kind for kind in kinds) if len(kinds) <= 3 else "any event"


def words_of(hint: Any) -> tuple[Any, ...]:
    """The words that a detail of a type can be, where it can be no others."""
    if get_origin(hint) is Annotated:
        return words_of(get_args(hint)[0])
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


def from_dict(line: Mapping[str, Any]) -> Event:
    """The event of a line of the file. Raises KeyError, TypeError or ValueError if it is none."""
    details = dict(line)
    at, node, kind = details.pop("at"), details.pop("node"), details.pop("kind")
    if isinstance(at, bool) or not isinstance(at, int | float) or not isinstance(node, str):
        raise TypeError(f"neither instant nor node: {at!r:.100}, {node!r:.100}")
    return make(kind, float(at), node, **details)
