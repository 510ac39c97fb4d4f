"""What all faults have in common."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, get_args, get_origin

from harness.errors import HarnessError
from harness.keepalived.timers import Symptom
from harness.lab.lab import Lab
from harness.nodes import Node

if TYPE_CHECKING:
    from collections.abc import Callable

N = TypeVar("N", bound=Node, covariant=True)


@dataclass(frozen=True)
class Surroundings:
    """What a fault may lay hands on: the network, and the ways to switch a node on or off or to
    start its daemon.
    """

    lab: Lab
    power_on: Callable[[Node], None]
    power_off: Callable[[Node], None]
    start: Callable[[Node], None]


@dataclass(frozen=True)
class Fault(ABC, Generic[N]):
    """Something that befalls one node. ``announced`` says whether a master struck by it can still
    resign, ``in_office`` whether it goes on as master when it is healed, without an election;
    ``symptom`` what a health checker meets at a real server struck by it; ``cuts`` whether an open
    connection hears nothing more, or late.
    """

    node: N
    announced: ClassVar[bool] = False
    in_office: ClassVar[bool] = False
    symptom: ClassVar[Symptom] = Symptom.REFUSED
    cuts: ClassVar[bool] = False

    @property
    def name(self) -> str:
        """What it is called on the timeline."""
        return type(self).__name__

    def check(self) -> None:
        """HarnessError if its node is not of the kind that it befalls."""
        if not isinstance(self.node, kind := struck(type(self))):
            words = re.findall("[A-Z][a-z]*", kind.__name__.removesuffix("Node")) or ["node"]
            if not isinstance(self.node, Node):
                raise HarnessError(
                    f"{self.name} befalls a {' '.join(words).lower()}, and"
                    f" {self.node!r} is none: give it one of cluster.nodes, by name:"
                    f" cluster.nodes['director1']"
                )
            raise HarnessError(
                f"{self.name} befalls a {' '.join(words).lower()}, and {self.node.name} is none"
            )

    @abstractmethod
    def inject(self, around: Surroundings) -> None:
        """Do it."""

    @abstractmethod
    def heal(self, around: Surroundings) -> None:
        """Put right what :meth:`inject` did."""


def struck(kind: type[Fault[Any]]) -> type[Node]:
    """Which nodes a kind of fault befalls: ``DirectorNode`` for one that is derived from
    ``Fault[DirectorNode]``.
    """
    for each in kind.__mro__:
        for base in each.__dict__.get("__orig_bases__", ()):
            befallen = get_args(base)
            if get_origin(base) is Fault and isinstance(befallen[0], type):
                found: type[Node] = befallen[0]
                return found
    return Node
