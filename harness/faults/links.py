"""Links: cables pulled, and machines that nothing reaches."""

from __future__ import annotations

from typing import ClassVar

from harness.daemons.nodes import Node
from harness.faults.fault import Fault, Surroundings
from harness.keepalived.timers import Symptom


class Unplug(Fault[Node]):
    """The cables are pulled: the machine sees that it has no carrier."""

    def inject(self, around: Surroundings) -> None:
        around.lab.unplug(self.node.name)

    def heal(self, around: Surroundings) -> None:
        around.lab.plug(self.node.name)


class BlackHole(Fault[Node]):
    """The switch silently drops all that goes to or comes from the machine, whose carrier stays up."""

    in_office: ClassVar[bool] = True
    symptom: ClassVar[Symptom] = Symptom.BLACK_HOLE

    def inject(self, around: Surroundings) -> None:
        around.lab.block(self.node.name, True)

    def heal(self, around: Surroundings) -> None:
        around.lab.block(self.node.name, False)
