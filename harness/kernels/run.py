"""A run: what all of its parts have to know. It is made once, where the run begins.

Within a process it is an argument. To another process, a guest's or a worker's, it goes in one
variable of the environment: :meth:`Run.environment` writes it, :func:`entered` reads it where that
process begins.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

VARIABLE: Final = "LVS_HARNESS_RUN"
CONSOLE: Final = "console"
"""How the file begins, below the run's folder, that has what a worker and its kernel say on
standard error.
"""


@dataclass(frozen=True)
class Run:
    """``folder`` is where all that it leaves goes, ``header`` the line that says on which kernel it
    is, and why.

    ``commits`` has the commit of each ``CHECKOUT@COMMIT`` whose keepalived was built for it, since
    a guest cannot read a checkout. ``fatal`` has what is wrong with the topology of a scenario, by
    node id, where that ends whoever builds it.
    """

    folder: Path
    header: str = ""
    commits: Mapping[str, str] = field(default_factory=dict)
    fatal: Mapping[str, str] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        """What a process of this run is started with, for its :func:`entered`."""
        told = {
            "folder": str(self.folder),
            "header": self.header,
            "commits": dict(self.commits),
            "fatal": self._by_problem(),
        }
        return {VARIABLE: json.dumps(told)}

    def _by_problem(self) -> dict[str, list[str]]:
        """The scenarios of each problem, which so is written once: a variable has its limit."""
        grouped: dict[str, list[str]] = {}
        for scenario, problem in self.fatal.items():
            grouped.setdefault(problem, []).append(scenario)
        return grouped

    def console(self, of: str | int) -> Path:
        """The file with the last words of a worker: at first of the gateway that is process
        ``of``, then of its name.
        """
        return self.folder / f"{CONSOLE}-{of}.log"


def entered() -> Run | None:
    """The run that this process has been started for; None if it has been started for none."""
    if (text := os.environ.get(VARIABLE)) is None:
        return None
    told = json.loads(text)
    fatal: dict[str, str] = {}
    for problem, scenarios in told["fatal"].items():
        fatal |= dict.fromkeys(scenarios, problem)
    return Run(Path(told["folder"]), told["header"], told["commits"], fatal)
