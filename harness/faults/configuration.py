"""Configuration: the switches that an operator turns, and the protection that one forgot."""

from __future__ import annotations

from dataclasses import dataclass

from harness.daemons.nodes import DirectorNode, RealServerNode
from harness.faults.fault import Fault, Surroundings


class Maintenance(Fault[DirectorNode]):
    """The maintenance file ``down`` exists on a director."""

    def inject(self, around: Surroundings) -> None:
        self.node.open_maintenance()

    def heal(self, around: Surroundings) -> None:
        self.node.close_maintenance()


@dataclass(frozen=True)
class Reconfigure(Fault[DirectorNode]):
    """keepalived reloads its configuration, in which ``old``, that stood there once, has become ``new``."""

    old: str
    new: str

    def inject(self, around: Surroundings) -> None:
        self.node.reload((self.old, self.new))

    def heal(self, around: Surroundings) -> None:
        self.node.reload()


class Unprotected(Fault[RealServerNode]):
    """A real server answers ARP for the VIP that it holds on ``lo``."""

    def inject(self, around: Surroundings) -> None:
        self.node.protect(False)

    def heal(self, around: Surroundings) -> None:
        self.node.protect(True)
