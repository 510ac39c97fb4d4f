"""What all faults have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from harness.daemons.nodes import Node
from harness.keepalived.timers import Symptom
from harness.lab.lab import Lab

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

    @abstractmethod
    def inject(self, around: Surroundings) -> None:
        """Do it."""

    @abstractmethod
    def heal(self, around: Surroundings) -> None:
        """Put right what :meth:`inject` did."""
