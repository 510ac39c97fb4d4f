"""``lvs-harness doctor``: which kernel clusters would run on here, and what is missing."""

from __future__ import annotations

import argparse
from typing import Any

from harness.kernels import choice


def add(commands: Any) -> None:
    """Declare the command."""
    doctor = commands.add_parser("doctor", help="say which kernel clusters would run on here, and what is missing")
    doctor.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    from harness.daemons.daemon import programs

    missing = 0
    for program, package, found in programs():
        print(f"{program:<12} {found or f'missing: apt-get install {package}'}")
        missing += found is None
    print(f"{'kernel':<12} {choice.choose('auto', 'auto', 0).header}")
    return 1 if missing else 0
