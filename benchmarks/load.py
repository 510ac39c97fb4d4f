"""Requests: whether any is lost, what each costs, and how many a director carries."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from statistics import median

from benchmarks import runs
from benchmarks.table import Figure, section
from harness.kernels import uml

CASES = "benchmarks/cases/test_load.py"


def paced() -> str:
    """1,000 requests a second in virtual time."""
    run = runs.pytest("-k", "paced", "--clock", "virtual", tests=[CASES])
    told, took = run.first("guest judged").details, run.first("guest loaded").at - run.first("guest load").at
    return section(
        "1,000 paced requests a second, each recorded, virtual time",
        [
            Figure("requests", told["requests"], "", least=3000),
            Figure("frames and packets that the kernel's counters say were dropped", told["dropped"], "", most=0),
            Figure("wall time, each request", took / told["requests"] * 1000, "ms"),
        ],
    )


def spaced(kernels: list[uml.Kernel]) -> str:
    """How far apart two requests are, which is what an outage is known to: 200 a second in real time."""
    figures = []
    for kernel in kernels:
        run = runs.pytest(
            "-k", "spaced", "--clock", "real", "--kernel", str(kernel.path), "--allow-inconclusive", tests=[CASES]
        )
        told = run.first("guest spaced").details
        figures += [
            Figure(f"{kernel.release}, longest time between two requests", told["longest"] * 1000, "ms", most=5),
            Figure(f"{kernel.release}, median", told["median"] * 1000, "ms"),
            Figure(f"{kernel.release}, frames dropped", told["dropped"], "", most=0),
        ]
    return section("200 paced requests a second, each recorded, real time", figures)


def natively() -> str:
    """1,000 requests a second on this machine's own kernel, which need not have IPVS for that."""
    title = "1,000 paced requests a second, each recorded, natively, straight to a web server"
    if os.geteuid() != 0:
        return f"## {title}\n\nNot measured: that takes root.\n"
    argv = [sys.executable, "-m", "benchmarks.direct", "1000"]
    told = json.loads(subprocess.run(argv, cwd=runs.ROOT, stdout=subprocess.PIPE, check=True).stdout)
    return section(
        title,
        [
            Figure("requests", told["requests"], "", least=3000),
            Figure("frames and packets that the kernel's counters say were dropped", told["dropped"], "", most=0),
            Figure("time between two requests, median", told["median"] * 1000, "ms"),
            Figure("time between two requests, 99 of 100", told["most"] * 1000, "ms"),
            Figure(
                "longest time between two requests, to which an outage is known", told["longest"] * 1000, "ms", most=1
            ),
        ],
    )


def saturated(packaged: uml.Kernel) -> str:
    """As many as come back, in real time: wrk through the VIP, and straight to one real server."""
    run = runs.pytest(
        "-k", "saturated", "--clock", "real", "--kernel", str(packaged.path), "--allow-inconclusive", tests=[CASES]
    )
    told = [mark.details for mark in run.all("guest rate")]
    through, past = (median(each["rate"] for each in told if each["way"] == way) for way in ("VIP", "RIP"))
    wrong = sum(each["wrong"] for each in told)
    return section(
        f"wrk with 4 connections in the guest, kernel {packaged.release}, real time, median of 3",
        [
            Figure("through the director", through, "requests/s"),
            Figure("straight to a real server, no IPVS", past, "requests/s"),
            Figure("through the director / straight", through / past, "x"),
            Figure("requests that failed", wrong, ""),
        ],
    )


def cost() -> str:
    """What one request costs the client's side, in the guest, in real time: processor time of its process."""
    run = runs.pytest("-k", "cost", "--clock", "real", tests=[CASES])
    each = {mark.details["client"]: mark.details["seconds"] * 1000 for mark in run.all("guest cost")}
    figures = [Figure(client, milliseconds, "ms") for client, milliseconds in each.items()]
    bare, paced = (each.pop(name) for name in ("socket, connect, send, recv, close", "paced client"))
    for other, milliseconds in each.items():
        figures.append(Figure(f"paced client / {other}", paced / milliseconds, "x", most=0.1))
        figures.append(Figure(f"the bare system calls / {other}", bare / milliseconds, "x"))
    return section("Processor time that a request costs its client, in the guest, real time", figures)
