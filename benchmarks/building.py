"""Machines and wires: the harness, ``ip -batch``, stock Mininet and munet, for few and many
nodes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks import MUNET
from benchmarks.machines import HARNESS, IP_BATCH, MININET, PEER
from benchmarks.table import Figure, ratio, section
from harness.errors import HarnessError
from harness.kernels import choice
from harness.kernels.host import memory, uml

ROUNDS = {5: 5, 50: 3, 500: 2}
"""How often each is made, by the number of nodes."""

MOST_OF_PEERS = {"natively": 50, "embedded": 5}
"""More nodes are made by the harness and by ``ip -batch`` only: the others take minutes."""


def table(kernel: uml.Kernel | None, sizes: tuple[int, ...]) -> str:
    """Seconds for each number of nodes, on an embedded kernel, or on this machine's own (None)."""
    figures = []
    for size in sizes:
        taken = _measured(kernel, size)
        for way, seconds in taken.items():
            figures.append(Figure(f"{size} nodes, {way}", tuple(seconds)))
        figures.append(
            ratio(f"{size} nodes, harness / ip -batch", taken[HARNESS], taken[IP_BATCH], most=2)
        )
        if MININET in taken:
            least = 20 if kernel else None
            what = f"{size} nodes, stock Mininet / harness"
            figures.append(ratio(what, taken[MININET], taken[HARNESS], least=least))
        if PEER in taken:
            figures.append(ratio(f"{size} nodes, munet / harness", taken[PEER], taken[HARNESS]))
        each = tuple(1000 * seconds / size for seconds in taken[HARNESS])
        figures.append(Figure(f"{size} nodes, harness, each node", each, "ms"))
    where = f"kernel {kernel.release}" if kernel else "natively"
    return section(f"Machines and wires of a farm, {where}", figures)


def _measured(kernel: uml.Kernel | None, size: int) -> dict[str, list[float]]:
    """Way -> seconds of each round."""
    ways = [HARNESS, IP_BATCH]
    if size <= MOST_OF_PEERS["embedded" if kernel else "natively"]:
        ways += [MININET, *([PEER] if MUNET.is_dir() else [])]
    with TemporaryDirectory(prefix="lvs-bench-") as folder:
        file = Path(folder, "seconds.json")
        arguments = [str(file), str(size), str(ROUNDS[size]), *ways]
        if kernel is None:
            argv = [
                "unshare",
                "--mount",
                "--net",
                sys.executable,
                "-m",
                "benchmarks.machines",
                *arguments,
            ]
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
