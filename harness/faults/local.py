"""What runs on a director beside keepalived: it ends, or the program of a health script fails."""

from __future__ import annotations

from dataclasses import dataclass

from harness.daemons import local
from harness.faults.fault import Fault, Surroundings
from harness.nodes import DirectorNode
from harness.topology.local import LocalService

_FAILS = "#!/bin/sh\nexit 1\n"
_KEPT = ".own"


@dataclass(frozen=True)
class StopLocal(Fault[DirectorNode]):
    """A program that a health script looks for has ended: of one that answers at a port, all that
    answer at any.
    """

    service: LocalService

    @property
    def name(self) -> str:
        return f"Stop {self.service.name}"

    def inject(self, around: Surroundings) -> None:
        self.node.kill(local.daemon_of(self.service))

    def heal(self, around: Surroundings) -> None:
        around.start(self.node)


@dataclass(frozen=True)
class FailProgram(Fault[DirectorNode]):
    """The program at ``path`` fails whenever it is run; healed, it is what it was."""

    path: str

    @property
    def name(self) -> str:
        return f"Fail {self.path}"

    def inject(self, around: Surroundings) -> None:
        with self.node.machine.open(self.path) as program:
            self.node.machine.write(self.path + _KEPT, program.read())
        self.node.machine.write(self.path, _FAILS, 0o755)

    def heal(self, around: Surroundings) -> None:
        with self.node.machine.open(self.path + _KEPT) as program:
            self.node.machine.write(self.path, program.read(), 0o755)
        self.node.machine.remove(self.path + _KEPT)


@dataclass(frozen=True)
class MakeFile(Fault[DirectorNode]):
    """A file is there that a health script takes for a reason to fail, and gone again once
    healed.
    """

    path: str

    @property
    def name(self) -> str:
        return f"Make {self.path}"

    def inject(self, around: Surroundings) -> None:
        self.node.machine.write(self.path, "")

    def heal(self, around: Surroundings) -> None:
        self.node.machine.remove(self.path)
