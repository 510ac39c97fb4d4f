"""``lvs-harness report``: the page of a run, of several runs made one, or of two side by side."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from harness.cli.progress import progress
from harness.errors import HarnessError


def add(commands: Any) -> None:
    """Declare the command."""
    report = commands.add_parser(
        "report", help="make a run's report.html anew, or one of two runs side by side"
    )
    report.add_argument(
        "folders", nargs="*", type=Path, metavar="DIR",
        help="a run's folder, artifacts/<run>; of several, such as all shards of a"
             " suite, one run is made",
    )  # fmt: skip
    where = "where that new run's folder is made (default: %(default)s)"
    report.add_argument(
        "--artifacts", type=Path, default=Path("artifacts"), metavar="FOLDER", help=where
    )
    report.add_argument(
        "--compare", nargs=2, type=Path, metavar=("A", "B"), help="two runs' folders"
    )
    where = "the file to write with --compare (default: %(default)s)"
    report.add_argument(
        "--output", type=Path, default=Path("compare.html"), metavar="FILE", help=where
    )
    report.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from harness.report import merging, page

    if bool(options.folders) == (options.compare is not None):
        raise HarnessError(
            "name one run's folder, or two with --compare: lvs-harness report artifacts/<run>"
        )
    if options.compare is not None:
        first, second = options.compare
        print(page.write_comparison(first, second, options.output, progress))
        return 0
    folder = options.folders[0]
    if len(options.folders) > 1:
        progress(f"making one run of {len(options.folders)}")
        folder = merging.merge(options.folders, options.artifacts)
    print(page.write(folder, progress))
    return 0
