"""How long it takes to begin: to the first test, to the first page through the VIP, and to all
pages of a farm.
"""

from __future__ import annotations

from benchmarks import runs
from benchmarks.runs import Run
from benchmarks.table import Figure, section
from harness.images import selection

STARTS = 3


def starts(ways: dict[str, list[str]]) -> str:
    """From the start of pytest's process to the first test's first line, and what it is made of."""
    taken: dict[str, list[dict[str, float]]] = {way: [] for way in ways}
    for way, options in [*ways.items()] * STARTS:
        taken[way].append(_phases(runs.pytest("-k", "ownership", *options, until="guest test")))
    figures = []
    for way, many in taken.items():
        wanted, most = (_IN_GUEST, 3.0) if "virtual" in way else (_ALL, 6.0)
        for name in many[0]:
            values = tuple(run[name] for run in many)
            figures.append(Figure(f"{way}: {name}", values, most=most if name == wanted else None))
    return section("From `pytest scenarios/ -k ownership` to the first test's first line", figures)


_ALL, _IN_GUEST = "**all**", "from the guest's start on"


def _phases(run: Run) -> dict[str, float]:
    """Seconds of each phase. What only the guest could time is left out where its clock is
    virtual.
    """
    looked, imported, test = (
        run.first("host collected"),
        run.first("guest imported"),
        run.first("guest test"),
    )
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
    """From the start of pytest's process to the first test's first line, with an image that is
    cached and without.
    """
    ways = {"this machine's files": [], f"--image {name}": ["--image", name]}
    selection.make(name, lambda line: None)
    taken: dict[str, list[float]] = {way: [] for way in ways}
    for way, options in [*ways.items()] * STARTS:
        run = runs.pytest("-k", "ownership", "--clock", "virtual", *options, until="guest test")
        taken[way].append(run.first("guest test").at)
    figures = [Figure(way, tuple(each)) for way, each in taken.items()]
    without, with_image = taken.values()
    later = tuple(one - other for one, other in zip(with_image, without, strict=True))
    noise = max(without) - min(without)
    title = "To the first test's first line with an image from the cache, virtual time"
    return section(title, [*figures, Figure("later by", later, most=2, resolution=noise)])


def first_page(ways: dict[str, list[str]]) -> str:
    """From the start of pytest's process to the first page through the VIP; two directors, two real
    servers.
    """
    figures = []
    for way, options in ways.items():
        taken, beyond = [], []
        for _ in range(STARTS):
            page = runs.pytest(*options, tests=["benchmarks/cases/test_first_page.py"]).first(
                "guest judged"
            )
            taken.append(page.at)
            beyond.append(page.at - page.details["waited"])
        virtual = "virtual" in way
        figures.append(Figure(way, tuple(taken), most=2.5 if virtual else None))
        if not virtual:
            figures.append(Figure(f"{way}, beyond what the election waits", tuple(beyond), most=4))
    return section(
        "From nothing to the first page through the VIP, 2 + 2 machines and a client", figures
    )


FARMS = {200: 2, 500: 1}
"""How often a farm of so many real servers is made."""


def farms() -> str:
    """Two directors and many real servers, in virtual time, all healthy, each of which has
    answered.
    """
    figures = []
    for size, rounds in FARMS.items():
        options = ["-k", f"of_{size}", "--clock", "virtual", "--watchdog", "300"]
        many = [
            runs.pytest(*options, tests=["benchmarks/cases/test_farm.py"]) for _ in range(rounds)
        ]
        failed = sum(len(run.all("guest failed")) + (not run.all("guest judged")) for run in many)
        bounded = rounds > 1
        memory = tuple(run.memory / (1 << 30) for run in many)
        figures += [
            Figure(
                f"{size} real servers, from nothing to an answer of each",
                tuple(run.seconds for run in many),
                most=60 if bounded else None,
            ),
            Figure.count(f"{size} real servers, failed", failed, most=0),
            Figure(
                f"{size} real servers, the kernel's memory, peak",
                memory,
                "GiB",
                most=2 if bounded else None,
            ),
        ]
    return section("Farms, virtual time", figures)
