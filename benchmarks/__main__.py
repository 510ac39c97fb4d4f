"""``make bench``: prints the tables, and writes them to ``RESULTS.md`` beside this file, with the versions.

The ratios are what to keep: everything in one table was measured by turns in one run, on whatever machine this is.
"""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

from benchmarks import building, load, recording, runs, starts, suite
from harness.errors import HarnessError
from harness.kernels import cache, uml

RESULTS = Path(__file__).with_name("RESULTS.md")


def conditions(kernels: list[uml.Kernel]) -> str:
    """What was measured with what, and how to do it again."""
    said = subprocess.run(["keepalived", "--version"], capture_output=True, text=True)
    keepalived = re.search(r"v[\d.]+", said.stdout + said.stderr)
    parts = [
        "User Mode Linux " + " and ".join(kernel.release for kernel in kernels),
        f"keepalived {keepalived[0] if keepalived else 'of unknown version'}",
        f"Python {platform.python_version()}",
        *(f"{name} {version(name)}" for name in ("mininet", "pyroute2", "pytest")),
        f"{os.cpu_count()} cores that had {os.getloadavg()[0]:.1f} processes to run before it began",
    ]
    return f"# Benchmarks\n\nWritten by `make bench`, which repeats it all. Measured with {', '.join(parts)}.\n"


def measure(packaged: uml.Kernel, built: uml.Kernel | None) -> Iterator[Callable[[], str]]:
    """The parts of the report, one after the other."""
    kernels = [kernel for kernel in (packaged, built) if kernel is not None]
    ways = {f"{kernel.release}, real time": ["--kernel", str(kernel.path), "--clock", "real"] for kernel in kernels}
    if built is not None:
        ways[f"{built.release}, virtual time"] = ["--kernel", str(built.path), "--clock", "virtual"]
    yield lambda: conditions(kernels)
    yield building.native
    yield lambda: building.table(packaged, (5,))
    if built is not None:
        yield lambda: building.table(built, (5, 50, 500))
    yield lambda: starts.starts(ways)
    yield lambda: starts.first_page(packaged, built)
    if built is not None:
        yield lambda: starts.imaged("bookworm")
    yield load.cost
    yield lambda: load.saturated(packaged)
    yield lambda: load.spaced(kernels)
    yield load.natively
    if built is not None:
        yield load.paced
        yield recording.overhead
        yield starts.farms
        virtual = runs.pytest("--clock", "virtual")
        yield lambda: suite.profile(virtual)
        yield lambda: suite.parallel(virtual)
        yield suite.takeovers
    real = runs.pytest("--kernel", str(kernels[-1].path), "--clock", "real", tests=suite.CORE, evidence=True)
    yield lambda: suite.scenarios(virtual if built is not None else None, real)
    yield lambda: suite.observation(real)
    if built is None:
        yield lambda: "Virtual time was not measured: there is no kernel that has it yet; `make kernel` builds one.\n"


def main() -> None:
    """Print each part as soon as it is there; a figure that misses what is wanted is no error.

    Nor is a part that cannot be measured: the others are, and it says why not.
    """
    packaged, cached = uml.packaged(), cache.find()
    if packaged is None:
        raise HarnessError("no packaged kernel to measure: apt-get install user-mode-linux")
    parts = []
    for part in measure(packaged, uml.Kernel.at(cached.path) if cached else None):
        try:
            text = part()
        except HarnessError as problem:
            text = f"## Not measured\n\n```\n{problem}\n```\n"
        print(text, flush=True)
        parts.append(text)
        RESULTS.write_text("\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    try:
        main()
    except HarnessError as problem:
        sys.exit(f"bench: {problem}")
