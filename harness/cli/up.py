"""``lvs-harness up``: a cluster to look at and touch, without a test."""

from __future__ import annotations

import argparse
import ast
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.check.configured import Configured
from harness.cli import chosen
from harness.errors import HarnessError
from harness.kernels import choice
from harness.kernels.host import boundary, memory
from harness.kernels.run import Run, entered
from harness.topology.named import FOLDER, all_of, known, load, topology_of

if TYPE_CHECKING:
    from harness.images.selection import Selection
    from harness.spec import ClusterSpec

__all__ = ["FOLDER", "add", "all_of", "known", "load", "parameters_of", "topology_of"]

_BESIDE_DIRECTORS = 8
"""Machines that configurations may need beside the directors, for what memory to give."""


def add(commands: Any) -> None:
    """Declare the command."""
    up = commands.add_parser(
        "up",
        help="build a cluster and give its prompt: lvs-harness up director_pair,"
        " or: lvs-harness up lb1.conf lb2.conf",
    )
    up.add_argument(
        "topology",
        metavar="TOPOLOGY|DIRECTOR.conf...",
        help=f"the name of one in {FOLDER}/, or a file that declares `topos`; or the"
        " keepalived.conf of each director",
    )
    up.add_argument(
        "parameters",
        nargs="*",
        default=[],
        metavar="NAME=VALUE",
        help="of the topology: scheduler=wlc",
    )
    chosen.declare(up)
    up.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help="as for check")
    up.add_argument("--trust", action="store_true", help="as for check")
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
    up.add_argument(
        "--web",
        action="store_true",
        help="serve the page of the cluster on 127.0.0.1 while it lives, with buttons for faults,"
        " and print its address",
    )
    up.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    if choice.in_guest():
        return _up_in_guest(options)
    from harness.images import program, selection
    from harness.live import living
    from harness.report import artifacts
    from harness.report.versions import commit

    chosen_images = _selection(options)
    for name in chosen_images.names if chosen_images else ():
        selection.make(name, lambda line: print(line, flush=True))
    spec = _spec(options)
    chosen = choice.choose(options.kernel, options.clock, options.seed)
    machines = _machines(spec, options.seed)
    _check_trust(spec, options, chosen.embedded is not None)
    room, disk = memory.given(options.memory, machines), memory.quota(options.quota)
    chosen = replace(chosen, memory=room, quota=disk)
    folder = artifacts.new_run(options.artifacts).resolve()
    run = Run(folder, chosen.header, program.commits())
    print(f"lvs-harness: {chosen.header}", flush=True)
    readable = [*_files(spec), *map(Path, chosen_images.names if chosen_images else ())]

    def carry() -> int:
        with living.announced(options.topology, folder):
            if chosen.embedded is None:
                return _up(spec, options, folder)
            return chosen.run("harness.cli", sys.argv[1:], run, readable=readable)

    about = {
        "kernel": chosen.header,
        "clock": "virtual" if chosen.virtual else "real",
        "seed": chosen.seed,
        "arguments": sys.argv[1:],
        "commit": commit(),
    }
    artifacts.update(folder / artifacts.RUN, about)
    status = _with_page(folder, carry) if options.web else carry()
    artifacts.update(folder / artifacts.RUN, {"status": status})
    return status


def _up_in_guest(options: argparse.Namespace) -> int:
    """The same, where the cluster is: the host has made the images and the run's folder."""
    from harness.images import program

    run = entered()
    assert run is not None
    program.remember(run.commits)
    return _up(_spec(options), options, run.folder)


def _with_page(run: Path, carry: Callable[[], int]) -> int:
    """Serve the page as long as the cluster lives; its buttons type at the prompt."""
    from harness.live import Served
    from harness.live.prompt import shared

    served = Served(run, prompt=True)
    try:
        print(f"lvs-harness: {served.url} (as long as the cluster lives)", flush=True)
        return shared(carry, served.commands)
    finally:
        served.close()


def _spec(options: argparse.Namespace) -> ClusterSpec:
    """The cluster that is wanted. HarnessError for what cannot be one."""
    from harness.check.files import settings_of
    from harness.spec import ClusterSpec

    given = [options.topology, *options.parameters]
    if not _is_configuration(options.topology):
        if options.set:
            raise HarnessError("--set corrects what is assumed of configurations; say NAME=VALUE")
        parameters = parameters_of(options.parameters)
        source: Any = topology_of(options.topology)
        return ClusterSpec(source, parameters, selection=_selection(options))
    source = Configured(*given, settings=settings_of(options.set))
    return ClusterSpec(source, selection=_selection(options))


def _is_configuration(name: str) -> bool:
    """Whether it is ``FILE.conf`` or ``DIRECTOR=FILE``, rather than a topology."""
    return name.endswith(".conf") or "=" in name


def _selection(options: argparse.Namespace) -> Selection | None:
    if not options.image and not options.keepalived:
        return None
    from harness.images.selection import Selection

    return Selection.of(options.image, options.keepalived)


def _machines(spec: ClusterSpec, seed: int) -> int:
    """How many machines it has; what is wrong with a topology is told here, at once."""
    if isinstance(spec.source, Configured):
        return len(spec.source.configurations) + _BESIDE_DIRECTORS
    return len(spec.plan(seed).hosts)


def _check_trust(spec: ClusterSpec, options: argparse.Namespace, embedded: bool) -> None:
    """HarnessError if configurations name scripts, and this machine cannot limit what they do."""
    missing = None if options.trust else boundary.lacking(embedded)
    programs = [*_programs(spec)]
    if missing is not None and programs and not boundary.agreed(missing):
        raise HarnessError(
            f"the configurations name scripts ({programs[0]}), and {missing}"
            " (docs/security.md): --trust runs them all the same"
        )


def _programs(spec: ClusterSpec) -> Iterator[str]:
    if isinstance(spec.source, Configured):
        for each in spec.source.configurations:
            yield from each.programs


def _files(spec: ClusterSpec) -> Iterator[Path]:
    """What of this machine's a cluster of configurations is made from: themselves, what lies beside
    them, and the programs that they name.
    """
    if not isinstance(spec.source, Configured):
        return
    for each in spec.source.configurations:
        yield each.origin.absolute()
        yield each.origin.absolute().parent
    for program in _programs(spec):
        if os.path.isfile(program) and os.access(program, os.X_OK):
            yield Path(program)


def parameters_of(words: Iterable[str]) -> dict[str, Any]:
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


def _up(spec: ClusterSpec, options: argparse.Namespace, run: Path) -> int:
    from harness.cluster_pool import Pool
    from harness.console import Console
    from harness.console.answering import Answering
    from harness.report.artifacts import new_folder
    from harness.report.evidence import Evidence

    pool = Pool(run, choice.slack(), options.seed)
    name = spec.name
    try:
        print(f"building {name}...", flush=True)
        cluster = pool.get(spec)
        folder = new_folder(run, name)
        evidence = Evidence(folder, cluster, {"test": f"up {name}", "topology": name})
        print("waiting for the election...", flush=True)
        try:
            cluster.settle()
            owners = " and ".join(cluster.owners()) or "nobody"
            stands = f"{owners} holds {cluster.vip}"
        except HarnessError as problem:  # which is what there is to look at
            stands = f"It does not settle: {problem}"
        now = f"it is {cluster.timeline.now():.3f} s since the cluster was built"
        console = Console(cluster, folder, spec.origin(options.topology))
        with Answering(console, cluster, run):
            console.run(f"{stands}; {now}.")
        evidence.finish({"outcome": None}, keep="all")
    finally:
        pool.close()
    print(f"logs, capture and timeline: {os.path.relpath(run)}")
    return 0
