"""``--conformance FILE``: what directors did with the packets of the conformance scenarios, as
JSON.

A scenario says it by ``record_property(SHOWN, {...})``; the file has a list of those, in the order
of the scenarios' names, so that two runs write the same bytes.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.topology.machines import SPEAKERS

SHOWN = "conformance"


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option."""
    parser.getgroup("lvs-harness").addoption(
        "--conformance",
        metavar="FILE",
        help=(
            "write what the conformance scenarios showed, as JSON (make conformance makes a"
            " page of it)"
        ),
    )
    parser.getgroup("lvs-harness").addoption(
        "--speaker",
        choices=SPEAKERS,
        default=SPEAKERS[0],
        help="the VRRP implementation that the conformance scenarios try (default: keepalived)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Collect it, if it is wanted."""
    if config.getoption("conformance"):
        config.pluginmanager.register(
            _Shown(config.invocation_params.dir / config.getoption("conformance"))
        )


class _Shown:
    """What was shown, by scenario."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._shown: dict[str, Any] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep what a scenario recorded."""
        if report.when == "call":
            for name, value in report.user_properties:
                if name == SHOWN:
                    self._shown[report.nodeid] = value

    def pytest_sessionfinish(self) -> None:
        """Write the file."""
        rows = [self._shown[name] for name in sorted(self._shown)]
        self._file.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
