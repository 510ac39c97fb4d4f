"""``--web``: the page of the run is served on loopback while its clusters live."""

from __future__ import annotations

from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option."""
    parser.getgroup("lvs-harness").addoption(
        "--web",
        action="store_true",
        help="serve the page of the run on 127.0.0.1 as long as it runs, and print its address;"
        " it shows each scenario"
        " as it comes",
    )


def serve(config: pytest.Config, run: Path) -> None:
    """Serve the page until pytest ends, if that is wanted. HarnessError if it cannot be."""
    if config.getoption("web"):
        from harness.live import Served

        served = Served(run)
        config.add_cleanup(served.close)
        print(f"lvs-harness: {served.url} (as long as the run runs)", flush=True)
