"""``lvs-harness exec``: a program on a machine of a cluster that ``lvs-harness up`` keeps alive."""

from __future__ import annotations

import argparse
import sys
from typing import Any, Final

from harness.errors import HarnessError

NOT_RUN: Final = 255
"""The exit status if there is no such cluster or machine, as ssh's: all others are the
program's.
"""


def add(commands: Any) -> None:
    """Declare the command."""
    execute = commands.add_parser(
        "exec",
        help="run a program on a machine of a cluster that lives in another terminal"
        " (lvs-harness up): lvs-harness exec director1 ipvsadm -Ln",
    )
    execute.add_argument(
        "-i",
        "--interactive",
        action="store_true",
        help="pass the standard input on, once it has ended: without it there is none",
    )
    execute.add_argument(
        "--cluster",
        metavar="NAME",
        help="where several live: what `up` was given, or the name of its run's folder",
    )
    execute.add_argument("node", metavar="MACHINE")
    execute.add_argument("words", nargs=argparse.REMAINDER, metavar="COMMAND...")
    execute.set_defaults(run=_run, passes=True)


def _run(options: argparse.Namespace) -> int:
    from harness.live import living

    # What stands behind `--` is the program's as well, and so is the `--` between its words.
    between = ["--"] if options.words and options.passed else []
    command = [*options.words, *between, *options.passed]
    try:
        if not command:
            raise HarnessError(
                f"say what {options.node} is to run: lvs-harness exec {options.node} ip address"
            )
        cluster = living.the_one(options.cluster)
        given = sys.stdin.buffer.read() if options.interactive else b""
        return living.Asked(cluster, options.node, command, given).wait()
    except HarnessError as problem:
        print(f"lvs-harness: {problem}", file=sys.stderr)
        return NOT_RUN
