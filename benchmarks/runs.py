"""Runs of pytest with a :mod:`benchmarks.stopwatch`, timed from outside."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any

from benchmarks import EVIDENCE
from harness.errors import HarnessError

ROOT = Path(__file__).parent.parent

LIMIT = 900.0
"""Seconds after which a run is given up; nobody may be there to see that it hangs."""


@dataclass(frozen=True)
class Mark:
    """Something that the stopwatch told: ``at`` in seconds after the start of pytest's process, on
    the real clock.
    """

    name: str
    at: float
    details: dict[str, Any]


@dataclass(frozen=True)
class Run:
    """One run of pytest: its marks in order, how many seconds it took, and what else it printed.

    ``memory`` is the most that one of its processes had at any time, which is the kernel's, in
    bytes. ``processor`` is the processor time of all its processes, in seconds. Other work on the
    machine lengthens ``seconds`` much more than that.
    """

    marks: list[Mark]
    seconds: float
    output: str
    memory: int = 0
    processor: float = 0.0

    def all(self, name: str) -> list[Mark]:
        """The marks of a name, in order."""
        return [mark for mark in self.marks if mark.name == name]

    def first(self, name: str) -> Mark:
        """The first mark of a name. Raises HarnessError with pytest's output if the run did not
        come so far.
        """
        for mark in self.all(name):
            return mark
        raise HarnessError(f"a run of pytest ended without a mark {name!r}:\n{self.output}")

    def evidence(self, name: str) -> list[float]:
        """All figures of one kind that the stopwatch compared, in seconds."""
        return [figure for mark in self.all("guest evidence") for figure in mark.details[name]]


def pytest(
    *arguments: str,
    tests: Sequence[str] = ("scenarios/",),
    evidence: bool = False,
    until: str | None = None,
    kept: Path | None = None,
) -> Run:
    """Run pytest in a process of its own, if wanted with ``evidence`` after each test.

    At the first mark of the name ``until`` it is interrupted. Its artifacts are in the folder
    ``kept`` afterwards, and nowhere without one.
    """
    argv = [str(Path(sys.executable).with_name("pytest")), *tests, "-p", "benchmarks.stopwatch"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)} | ({EVIDENCE: "1"} if evidence else {})
    with nullcontext(kept) if kept else TemporaryDirectory(prefix="lvs-bench-") as artifacts:
        argv += ["--artifacts", str(artifacts), *arguments]
        return _timed(argv, environment, until)


def _timed(argv: list[str], environment: dict[str, str], until: str | None) -> Run:
    began = monotonic()
    with subprocess.Popen(
        argv, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment
    ) as process:
        marks, said = [], []
        patience = threading.Timer(LIMIT, process.kill)
        patience.start()
        for line in process.stdout or ():
            word, _, details = line.partition(" ")
            if word == "stopwatch":
                told = json.loads(details)
                marks.append(Mark(told.pop("mark"), monotonic() - began, told))
                if marks[-1].name == until:
                    process.send_signal(signal.SIGINT)
                    until = None
            else:
                said.append(line)
        patience.cancel()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    spent = usage.ru_utime + usage.ru_stime
    return Run(marks, monotonic() - began, "".join(said), usage.ru_maxrss << 10, spent)
