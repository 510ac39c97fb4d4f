"""The two wheels, as a maintainer makes them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.commands.roots import ROOT


def build_wheels(folder: Path) -> None:
    """Both wheels, as `make wheels` makes them."""
    for project in (ROOT, ROOT / "tools" / "kernel_wheel"):
        command = [
            str(Path(sys.executable).with_name("hatchling")),
            "build",
            "-t",
            "wheel",
            "-d",
            str(folder),
        ]
        subprocess.run(command, cwd=project, check=True, capture_output=True)
