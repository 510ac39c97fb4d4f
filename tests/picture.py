"""``python -m tests.picture FILE``: runs a scenario and photographs its report, for the README
(``make picture``).
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from harness.report import artifacts
from tests.browsers import browser, draw, hover, lacking

SHOWN = "tests/pictured.py::test_the_backup_replaces_a_master_that_loses_power"
"""A scenario of the picture's own: its master has held the VIP for seconds when the fault
strikes.
"""
WIDTH, HEIGHT = 1280, 1900  # all of it, for what is hovered over is forgotten when the page scrolls


def main(target: str) -> None:
    """The scenario is open, and one of its requests that failed is hovered over."""
    if (why := lacking()) is not None:
        sys.exit(why)
    with TemporaryDirectory() as folder:
        options = ["--clock", "virtual", "--keep", "all", "--artifacts", folder]
        subprocess.run([sys.executable, "-m", "pytest", SHOWN, *options], check=True)
        (run,) = Path(folder).iterdir()
        with browser(WIDTH, HEIGHT) as opened:
            opened.get((run / artifacts.PAGE).as_uri())
            shown = draw(opened, SHOWN)
            hover(opened, shown, "failed request", last=False)
            shown.screenshot(target)


if __name__ == "__main__":
    main(*sys.argv[1:])
