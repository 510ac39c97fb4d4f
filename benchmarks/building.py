"""Machines and wires: the harness, ``ip -batch``, stock Mininet and munet, for few and many nodes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks import MUNET
from benchmarks.machines import HARNESS, IP_BATCH, MININET, PEER
from benchmarks.table import Figure, rows
from harness.errors import HarnessError
from harness.kernels import choice, memory, uml

ROUNDS = {5: 5, 50: 1, 500: 1}
"""How often each is made, by the number of nodes."""

MOST_OF_PEERS = 50
"""More nodes are made by the harness and by ``ip -batch`` only: the others take minutes."""


def table(kernel: uml.Kernel | None, sizes: tuple[int, ...]) -> str:
    """Seconds for each number of nodes, on an embedded kernel, or on this machine's own (None)."""
    head = ["", *(f"{size} nodes" for size in sizes), "wanted", ""]
    taken = {size: _measured(kernel, size) for size in sizes}
    body = [[way, *(_cell(taken[size], way) for size in sizes), "", ""] for way in (HARNESS, IP_BATCH, MININET, PEER)]
    body.append(_ratios("harness / ip -batch", taken, HARNESS, IP_BATCH, most=2))
    body.append(_ratios("stock Mininet / harness", taken, MININET, HARNESS, least=20 if kernel else None))
    if MUNET.is_dir():
        body.append(_ratios("munet / harness", taken, PEER, HARNESS))
    each = [median(taken[size][HARNESS]) / size for size in sizes]
    body.append(["harness, each node", *(f"{seconds * 1000:.1f} ms" for seconds in each), "", ""])
    where = f"kernel {kernel.release}" if kernel else "natively"
    counts = ", ".join(f"{ROUNDS[size]} for {size}" for size in sizes)
    return rows(f"Machines and wires of a farm, {where}, median of rounds ({counts})", head, body)


def _cell(taken: dict[str, list[float]], way: str) -> str:
    return f"{median(taken[way]):.3g} s" if way in taken else ""


def _ratios(
    what: str, taken: dict[int, dict[str, list[float]]], way: str, other: str, **wanted: float | None
) -> list[str]:
    """A row; what is wanted is so at every size."""
    figures = [
        Figure(what, median(seconds[way]) / median(seconds[other]), "x", **wanted)
        for seconds in taken.values()
        if way in seconds and other in seconds
    ]
    cells = [figure.cells[1] for figure in figures] + [""] * (len(taken) - len(figures))
    asked = figures[0].cells[2]
    met = "met" if all(figure.met for figure in figures) else "**missed**"
    return [what, *cells, asked, met if asked else ""]


def _measured(kernel: uml.Kernel | None, size: int) -> dict[str, list[float]]:
    """Way -> seconds of each round."""
    ways = [HARNESS, IP_BATCH]
    if size <= MOST_OF_PEERS:
        ways += [MININET, *([PEER] if MUNET.is_dir() else [])]
    with TemporaryDirectory(prefix="lvs-bench-") as folder:
        file = Path(folder, "seconds.json")
        arguments = [str(file), str(size), str(ROUNDS[size]), *ways]
        if kernel is None:
            argv = ["unshare", "--mount", "--net", sys.executable, "-m", "benchmarks.machines", *arguments]
            status = subprocess.run(argv, stdout=subprocess.DEVNULL).returncode
        else:
            room = memory.given(None, size)
            status = uml.run(
                kernel,
                "benchmarks.machines",
                arguments,
                writable=Path(folder),
                memory=room,
                environment={choice.GUEST: "real"},
            )
        if status:
            raise HarnessError(f"benchmarks.machines ended with {status} for {size} nodes")
        found: dict[str, list[float]] = json.loads(file.read_text())
        return found


def native() -> str:
    """The same on this machine's own kernel, which need not have IPVS for that."""
    if os.geteuid() != 0:
        return "## Machines and wires of a farm, natively\n\nNot measured: that takes root.\n"
    return table(None, (5, 50, 500))
