"""Power: a machine that is gone from one moment to the next."""

from __future__ import annotations

from typing import ClassVar

from harness.faults.fault import Fault, Surroundings
from harness.nodes import Node


class PowerOff(Fault[Node]):
    """The power is cut; healed, the machine boots with empty tables and starts its daemon."""

    cuts: ClassVar[bool] = True

    def inject(self, around: Surroundings) -> None:
        around.power_off(self.node)

    def heal(self, around: Surroundings) -> None:
        around.power_on(self.node)
