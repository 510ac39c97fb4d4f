"""``make bench``: prints the tables, and writes them to ``RESULTS.md`` beside this file, with the versions.

The ratios are what to keep: everything in one table was measured by turns in one run, on whatever machine this is.
"""

from __future__ import annotations

import json
import os
import platform
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from importlib.metadata import version
from pathlib import Path
from statistics import linear_regression, median
from tempfile import TemporaryDirectory

from benchmarks import runs
from benchmarks.runs import Run
from benchmarks.table import Figure, rows, section
from harness.errors import HarnessError
from harness.kernels import cache, uml

ROUNDS = 5
STARTS = 3
SEEDS = 20
FAILOVER = "failover_to_the_backup"
RESULTS = Path(__file__).with_name("RESULTS.md")


def machines(kernel: uml.Kernel) -> str:
    """Machines and wires: the harness, ``ip -batch`` and stock Mininet by turns."""
    with TemporaryDirectory(prefix="lvs-bench-") as folder:
        file = Path(folder, "seconds.json")
        status = uml.run(kernel, "benchmarks.machines", [str(file), str(ROUNDS)], writable=Path(folder))
        if status:
            raise HarnessError(f"benchmarks.machines ended with {status} on kernel {kernel.release}")
        taken = json.loads(file.read_text())
    figures = [Figure(f"{way}, median of {ROUNDS}", median(seconds)) for way, seconds in taken.items()]
    for way in ("first cluster of a run", "further cluster"):
        figures += [
            Figure(f"{way} / ip -batch", _ratio(taken[way], taken["ip -batch"]), "x", most=3),
            Figure(f"stock Mininet / {way}", _ratio(taken["stock Mininet"], taken[way]), "x", least=15),
        ]
    return section(f"Machines and wires of director_pair, kernel {kernel.release}", figures)


def _ratio(dividends: list[float], divisors: list[float]) -> float:
    return median(dividend / divisor for dividend, divisor in zip(dividends, divisors, strict=True))


def starts(ways: dict[str, list[str]]) -> str:
    """From the start of pytest's process to the first test's first line, and what it is made of."""
    taken: dict[str, list[dict[str, float]]] = {way: [] for way in ways}
    for way, options in [*ways.items()] * STARTS:
        taken[way].append(_phases(runs.pytest("-k", "ownership", *options, until="guest test")))
    medians = {way: {name: median(run[name] for run in many) for name in many[0]} for way, many in taken.items()}
    names = list(dict.fromkeys(name for phases in medians.values() for name in phases))
    body = [
        [name, *(f"{phases[name]:.2f} s" if name in phases else "" for phases in medians.values())] for name in names
    ]
    limits = [Figure("", medians[way][name], most=most) for way, (name, most) in _limits(ways).items()]
    body += [[title, *(figure.cells[column] for figure in limits)] for title, column in (("wanted", 2), ("", 3))]
    title = f"From `pytest scenarios/ -k ownership` to the first test's first line, median of {STARTS}"
    return rows(title, ["", *ways], body)


_ALL, _IN_GUEST = "**all**", "from the guest's start on"


def _limits(ways: Iterable[str]) -> dict[str, tuple[str, float]]:
    """Which phase of which way may take how many seconds."""
    return {way: (_IN_GUEST, 3) if "virtual" in way else (_ALL, 6) for way in ways}


def _phases(run: Run) -> dict[str, float]:
    """Seconds of each phase. What only the guest could time is left out where its clock is virtual."""
    looked, imported, test = run.first("host collected"), run.first("guest imported"), run.first("guest test")
    phases = {"pytest on the host, which looks what to run": looked.at}
    if (age := imported.details["age"]) > 0.01:
        collected = run.first("guest collected").details
        built, daemons = test.details["built"], test.details["daemons"]
        phases |= {
            "guard, kernel, pid 1 of the guest": imported.at - looked.at - age,
            "interpreter, pytest": age,
            "collecting": collected["clock"] - imported.details["clock"],
            "importing the harness": built - collected["clock"],
            "machines, wires and files": daemons - built,
            "daemons": test.details["clock"] - daemons,
        }
    return phases | {_IN_GUEST: test.at - looked.at, _ALL: test.at}


def scenarios(virtual: Run | None, real: Run) -> str:
    """The whole of the scenarios, on either clock."""
    figures = []
    if virtual is not None:
        simulated = virtual.first("guest ended").details["clock"]
        alone = _shared(virtual)
        figures += [
            Figure("virtual time", virtual.seconds),
            Figure("virtual time, failed", len(virtual.all("guest failed")), "tests"),
            Figure("virtual time, simulated", simulated),
            Figure("virtual time, simulated in a second", simulated / virtual.seconds, least=10),
            Figure("one more scenario on a shared cluster, without its requests, median", median(alone)),
            Figure("one more scenario on a shared cluster, without its requests, longest", max(alone), most=0.5),
        ]
    figures += [
        Figure("real time", real.seconds),
        Figure("real time, failed", len(real.all("guest failed")), "tests"),
    ]
    return section("All scenarios, one after the other", figures)


def _shared(run: Run) -> list[float]:
    """Wall seconds of each scenario that found a running cluster, less what its requests cost at the run's own rate."""
    tests, judged, finished = (run.all(f"guest {name}") for name in ("test", "judged", "finished"))
    walls, requests = [], []
    for number in range(1, len(finished)):
        if tests[number].details["cluster"] == tests[number - 1].details["cluster"]:
            walls.append(finished[number].at - finished[number - 1].at)
            requests.append(judged[number].details["requests"])
    rate = linear_regression(requests, walls).slope
    return [wall - rate * count for wall, count in zip(walls, requests, strict=True)]


def observation(run: Run) -> str:
    """Instants of events beside the kernel's instants of the frames that belong to them."""
    late = [max(0.0, seconds) * 1000 for seconds in run.evidence("late")]
    lags = [abs(seconds) * 1000 for seconds in run.evidence("lag")]
    return section(
        "Events beside the kernel's time stamps of frames, real time, all scenarios",
        [
            Figure(f"VIP's event after its first gratuitous ARP, median of {len(late)}", median(late), "ms"),
            Figure("VIP's event after its first gratuitous ARP, longest", max(late), "ms", most=2),
            Figure(f"request's event before its first packet, median of {len(lags)}", median(lags), "ms"),
            Figure("request's event before its first packet, longest", max(lags), "ms", most=2),
        ],
    )


def takeovers() -> str:
    """Takeovers beside the protocol's arithmetic, in runs of different seeds."""
    many = [
        runs.pytest("-k", FAILOVER, "--clock", "virtual", "--seed", str(seed), evidence=True).evidence("off")
        for seed in range(SEEDS)
    ]
    errors = [abs(seconds) * 1000 for run in many for seconds in run]
    spreads = [(max(same) - min(same)) * 1000 for same in zip(*many, strict=True)]
    return section(
        f"Takeovers beside the arithmetic, virtual time, {SEEDS} runs with seeds of their own",
        [
            Figure("takeovers", len(errors), ""),
            Figure("error, longest", max(errors), "ms", most=5),
            Figure("spread of the same takeover over all runs, widest", max(spreads), "ms", most=1),
        ],
    )


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


def measure(packaged: uml.Kernel, built: uml.Kernel | None) -> Iterator[str]:
    """The parts of the report, one after the other."""
    kernels = [kernel for kernel in (packaged, built) if kernel is not None]
    yield conditions(kernels)
    for kernel in kernels:
        yield machines(kernel)
    ways = {f"{kernel.release}, real time": ["--kernel", str(kernel.path), "--clock", "real"] for kernel in kernels}
    if built is not None:
        ways[f"{built.release}, virtual time"] = ["--kernel", str(built.path), "--clock", "virtual"]
    yield starts(ways)
    real = runs.pytest("--kernel", str(kernels[-1].path), "--clock", "real", evidence=True)
    virtual = runs.pytest("--clock", "virtual") if built is not None else None
    yield scenarios(virtual, real)
    yield observation(real)
    if built is not None:
        yield takeovers()
    else:
        yield "Virtual time was not measured: there is no kernel that has it yet; `make kernel` builds one.\n"


def main() -> None:
    """Print each part as soon as it is there; a figure that misses what is wanted is no error."""
    packaged, cached = uml.packaged(), cache.find()
    if packaged is None:
        raise HarnessError("no packaged kernel to measure: apt-get install user-mode-linux")
    parts = []
    for part in measure(packaged, uml.Kernel.at(cached.path) if cached else None):
        print(part, flush=True)
        parts.append(part)
    RESULTS.write_text("\n".join(parts), encoding="utf-8")


if __name__ == "__main__":
    try:
        main()
    except HarnessError as problem:
        sys.exit(f"bench: {problem}")
