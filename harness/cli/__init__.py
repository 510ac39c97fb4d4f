"""The command ``lvs-harness``: what is needed around the tests, which themselves are started with
pytest.

Each module is one command: ``add`` declares it, and what it declares as ``run`` carries it out and
returns the exit status. One that sets ``passes`` finds what stands behind ``--``, mostly for
pytest, in ``options.passed``.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import suppress

from harness import failure
from harness.cli import (
    bisect,
    bundle,
    check,
    completion,
    doctor,
    exec,
    image,
    kernel,
    new,
    report,
    reproduce,
    scenarios,
    search,
    topologies,
    up,
)
from harness.errors import HarnessError
from harness.kernels.host import interrupts

COMMANDS = (
    bisect,
    bundle,
    check,
    completion,
    doctor,
    exec,
    image,
    kernel,
    new,
    report,
    reproduce,
    scenarios,
    search,
    topologies,
    up,
)


class _Version(argparse.Action):
    """``--version``: asked for late, since the version of an installed package costs an import."""

    def __call__(self, parser: argparse.ArgumentParser, *unused: object) -> None:
        from importlib.metadata import version

        print(f"lvs-harness {version('lvs-harness')}")
        parser.exit()


def parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    about = "What is needed around the tests, which themselves are started with pytest."
    whole = argparse.ArgumentParser(prog="lvs-harness", description=about)
    whole.add_argument(
        "--version", action=_Version, nargs=0, help="print the version of the harness"
    )
    commands = whole.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add(commands)
    return whole


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; returns the exit status: 0 for success, 1 for an error that was told, 2 for unusable
    arguments.

    3 is the harness's own failure, 130 an interruption.
    """
    whole = parser()
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given:
        whole.print_help()
        return 0
    end = (
        given.index("--") if "--" in given else len(given)
    )  # argparse loses count where options come before it
    own, passed = given[:end], given[end + 1 :]
    options = whole.parse_args(own, argparse.Namespace(passed=passed, passes=False))
    if passed and not options.passes:
        whole.error(f"{options.command} passes nothing on to pytest: -- {' '.join(passed)}")
    interrupts.install()
    try:
        status: int = options.run(options)
        sys.stdout.flush()
    except HarnessError as problem:
        print(f"lvs-harness: {problem}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # `lvs-harness topologies farm | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        with suppress(OSError):  # the terminal may be gone
            print("lvs-harness: interrupted", file=sys.stderr, flush=True)
        return interrupts.INTERRUPTED
    except Exception as problem:
        print(f"lvs-harness: {failure.told(problem)}", file=sys.stderr)
        return failure.STATUS
    return status
