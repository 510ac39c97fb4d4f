"""``lvs-harness up``: a cluster to look at and touch, without a test."""

from __future__ import annotations

import argparse
import ast
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from harness.errors import HarnessError
from harness.kernels import choice
from harness.kernels.host import memory
from harness.topology.named import FOLDER, all_of, known, load, topology_of

__all__ = ["FOLDER", "add", "all_of", "known", "load", "parameters_of", "topology_of"]


def add(commands: Any) -> None:
    """Declare the command."""
    up = commands.add_parser(
        "up", help="build a cluster and give its prompt: lvs-harness up director_pair"
    )
    up.add_argument(
        "topology", help=f"the name of one in {FOLDER}/, or a file that declares `topos`"
    )
    up.add_argument(
        "parameters",
        nargs="*",
        default=[],
        metavar="NAME=VALUE",
        help="of the topology: scheduler=wlc",
    )
    up.add_argument(
        "--kernel", default="auto", metavar="auto|native|uml|PATH", help="as for pytest"
    )
    up.add_argument("--clock", choices=choice.CLOCKS, default="auto", help="as for pytest")
    up.add_argument("--seed", type=int, default=0, help="as for pytest")
    up.add_argument("--memory", metavar="SIZE", help="as for pytest")
    up.add_argument("--quota", metavar="SIZE", help="as for pytest")
    up.add_argument(
        "--artifacts",
        type=Path,
        default=Path("artifacts"),
        help="folder for logs (default: %(default)s)",
    )
    up.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    topology, parameters = topology_of(options.topology), parameters_of(options.parameters)
    if choice.in_guest():
        return _up(topology, parameters, options.seed)
    from harness.report import artifacts
    from harness.spec import ClusterSpec

    checked = ClusterSpec(topology, parameters).plan(
        options.seed
    )  # what is wrong with it is told here, at once
    chosen = choice.choose(options.kernel, options.clock, options.seed)
    room, disk = memory.given(options.memory, len(checked.hosts)), memory.quota(options.quota)
    chosen = replace(chosen, memory=room, quota=disk)
    run = artifacts.new_run(options.artifacts)
    os.environ[choice.HEADER], os.environ[choice.RUN] = chosen.header, str(run.resolve())
    print(f"lvs-harness: {chosen.header}", flush=True)
    if chosen.embedded is None:
        return _up(topology, parameters, options.seed)
    return chosen.run("harness.cli", sys.argv[1:], run)


def parameters_of(words: list[str]) -> dict[str, Any]:
    """What words such as ``scheduler=wlc`` say: Python literals, or else text."""
    found = {}
    for word in words:
        name, equals, text = word.partition("=")
        if not equals or not name.isidentifier():
            raise HarnessError(f"{word}: parameters are given as NAME=VALUE: scheduler=wlc")
        try:
            found[name] = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            found[name] = text
    return found


def _up(topology: Any, parameters: dict[str, Any], seed: int) -> int:
    from harness.cluster_pool import Pool
    from harness.console import Console
    from harness.report.artifacts import new_folder
    from harness.report.evidence import Evidence
    from harness.spec import ClusterSpec

    run = Path(os.environ[choice.RUN])
    pool = Pool(run, choice.slack(), seed)
    spec = ClusterSpec(topology, parameters)
    name = spec.name
    try:
        print(f"building {name}...", flush=True)
        cluster = pool.get(spec)
        evidence = Evidence(
            new_folder(run, name), cluster, {"test": f"up {name}", "topology": name}
        )
        print("waiting for the election...", flush=True)
        cluster.settle()
        now = f"it is {cluster.timeline.now():.3f} s since the cluster was built"
        Console(cluster).run(f"{cluster.master.name} holds {cluster.vip}; {now}.")
        evidence.finish({"outcome": None}, keep="all")
    finally:
        pool.close()
    print(f"logs, capture and timeline: {os.path.relpath(run)}")
    return 0
