"""What every event has, and what its details are."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Annotated, Any, ClassVar, Literal, get_type_hints

from harness.clock import Instant
from harness.errors import HarnessError

Value = str | int | float | bool | None

OnWire = Annotated[str, "the machine's interface"]
Sent = Annotated[bool, "true: by this node, false: received by it"]
AddedRemoved = Literal["added", "removed"]


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
        for name, value in wanted.items():  # each query asks for it, of every event
            if name not in own or getattr(self, name) != value:
                return False
        return True

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

    def __str__(self) -> str:
        details = " ".join(f"{name}={value}" for name, value in self.details.items())
        return f"{self.at:12.6f}  {self.node:<10} {self.kind:<13} {details}"


_DETAILS: dict[type[Event], Mapping[str, Any]] = {}


def details_of(event: type[Event]) -> Mapping[str, Any]:
    """The names of an event's details and their types, in the order of the file."""
    if event not in _DETAILS:
        hints = get_type_hints(event, include_extras=True)
        names = [field.name for field in fields(event) if field.name not in ("at", "node")]
        _DETAILS[event] = {name: hints[name] for name in names}
    return _DETAILS[event]
