"""``lvs-harness up``: a cluster to look at and touch, without a test."""

from __future__ import annotations

import argparse
import ast
import importlib
import importlib.util
import os
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

from harness import installed
from harness.errors import HarnessError
from harness.kernels import choice, memory

FOLDER = installed.TOPOLOGIES


def add(commands: Any) -> None:
    """Declare the command."""
    up = commands.add_parser("up", help="build a cluster and give its prompt: lvs-harness up director_pair")
    up.add_argument("topology", help=f"the name of one in {FOLDER}/, or a file that declares `topos`")
    up.add_argument("parameters", nargs="*", default=[], metavar="NAME=VALUE", help="of the topology: scheduler=wlc")
    up.add_argument("--kernel", default="auto", metavar="auto|native|uml|PATH", help="as for pytest")
    up.add_argument("--clock", choices=choice.CLOCKS, default="auto", help="as for pytest")
    up.add_argument("--seed", type=int, default=0, help="as for pytest")
    up.add_argument("--memory", metavar="SIZE", help="as for pytest")
    up.add_argument("--quota", metavar="SIZE", help="as for pytest")
    up.add_argument("--artifacts", type=Path, default=Path("artifacts"), help="folder for logs (default: %(default)s)")
    up.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    topology, parameters = topology_of(options.topology), parameters_of(options.parameters)
    if choice.in_guest():
        return _up(topology, parameters, options.seed)
    from harness.pool import planned
    from harness.report import artifacts

    checked = planned(topology, parameters, options.seed)  # what is wrong with it is told here, at once
    chosen = choice.choose(options.kernel, options.clock, options.seed)
    room, disk = memory.given(options.memory, len(checked.hosts)), memory.quota(options.quota)
    chosen = replace(chosen, memory=room, quota=disk)
    run = artifacts.new_run(options.artifacts)
    os.environ[choice.HEADER], os.environ[choice.RUN] = chosen.header, str(run.resolve())
    print(f"lvs-harness: {chosen.header}", flush=True)
    if chosen.embedded is None:
        return _up(topology, parameters, options.seed)
    return chosen.run("harness.cli", sys.argv[1:], run)


def topology_of(name: str) -> Any:
    """The topology of a name, of a file, or of one that declares several: ``forwarding:two_lans``.

    HarnessError if there is none.
    """
    place, _, wanted = name.partition(":")
    topos = all_of(place)
    wanted = wanted or Path(place).stem
    if wanted in topos:
        return topos[wanted]
    if len(topos) > 1 or ":" in name:
        names = ", ".join(f"{place}:{each}" for each in topos)
        raise HarnessError(f"{name} is none of the topologies there, which are: {names}")
    return next(iter(topos.values()))


def all_of(name: str) -> dict[str, Any]:
    """All topologies that a file declares, by name. HarnessError if it declares none."""
    topos = getattr(load(name), "topos", None)
    if not isinstance(topos, dict) or not topos:
        raise HarnessError(f"{name} declares no topology: it lacks a line like topos = {{'mine': Mine}}")
    return topos


def load(name: str) -> ModuleType:
    """The module of a topology: of its name in ``topologies/``, here or as shipped, or a file.

    HarnessError if there is none.
    """
    sys.path.insert(0, os.getcwd())
    installed.make_importable()
    try:
        if not name.endswith(".py"):
            importlib.import_module(FOLDER).__path__ = [str(folder) for folder in _folders()]
            return importlib.import_module(f"{FOLDER}.{name}")
        specification = importlib.util.spec_from_file_location(Path(name).stem, name)
        assert specification is not None
        assert specification.loader is not None
        module = importlib.util.module_from_spec(specification)
        specification.loader.exec_module(module)
        return module
    except FileNotFoundError:
        raise HarnessError(f"there is no file {name}") from None
    except ModuleNotFoundError as problem:
        if not (problem.name or "").startswith(FOLDER):
            raise HarnessError(f"{name}: {problem}") from None
        raise HarnessError(
            f"there is no topology {name}; there are: {', '.join(known())}; or name a file, {name}.py"
        ) from None
    except SyntaxError as problem:
        raise HarnessError(f"{problem.filename}:{problem.lineno}: {problem.msg}") from None


def known() -> list[str]:
    """The names of the topologies that there are, in ``./topologies/`` and as shipped."""
    return sorted({path.stem for folder in _folders() for path in folder.glob("[!_]*.py")})


def _folders() -> list[Path]:
    """Where topologies are looked for: the user's own first."""
    return [Path.cwd() / FOLDER, installed.home() / FOLDER]


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
    from harness.console import Console
    from harness.pool import Pool
    from harness.report.artifacts import new_folder
    from harness.report.evidence import Evidence

    run = Path(os.environ[choice.RUN])
    pool = Pool(run, choice.slack(), seed)
    name = getattr(topology, "__name__", "topology")
    try:
        print(f"building {name}...", flush=True)
        cluster = pool.get(topology, parameters, fresh=False)
        evidence = Evidence(new_folder(run, name), cluster, {"test": f"up {name}", "topology": name})
        print("waiting for the election...", flush=True)
        cluster.wait_settled()
        now = f"it is {cluster.timeline.now():.3f} s since the cluster was built"
        Console(cluster).run(f"{cluster.master.name} holds {cluster.vip}; {now}.")
        evidence.finish({"outcome": None}, keep="all")
    finally:
        pool.close()
    print(f"logs, capture and timeline: {os.path.relpath(run)}")
    return 0
