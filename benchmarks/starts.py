"""How long it takes to begin: to the first test, to the first page through the VIP, and to all pages of a farm."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median

from benchmarks import runs
from benchmarks.runs import Run
from benchmarks.table import Figure, rows, section
from harness.images import selection
from harness.kernels import uml

STARTS = 3


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


def imaged(name: str) -> str:
    """From the start of pytest's process to the first test's first line, with an image that is cached and without."""
    ways = {"this machine's files": [], f"--image {name}": ["--image", name]}
    selection.make(name, lambda line: None)
    taken: dict[str, list[float]] = {way: [] for way in ways}
    for way, options in [*ways.items()] * STARTS:
        run = runs.pytest("-k", "ownership", "--clock", "virtual", *options, until="guest test")
        taken[way].append(run.first("guest test").at)
    figures = [Figure(way, median(each)) for way, each in taken.items()]
    later = figures[1].value - figures[0].value
    title = f"To the first test's first line with an image from the cache, virtual time, median of {STARTS}"
    return section(title, [*figures, Figure("later by", later, most=2)])


def first_page(packaged: uml.Kernel, built: uml.Kernel | None) -> str:
    """From the start of pytest's process to the first page through the VIP; two directors, two real servers."""
    ways = {f"{packaged.release}, real time": ["--kernel", str(packaged.path), "--clock", "real"]}
    if built is not None:
        ways[f"{built.release}, virtual time"] = ["--kernel", str(built.path), "--clock", "virtual"]
    figures = []
    for way, options in ways.items():
        taken, beyond = [], []
        for _ in range(STARTS):
            page = runs.pytest(*options, tests=["benchmarks/cases/test_first_page.py"]).first("guest judged")
            taken.append(page.at)
            beyond.append(page.at - page.details["waited"])
        if "virtual" in way:
            figures.append(Figure(f"{way}, median of {STARTS}", median(taken), most=2.5))
        else:
            figures.append(Figure(f"{way}, median of {STARTS}", median(taken)))
            figures.append(Figure(f"{way}, beyond what the election waits", median(beyond), most=4))
    return section("From nothing to the first page through the VIP, 2 + 2 machines and a client", figures)


def farms() -> str:
    """Two directors and many real servers, in virtual time, all healthy, each of which has answered."""
    figures = []
    for size, most, room in ((200, 60, 2), (500, None, None)):
        run = runs.pytest(
            "-k", f"of_{size}", "--clock", "virtual", "--watchdog", "300", tests=["benchmarks/cases/test_farm.py"]
        )
        failed = len(run.all("guest failed")) + (not run.all("guest judged"))
        figures += [
            Figure(f"{size} real servers, from nothing to an answer of each", run.seconds, most=most),
            Figure(f"{size} real servers, failed", failed, "", most=0),
            Figure(f"{size} real servers, the kernel's memory, peak", run.memory / (1 << 30), "GiB", most=room),
        ]
    return section("Farms, virtual time", figures)
