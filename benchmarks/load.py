"""Requests: whether any is lost, what each costs, and how many a director carries."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from statistics import median

from benchmarks import runs
from benchmarks.table import Figure, ratio, section
from harness.errors import HarnessError
from harness.kernels.host import uml

CASES = "benchmarks/cases/test_load.py"


ROUNDS = 3
DROPPED = "frames and packets that the kernel's counters say were dropped"


def paced() -> str:
    """1,000 requests a second in virtual time."""
    virtual = ("-k", "paced", "--clock", "virtual")
    many = [runs.pytest(*virtual, tests=[CASES]) for _ in range(ROUNDS)]
    told = [run.first("guest judged").details for run in many]
    each = []
    for run, said in zip(many, told, strict=True):
        took = run.first("guest loaded").at - run.first("guest load").at
        each.append(took / said["requests"] * 1000)
    return section(
        "1,000 paced requests a second, each recorded, virtual time",
        [
            Figure.count("requests, fewest", min(said["requests"] for said in told), least=3000),
            Figure.count(DROPPED, sum(said["dropped"] for said in told), most=0),
            Figure("wall time, each request", tuple(each), "ms"),
        ],
    )


def spaced(kernels: list[uml.Kernel]) -> str:
    """How far apart two requests are, which is what an outage is known to: 200 a second in real
    time.
    """
    figures = []
    for kernel in kernels:
        options = [
            "-k",
            "spaced",
            "--clock",
            "real",
            "--kernel",
            str(kernel.path),
            "--allow-inconclusive",
        ]
        many = [runs.pytest(*options, tests=[CASES]) for _ in range(ROUNDS)]
        told = [run.first("guest spaced").details for run in many]
        longest = tuple(said["longest"] * 1000 for said in told)
        middle = tuple(said["median"] * 1000 for said in told)
        figures += [
            Figure(f"{kernel.release}, longest time between two requests", longest, "ms", most=5),
            Figure(f"{kernel.release}, median", middle, "ms"),
            Figure.count(
                f"{kernel.release}, frames dropped", sum(said["dropped"] for said in told), most=0
            ),
        ]
    return section("200 paced requests a second, each recorded, real time", figures)


def natively() -> str:
    """1,000 requests a second on this machine's own kernel, which need not have IPVS for that."""
    title = "1,000 paced requests a second, each recorded, natively, straight to a web server"
    if os.geteuid() != 0:
        return f"## {title}\n\nNot measured: that takes root.\n"
    argv = [sys.executable, "-m", "benchmarks.direct", "1000"]
    told = []
    for _ in range(ROUNDS):
        done = subprocess.run(argv, cwd=runs.ROOT, stdout=subprocess.PIPE, check=True)
        told.append(json.loads(done.stdout))
    gaps = {
        name: tuple(said[name] * 1000 for said in told) for name in ("median", "most", "longest")
    }
    return section(
        title,
        [
            Figure.count("requests, fewest", min(said["requests"] for said in told), least=3000),
            Figure.count(DROPPED, sum(said["dropped"] for said in told), most=0),
            Figure("time between two requests, median", gaps["median"], "ms"),
            Figure("time between two requests, 99 of 100", gaps["most"], "ms"),
            Figure(
                "longest time between two requests, to which an outage is known",
                gaps["longest"],
                "ms",
                most=1,
            ),
        ],
    )


def saturated(kernel: uml.Kernel) -> str:
    """As many as come back, in real time: wrk through the VIP, and straight to one real server."""
    options = ["-k", "saturated", "--clock", "real", "--kernel", str(kernel.path)]
    run = runs.pytest(*options, "--allow-inconclusive", tests=[CASES])
    told = [mark.details for mark in run.all("guest rate")]
    rates = {
        way: tuple(said["rate"] for said in told if said["way"] == way) for way in ("VIP", "RIP")
    }
    if not all(rates.values()):
        raise HarnessError(f"wrk told no rate:\n{run.output}")
    return section(
        f"wrk with 4 connections in the guest, kernel {kernel.release}, real time",
        [
            Figure("through the director", rates["VIP"], "requests/s"),
            Figure("straight to a real server, no IPVS", rates["RIP"], "requests/s"),
            ratio("through the director / straight", rates["VIP"], rates["RIP"]),
            Figure.count("requests that failed", sum(said["wrong"] for said in told)),
        ],
    )


def cost() -> str:
    """What one request costs the client's side, in the guest, in real time: processor time of its
    process.
    """
    run = runs.pytest("-k", "cost", "--clock", "real", tests=[CASES])
    marks = run.all("guest cost")
    if not marks:
        raise HarnessError(f"the guest told no cost:\n{run.output}")
    tick = marks[0].details["resolution"] * 1000
    spent: dict[str, list[float]] = {}
    for mark in marks:
        spent.setdefault(mark.details["client"], []).append(mark.details["seconds"] * 1000)
    figures = [Figure(client, tuple(each), "ms", resolution=tick) for client, each in spent.items()]
    bare, paced = (
        spent.pop(name) for name in ("socket, connect, send, recv, close", "paced client")
    )
    if median(paced) >= tick:  # otherwise a ratio of it says nothing
        for other, each in spent.items():
            figures.append(ratio(f"paced client / {other}", paced, each, most=0.1))
    for other, each in spent.items():
        figures.append(ratio(f"the bare system calls / {other}", bare, each))
    return section(
        "Processor time that a request costs its client, in the guest, real time", figures
    )
