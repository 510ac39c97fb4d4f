"""``lvs-harness scenarios``: what each scenario shows, by which rule, and under which controls it
must fail.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from harness import installed


def add(commands: Any) -> None:
    """Declare the command."""
    scenarios = commands.add_parser("scenarios", help="list the scenarios, a line each")
    scenarios.add_argument(
        "paths",
        nargs="*",
        metavar="PATH",
        help="default: ./scenarios, or else those that come with the harness",
    )
    scenarios.add_argument(
        "-m", dest="marker", default="", metavar="MARKER", help="as for pytest: -m election"
    )
    scenarios.add_argument(
        "--markdown", action="store_true", help="the whole catalogue, as docs/scenarios.md has it"
    )
    scenarios.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from harness.plugin import catalogue

    shipped = str(installed.home() / installed.SCENARIOS)
    own = Path(installed.SCENARIOS)
    found = catalogue.scenarios(
        options.paths or [str(own) if own.is_dir() else shipped], options.marker
    )
    print(catalogue.markdown(found) if options.markdown else catalogue.listing(found), end="")
    return 0
