"""What directors track: a health script that fails or hangs, a file with another number in it."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import ClassVar

from harness.faults.fault import Fault, Surroundings
from harness.nodes import DirectorNode
from harness.topology.tracking import VERDICT, TrackedFile


class FailCheck(Fault[DirectorNode]):
    """A director's health script fails whenever it is run."""

    verdict: ClassVar[str] = "fail"

    def inject(self, around: Surroundings) -> None:
        self.node.machine.write(VERDICT, f"{self.verdict}\n")

    def heal(self, around: Surroundings) -> None:
        with contextlib.suppress(FileNotFoundError):
            self.node.machine.remove(VERDICT)


class HangCheck(FailCheck):
    """A director's health script does not come back whenever it is run."""

    verdict: ClassVar[str] = "hang"


@dataclass(frozen=True)
class ExitCheck(Fault[DirectorNode]):
    """A director's health script exits with a status of its own, which may mean a weight
    (``misc_dynamic``).
    """

    status: int

    def inject(self, around: Surroundings) -> None:
        self.node.machine.write(VERDICT, f"{self.status}\n")

    def heal(self, around: Surroundings) -> None:
        self.node.machine.remove(VERDICT)


@dataclass(frozen=True)
class WriteNumber(Fault[DirectorNode]):
    """A tracked file gets another number; healed, it has its own again."""

    file: TrackedFile
    value: int

    def inject(self, around: Surroundings) -> None:
        self.node.machine.write(self.file.path, f"{self.value}\n")

    def heal(self, around: Surroundings) -> None:
        self.node.machine.write(self.file.path, f"{self.file.value}\n")
