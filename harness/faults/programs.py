"""Programs of the user's own that end or hang."""

from __future__ import annotations

import signal
from dataclasses import dataclass

from harness.daemons.daemon import Daemon
from harness.errors import HarnessError
from harness.faults.fault import Fault, Surroundings
from harness.nodes import Node


@dataclass(frozen=True)
class StopProgram(Fault[Node]):
    """A program that the topology has on a machine, by name, is gone by SIGKILL; healed, it is
    started again.
    """

    program: str

    def __post_init__(self) -> None:
        self._daemon  # noqa: B018 - it raises HarnessError where there is none

    @property
    def _daemon(self) -> Daemon:
        found = {daemon.name: daemon for daemon in self.node.daemons}
        if self.program not in found:
            there = ", ".join(found) or "nothing"
            raise HarnessError(
                f"{type(self).__name__}: {self.node.name} does not run {self.program};"
                f" it runs {there}"
            )
        return found[self.program]

    @property
    def name(self) -> str:
        return f"{type(self).__name__} {self.program}"

    def inject(self, around: Surroundings) -> None:
        self.node.kill(self._daemon)

    def heal(self, around: Surroundings) -> None:
        around.start(self.node)


@dataclass(frozen=True)
class HangProgram(StopProgram):
    """It is stopped by SIGSTOP: its connections are accepted by the kernel, and nobody answers in
    them.
    """

    def inject(self, around: Surroundings) -> None:
        self.node.signal_all(signal.SIGSTOP, self._daemon)

    def heal(self, around: Surroundings) -> None:
        self.node.signal_all(signal.SIGCONT, self._daemon)
