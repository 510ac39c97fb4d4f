"""``lvs-harness report``: the page of a run, or of two runs side by side."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from harness.errors import HarnessError


def add(commands: Any) -> None:
    """Declare the command."""
    report = commands.add_parser("report", help="make a run's report.html anew, or one of two runs side by side")
    report.add_argument("folder", nargs="?", type=Path, metavar="DIR", help="a run's folder, artifacts/<run>")
    report.add_argument("--compare", nargs=2, type=Path, metavar=("A", "B"), help="two runs' folders")
    where = "the file to write with --compare (default: %(default)s)"
    report.add_argument("--output", type=Path, default=Path("compare.html"), metavar="FILE", help=where)
    report.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from harness.report import page

    if (options.folder is None) == (options.compare is None):
        raise HarnessError("name one run's folder, or two with --compare: lvs-harness report artifacts/<run>")
    if options.compare is None:
        print(page.write(options.folder))
    else:
        first, second = options.compare
        print(page.write_comparison(first, second, options.output))
    return 0
