"""The scenarios as a whole: how long they take, where that goes, and how true their instants
are.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import linear_regression
from tempfile import TemporaryDirectory

from benchmarks import pages, runs
from benchmarks.runs import Run
from benchmarks.table import Figure, ratio, rows, section, short
from harness.errors import HarnessError

SEEDS = 6
ROUNDS = 3
SEQUENCES = 500
"""Of a search, in two parts of the same size."""
ROUNDS_CASE = "benchmarks/cases/test_rounds.py"
ROUNDS_THEN = 240
"""Rounds a minute on the machine for which 300 sequences a minute were asked."""
FAILOVER = "failover_to_the_backup"
CORE = [
    f"scenarios/test_{name}.py"
    for name in ("ownership", "forwarding", "arp", "failover", "maintenance")
]
"""What is run several times, where all scenarios would take too long."""
SOME = [f"scenarios/test_{name}.py" for name in ("ownership", "maintenance", "arp")]
"""What is run many times."""


def core() -> list[tuple[Run, Run]]:
    """The core files, one after the other and by two workers, by turns."""
    virtual = ("--clock", "virtual")
    return [
        (runs.pytest(*virtual, tests=CORE), runs.pytest(*virtual, "-n", "2", tests=CORE))
        for _ in range(ROUNDS)
    ]


def parallel(pairs: Sequence[tuple[Run, Run]]) -> str:
    """The core files by two workers, beside the same one after the other."""
    alone = [one.seconds for one, _ in pairs]
    together = [both.seconds for _, both in pairs]
    simulated = [one.first("guest ended").details["clock"] / one.seconds for one, _ in pairs]
    failed = sum(len(one.all("guest failed")) + len(both.all("host failed")) for one, both in pairs)
    return section(
        "The core files, virtual time, one after the other and by two workers",
        [
            Figure("one after the other", tuple(alone)),
            Figure("simulated in a second", tuple(simulated), least=10),
            Figure("-n 2", tuple(together)),
            ratio("one after the other / -n 2", alone, together, least=1.8),
            Figure.count("failed", failed, "tests", most=0),
        ],
    )


def whole() -> str:
    """All scenarios by two workers, once, and the page that shows them: nothing is wanted of their
    time.
    """
    with TemporaryDirectory(prefix="lvs-bench-") as artifacts:
        run = runs.pytest("--clock", "virtual", "-n", "2", kept=Path(artifacts))
        shown = pages.figures(Path(artifacts))
    return section(
        "All scenarios, virtual time, by two workers",
        [
            Figure("from pytest's start to its end", (run.seconds,)),
            Figure.count(
                "scenarios", len({mark.details["name"] for mark in run.all("host finished")})
            ),
            Figure.count("failed", len(run.all("host failed")), "tests", most=0),
            *shown,
        ],
    )


def search() -> str:
    """Random sequences on a pair of directors by two workers, from pytest's start to its end.

    Beside them, by one worker, the same number of faults that nobody draws and nobody judges: an
    older measurement of that is what 300 sequences a minute were derived from, and the ratio of
    the two says on any machine what a search costs beyond what its clusters do. Both are measured
    by turns, so that a disturbance of the machine meets both.
    """
    what = ("--searched", "director_pair", "--examples", str(SEQUENCES))
    searches, rates, plain_rates = [], [], []
    for _ in range(ROUNDS):
        run = runs.pytest("--clock", "virtual", "-n", "2", *what, tests=["scenarios/search"])
        searches.append(run)
        rates.append(60 * SEQUENCES / run.seconds)
        plain = runs.pytest("--clock", "virtual", tests=[ROUNDS_CASE]).all("guest round")
        plain_rates.append(60 * (len(plain) - 1) / (plain[-1].at - plain[0].at))
    failed = sum(len(run.all("host failed")) for run in searches)
    return section(
        f"{SEQUENCES} random sequences on director_pair, virtual time, by two workers",
        [
            Figure("from pytest's start to its end", tuple(run.seconds for run in searches)),
            Figure("sequences a minute", tuple(rates), "", least=300),
            Figure(
                "rounds of three faults a minute, not judged, by one worker",
                tuple(plain_rates),
                "",
            ),
            ratio("sequences / rounds", rates, plain_rates, least=300 / ROUNDS_THEN),
            Figure.count("parts in which something was found", failed, "", most=0),
        ],
    )


def shared(pairs: Sequence[tuple[Run, Run]]) -> str:
    """What one more scenario costs on a cluster that runs already."""
    alone: list[float] = []
    for run, _ in pairs:
        alone += _shared(run)
    most = max(alone)
    return section(
        "One more scenario on a shared cluster, without its requests, virtual time",
        [
            Figure("wall time", tuple(alone)),
            Figure("longest of each round", tuple(max(_shared(run)) for run, _ in pairs), most=0.5),
            Figure.count("scenarios that took more than 0.5 s", sum(each > 0.5 for each in alone)),
        ],
    ) + (f"\nThe longest of all took {short(most)} s.\n" if most > 0.5 else "")


def _shared(run: Run) -> list[float]:
    """Wall seconds of each scenario that found a running cluster, less what its requests cost at
    the run's own rate.
    """
    tests, judged, finished = (run.all(f"guest {name}") for name in ("test", "judged", "finished"))
    walls, requests = [], []
    for number in range(1, len(finished)):
        if tests[number].details["cluster"] == tests[number - 1].details["cluster"]:
            walls.append(finished[number].at - finished[number - 1].at)
            requests.append(judged[number].details["requests"])
    rate = linear_regression(requests, walls).slope
    return [wall - rate * count for wall, count in zip(walls, requests, strict=True)]


def observation(kernel: str) -> str:
    """Instants of events beside the kernel's instants of the frames that belong to them."""
    real = ("--kernel", kernel, "--clock", "real", "-k", FAILOVER, "--allow-inconclusive")
    run = runs.pytest(*real, evidence=True)
    late = tuple(max(0.0, seconds) * 1000 for seconds in run.evidence("late"))
    lags = tuple(abs(seconds) * 1000 for seconds in run.evidence("lag"))
    if not late or not lags:
        raise HarnessError(f"no takeover and no request was compared:\n{run.output}")
    return section(
        "Events beside the kernel's time stamps of frames, real time, the failover to the backup",
        [
            Figure("VIP's event after its first gratuitous ARP", late, "ms"),
            Figure.count("later than 2 ms", sum(each > 2 for each in late), "takeovers", most=0),
            Figure("request's event before its first packet", lags, "ms"),
            Figure.count("more than 2 ms off", sum(each > 2 for each in lags), "requests", most=0),
        ],
    )


def takeovers() -> str:
    """Takeovers beside the protocol's arithmetic, in runs of different seeds."""
    many = []
    for seed in range(SEEDS):
        options = ("-k", FAILOVER, "--clock", "virtual", "--seed", str(seed))
        many.append(runs.pytest(*options, evidence=True).evidence("off"))
    errors = [abs(seconds) * 1000 for run in many for seconds in run]
    spreads = [(max(same) - min(same)) * 1000 for same in zip(*many, strict=True)]
    return section(
        f"Takeovers beside the arithmetic, virtual time, {SEEDS} runs with seeds of their own",
        [
            Figure.count("takeovers", len(errors)),
            Figure("error", tuple(errors), "ms", most=5),
            Figure("spread of the same takeover over all runs", tuple(spreads), "ms", most=1),
        ],
    )


_STARTED = "pytest on the host, kernel, interpreter, imports"
_COLLECTED = "collecting"
_NEW = "new clusters: machines, wires, daemons, the old one's end"
_BETWEEN = "from scenario to scenario on a cluster: is it well?"
_SCENARIOS = "scenarios: waiting, and judging"
_KEPT = "after a scenario: what is kept"
_END = "the end: the last cluster, the report"


def profile(pairs: Sequence[tuple[Run, Run]]) -> str:
    """Where the wall time of a run goes, one scenario after the other, in virtual time."""
    many = [_parts(run) for run, _ in pairs]
    body = []
    for part in many[0]:
        figure = Figure(part, tuple(parts[part] for parts in many))
        share = sum(parts[part] for parts in many) / sum(run.seconds for run, _ in pairs)
        body.append([*figure.cells[:3], f"{100 * share:.0f} %"])
    return rows(
        "Where the wall time of the core files goes, virtual time",
        ["", "median", "spread", "share"],
        body,
    )


def _parts(run: Run) -> dict[str, float]:
    """The seconds of each part of a run."""
    tests, judged, finished = (run.all(f"guest {name}") for name in ("test", "judged", "finished"))
    imported, collected = run.first("guest imported").at, run.first("guest collected").at
    parts = {_STARTED: imported, _COLLECTED: collected - imported}
    parts |= dict.fromkeys((_NEW, _BETWEEN, _SCENARIOS, _KEPT), 0.0)
    before, cluster = collected, None
    for test, verdict, end in zip(tests, judged, finished, strict=True):
        way = _BETWEEN if test.details["cluster"] == cluster else _NEW
        parts[way] += test.at - before
        parts[_SCENARIOS] += verdict.at - test.at
        parts[_KEPT] += end.at - verdict.at
        before, cluster = end.at, test.details["cluster"]
    parts[_END] = run.seconds - finished[-1].at
    return parts
