"""The scenarios as a whole: how long they take, where that goes, and how true their instants are."""

from __future__ import annotations

from statistics import linear_regression, median

from benchmarks import runs
from benchmarks.runs import Run
from benchmarks.table import Figure, rows, section

SEEDS = 10
FAILOVER = "failover_to_the_backup"
CORE = [f"scenarios/test_{name}.py" for name in ("ownership", "forwarding", "arp", "failover", "maintenance")]
"""The files that are run in real time too: 3 to 4 minutes, where all of them take half an hour."""


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
        Figure("real time, the core files only", real.seconds),
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
        "Events beside the kernel's time stamps of frames, real time, the core scenarios",
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


def parallel(alone: Run) -> str:
    """All scenarios by two workers, beside the same one after the other."""
    together = runs.pytest("--clock", "virtual", "-n", "2")
    tests = len(alone.all("guest finished"))
    return section(
        "All scenarios, virtual time, by two workers",
        [
            Figure("-n 2", together.seconds),
            Figure("-n 2, failed", len(together.all("host failed")), "tests"),
            Figure("one after the other / -n 2", alone.seconds / together.seconds, "x", least=1.8),
            Figure("-n 2, for 120 of its scenarios", together.seconds * 120 / tests, most=150),
        ],
    )


def profile(run: Run) -> str:
    """Where the wall time of a run of all scenarios goes, one after the other, in virtual time."""
    tests, judged, finished = (run.all(f"guest {name}") for name in ("test", "judged", "finished"))
    imported, collected = run.first("guest imported").at, run.first("guest collected").at
    parts = {
        "pytest on the host, kernel, interpreter, imports": imported,
        "collecting": collected - imported,
        "new clusters: machines, wires, daemons, the old one's end": 0.0,
        "from scenario to scenario on a cluster: is it well?": 0.0,
        "scenarios: waiting, and judging": sum(end.at - begin.at for begin, end in zip(tests, judged, strict=True)),
        "after a scenario: what is kept": sum(end.at - said.at for said, end in zip(judged, finished, strict=True)),
        "the end: the last cluster, the report": run.seconds - finished[-1].at,
    }
    before, shared = collected, None
    for test, end in zip(tests, finished, strict=True):
        same = test.details["cluster"] == shared
        parts[[*parts][3 if same else 2]] += test.at - before
        before, shared = end.at, test.details["cluster"]
    body = [[part, f"{seconds:.1f} s", f"{100 * seconds / run.seconds:.0f} %"] for part, seconds in parts.items()]
    return rows("Where the wall time of all scenarios goes, virtual time", ["", "measured", "share"], body)
