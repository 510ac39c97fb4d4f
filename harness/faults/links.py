"""Links: cables pulled, and machines that nothing reaches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from harness.daemons.nodes import Node
from harness.faults.fault import Fault, Surroundings
from harness.keepalived.timers import Symptom


@dataclass(frozen=True)
class Unplug(Fault[Node]):
    """The cable of one ``interface`` is pulled, or all cables are: the machine sees that it has no carrier."""

    cuts: ClassVar[bool] = True
    interface: str | None = None

    def inject(self, around: Surroundings) -> None:
        around.lab.unplug(self.node.name, self.interface)

    def heal(self, around: Surroundings) -> None:
        around.lab.plug(self.node.name, self.interface)


class BlackHole(Fault[Node]):
    """The switch silently drops all that goes to or comes from the machine, whose carrier stays up."""

    in_office: ClassVar[bool] = True
    symptom: ClassVar[Symptom] = Symptom.BLACK_HOLE
    cuts: ClassVar[bool] = True

    def inject(self, around: Surroundings) -> None:
        around.lab.block(self.node.name, True)

    def heal(self, around: Surroundings) -> None:
        around.lab.block(self.node.name, False)
