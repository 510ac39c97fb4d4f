"""``make bench``: prints the tables, and writes them to ``RESULTS.md`` beside this file, with the
versions.

The ratios are what to keep: everything in one table was measured by turns in one run, on whatever
machine this is. ``make bench ARGS="farms starts"`` measures these parts alone, and writes nothing.
"""

from __future__ import annotations

import os
import platform
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache as cache_once
from functools import partial
from importlib.metadata import version
from pathlib import Path
from time import monotonic

from benchmarks import building, load, recording, starts, suite
from harness.errors import HarnessError
from harness.kernels.host import uml
from harness.kernels.making import cache

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
        f"{os.cpu_count()} cores that had {os.getloadavg()[0]:.1f} processes to run"
        " before it began",
    ]
    return (
        "# Benchmarks\n\nWritten by `make bench`, which repeats it all. Measured"
        f" with {', '.join(parts)}.\n"
    )


@dataclass(frozen=True)
class Part:
    """A part of the report: its name, how many seconds it takes on two cores, and what measures
    it.
    """

    name: str
    about: float
    measure: Callable[[], str]


def parts(packaged: uml.Kernel | None, built: uml.Kernel | None) -> list[Part]:
    """The parts of the report, in their order."""
    kernels = [kernel for kernel in (packaged, built) if kernel is not None]
    newest = kernels[-1]
    ways = {
        f"{kernel.release}, real time": ["--kernel", str(kernel.path), "--clock", "real"]
        for kernel in kernels
    }
    if built is not None:
        ways[f"{built.release}, virtual time"] = ["--kernel", str(built.path), "--clock", "virtual"]
    found = [
        Part("conditions", 1, lambda: conditions(kernels)),
        Part("native", 90, building.native),
        *(Part("building", 90, partial(building.table, kernel, (5, 50))) for kernel in kernels),
        Part("starts", 30, lambda: starts.starts(ways)),
        Part("page", 30, lambda: starts.first_page(ways)),
        Part("cost", 30, load.cost),
        Part("wrk", 25, lambda: load.saturated(newest)),
        Part("spaced", 30, lambda: load.spaced(kernels)),
        Part("natively", 20, load.natively),
        Part("observed", 60, lambda: suite.observation(str(newest.path))),
    ]
    if built is None:
        return [*found, Part("virtual", 0, lambda: _NO_VIRTUAL_TIME)]
    core = cache_once(suite.core)
    return [
        *found,
        Part("image", 30, lambda: starts.imaged("bookworm")),
        Part("paced", 20, load.paced),
        Part("recording", 100, recording.overhead),
        Part("farms", 180, starts.farms),
        Part("core", 120, lambda: suite.parallel(core())),
        Part("profile", 0, lambda: suite.profile(core())),
        Part("shared", 0, lambda: suite.shared(core())),
        Part("takeovers", 45, suite.takeovers),
        Part("whole", 150, suite.whole),
        Part("search", 480, suite.search),
    ]


_NO_VIRTUAL_TIME = (
    "Virtual time was not measured: no kernel here has it yet; `make kernel` builds one.\n"
)


def main(wanted: list[str]) -> None:
    """Print each part as soon as it is there; a figure that misses what is wanted is no error.

    Nor is a part that cannot be measured: the others are, and it says why not.
    """
    cached = cache.find()
    packaged, built = uml.packaged(), uml.Kernel.at(cached.path) if cached else None
    if packaged is not None and (problem := uml.unfit(packaged)) is not None:
        print(f"bench: {problem}", file=sys.stderr)
        packaged = None
    if packaged is None and built is None:
        raise HarnessError("no kernel to measure: make kernel, or apt-get install user-mode-linux")
    known = parts(packaged, built)
    if unknown := sorted(set(wanted) - {part.name for part in known}):
        names = ", ".join(part.name for part in known)
        raise HarnessError(f"there is no part {', '.join(unknown)}; there are {names}")
    chosen = [part for part in known if not wanted or part.name in wanted]
    began, texts = monotonic(), []
    for number, part in enumerate(chosen, start=1):
        left = sum(other.about for other in chosen[number - 1 :])
        print(
            f"bench: {part.name}, part {number} of {len(chosen)};"
            f" {(monotonic() - began) / 60:.0f} min so far, about {left / 60:.0f} min to go",
            file=sys.stderr,
            flush=True,
        )
        try:
            text = part.measure()
        except HarnessError as problem:
            text = f"## Not measured: {part.name}\n\n```\n{problem}\n```\n"
        print(text, flush=True)
        texts.append(text)
        if not wanted:
            RESULTS.write_text("\n".join(texts), encoding="utf-8")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except HarnessError as problem:
        sys.exit(f"bench: {problem}")
