"""The command ``lvs-harness``: what is needed around the tests, which themselves are started with pytest.

Each module is one command: ``add`` declares it, and what it declares as ``run`` carries it out and returns the exit
status. One that sets ``passes`` finds what stands behind ``--``, for pytest, in ``options.passed``.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from harness.cli import bisect, bundle, check, doctor, image, kernel, new, report, reproduce, scenarios, up
from harness.errors import HarnessError

COMMANDS = (bisect, bundle, check, doctor, image, kernel, new, report, reproduce, scenarios, up)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; returns the exit status: 0 for success, 1 for an error that was told, 2 for unusable arguments."""
    about = "What is needed around the tests, which themselves are started with pytest."
    parser = argparse.ArgumentParser(prog="lvs-harness", description=about)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for command in COMMANDS:
        command.add(commands)
    given = list(sys.argv[1:] if arguments is None else arguments)
    if not given:
        parser.print_help(sys.stderr)
        return 2
    end = given.index("--") if "--" in given else len(given)  # argparse loses count where options come before it
    own, passed = given[:end], given[end + 1 :]
    options = parser.parse_args(own, argparse.Namespace(passed=passed, passes=False))
    if passed and not options.passes:
        parser.error(f"{options.command} passes nothing on to pytest: -- {' '.join(passed)}")
    try:
        status: int = options.run(options)
    except HarnessError as problem:
        print(f"lvs-harness: {problem}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("lvs-harness: interrupted", file=sys.stderr)
        return 130
    return status
