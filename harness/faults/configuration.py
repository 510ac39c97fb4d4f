"""Configuration: the switches that an operator turns, and the protection that one forgot."""

from __future__ import annotations

from harness.daemons.nodes import DirectorNode, RealServerNode
from harness.faults.fault import Fault, Surroundings


class Maintenance(Fault[DirectorNode]):
    """The maintenance file ``down`` exists on a director."""

    def inject(self, around: Surroundings) -> None:
        self.node.open_maintenance()

    def heal(self, around: Surroundings) -> None:
        self.node.close_maintenance()


class Unprotected(Fault[RealServerNode]):
    """A real server answers ARP for the VIP that it holds on ``lo``."""

    def inject(self, around: Surroundings) -> None:
        self.node.protect(False)

    def heal(self, around: Surroundings) -> None:
        self.node.protect(True)
