"""``lvs-harness bundle``: a run in one file, to be looked at or reproduced elsewhere."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from harness.cli.progress import progress
from harness.report import bundle as archive


def add(commands: Any) -> None:
    """Declare the command."""
    bundle = commands.add_parser(
        "bundle", help="make one archive of a run, to be looked at or reproduced elsewhere"
    )
    bundle.add_argument(
        "folder", type=Path, metavar="DIR", help="the run's folder, artifacts/<run>"
    )
    bundle.add_argument(
        "--scenario", metavar="NAME",
        help="of one scenario alone, with its page, and a text for an issue tracker; a"
             " part of its name will do",
    )  # fmt: skip
    bundle.add_argument(
        "--output",
        type=Path,
        metavar="FILE",
        help="default: <run>.zip or <scenario>.zip in this folder",
    )
    bundle.add_argument(
        "--with-secrets",
        action="store_true",
        help="leave auth_pass as it is, instead of masking it",
    )
    bundle.set_defaults(run=_bundle)


def _bundle(options: argparse.Namespace) -> int:
    progress(f"packing {options.folder}")
    if options.scenario is not None:
        return _one(options)
    target = options.output or Path(f"{options.folder.resolve().name}.zip")
    for note in archive.make(options.folder, target, options.with_secrets):
        print(f"lvs-harness: {note}")
    print(target)
    return 0


def _one(options: argparse.Namespace) -> int:
    from harness.report import reproduction

    target, notes = reproduction.make(
        options.folder, options.scenario, options.output, options.with_secrets
    )
    for note in notes:
        print(f"lvs-harness: {note}")
    print(target.with_suffix(".md"))
    print(target)
    return 0
