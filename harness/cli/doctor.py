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

    missing, width = 0, max(len(program) for program, _, _ in programs())
    for program, package, found in programs():
        print(f"{program:<{width}}  {found or f'missing: apt-get install {package}'}")
        missing += found is None
    print(f"{'kernel':<{width}}  {choice.choose('auto', 'auto', 0).header}")
    return 1 if missing else 0
