"""``lvs-harness search``: failures that nobody wrote a scenario for, found by random sequences on
real daemons.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

from harness import installed
from harness.cli import chosen
from harness.cli.check import PYTEST, UNUSABLE
from harness.errors import HarnessError
from harness.topology.named import topology_of

SEARCH = "search"
"""The folder of the scenario that searches, below ``scenarios/``."""
MOST = 1_000_000


def add(commands: Any) -> None:
    """Declare the command."""
    search = commands.add_parser(
        "search",
        help="try random sequences of faults and deeds on a cluster, and say what breaks",
        usage="lvs-harness search [--examples N] [--minutes M] [--seed S] [--without"
        " DEED]... [--against IMAGE] [--versions IMAGE,...]"
        " [--corpus FILE] [--set KEY=VALUE]... [--image IMAGE] [--keepalived PATH]"
        " TOPOLOGY | [NAME=]FILE... [-- PYTEST OPTIONS]",
        description="What is found is repeated, made small, and left as a scenario that"
        " fails, with a text for a"
        " tracker, below the run's folder in artifacts/.",
        epilog="What follows -- is for pytest: -- -n 2 --matrix keepalived=bookworm,sid",
    )
    about = "a topology, by name or file, or a director's keepalived.conf each"
    search.add_argument("searched", nargs="+", metavar="TOPOLOGY|FILE", help=about)
    search.add_argument(
        "--examples", type=int, default=200, metavar="N", help="sequences to try (%(default)s)"
    )
    about = "begin no sequence later than after so many minutes (default: no limit)"
    search.add_argument("--minutes", type=float, metavar="M", help=about)
    search.add_argument(
        "--seed", type=int, default=0, help="others for each seed, and the same for the same"
    )
    search.add_argument(
        "--without", action="append", default=[], metavar="DEED", help="leave out a kind of deed"
    )
    about = "ask no invariant, but where directors of this release behave differently: sid"
    search.add_argument("--against", metavar="IMAGE", help=about)
    about = "say which of these have what is found: bullseye,bookworm,trixie,sid"
    search.add_argument("--versions", metavar="IMAGE,...", help=about)
    about = "begin from the sequences in this file, and add those that led to new states"
    search.add_argument("--corpus", metavar="FILE", help=about)
    search.add_argument(
        "--set", action="append", default=[], metavar="KEY=VALUE", help="as for check"
    )
    chosen.declare(search)
    search.set_defaults(run=_run, passes=True)


def _run(options: argparse.Namespace) -> int:
    from harness.search import kinds

    try:
        kinds.ensure_known(options.without)
        arguments = _where(options.searched, options.set)
        if not 1 <= options.examples <= MOST:
            raise HarnessError(
                f"--examples {options.examples}: give the number of sequences, 1 to {MOST}"
            )
        if options.minutes is not None and not options.minutes > 0:
            raise HarnessError(
                f"--minutes {options.minutes:g}: give the minutes that it may take, more than 0"
            )
    except HarnessError as problem:
        print(f"lvs-harness: {problem}", file=sys.stderr)
        return UNUSABLE
    arguments += [f"--examples={options.examples}", f"--seed={options.seed}"]
    arguments += [f"--without={deed}" for deed in options.without]
    arguments += [f"--against={options.against}"] if options.against else []
    arguments += [f"--versions={options.versions}"] if options.versions else []
    arguments += [f"--corpus={options.corpus}"] if options.corpus else []
    arguments += [] if options.minutes is None else [f"--minutes={options.minutes}"]
    scenarios = str(installed.home() / installed.SCENARIOS / SEARCH)
    arguments += chosen.passed_on(options)
    short = ["-p", "no:cacheprovider", "--tb=short", "-rN", "--watchdog", "120"]
    command = [*PYTEST, scenarios, *short, *arguments, *options.passed]
    sys.stdout.flush()
    os.execv(
        command[0], command
    )  # the command is pytest from here on, so whatever ends the one ends the other


def _where(searched: list[str], settings: list[str]) -> list[str]:
    """Options that say what is searched. HarnessError if it cannot be."""
    configurations = [each for each in searched if "=" in each or not _is_topology(each)]
    if configurations and len(configurations) < len(searched):
        raise HarnessError(
            f"give one topology or directors' configurations, not both: {' '.join(searched)}"
        )
    if not configurations:
        if len(searched) > 1:
            raise HarnessError(f"one topology is searched at a time, not {' and '.join(searched)}")
        from harness.search.kinds import ensure_director
        from harness.spec import ClusterSpec

        ensure_director(ClusterSpec(topology_of(searched[0])).plan(), searched[0])
        return ["--searched", searched[0]]
    from harness.check.files import INCLUDE, load_all, settings_of

    load_all(
        configurations, settings_of(settings).get(INCLUDE, "")
    )  # what is missing is told at once
    given = [part for each in configurations for part in ("--director", each)]
    return given + [part for setting in settings for part in ("--set", setting)]


def _is_topology(name: str) -> bool:
    """Whether it names a topology: a Python file, or one of those that there are."""
    place = name.partition(":")[0]
    return place.endswith(".py") or (
        "/" not in name and not place.endswith(".conf") and not Path(name).exists()
    )
