"""tests/ runs on any kernel. What takes longer is asked for by name: tests/inside/ needs a kernel
that can carry clusters, and tests/commands/ boots the embedded one for each command.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

# GNU readline, which pytest imports, says to all that is started that a terminal is so wide; to a
# worker of pytest-xdist too, whose own runs would then not take a pipe for a pipe.
os.unsetenv("COLUMNS")
os.environ.pop("COLUMNS", None)

BY_NAME = (Path(__file__).parent / "inside", Path(__file__).parent / "commands")


def pytest_addoption(parser: pytest.Parser) -> None:
    """How long to attack."""
    parser.addoption(
        "--kills", type=int, default=12, metavar="N", help="commands that are killed (default: 12)"
    )


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave them out, unless one or something in it is named on the command line."""
    named = [config.invocation_params.dir / argument.partition("::")[0] for argument in config.args]
    if collection_path in BY_NAME and not any(
        path.resolve().is_relative_to(collection_path) for path in named
    ):
        return True
    return None
