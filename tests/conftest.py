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
    """How long to attack, and what of the tests there is to run."""
    parser.addoption(
        "--kills", type=int, default=12, metavar="N", help="commands that are killed (default: 12)"
    )
    parser.addoption(
        "--alone",
        choices=("also", "not", "only"),
        default="also",
        help="tests with the mark alone, beside which nothing may run (default: also)",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out those that bear the mark ``alone``, or all others.

    This is no matter of ``-m``, which is for whoever runs the tests: only the last one counts.
    """
    wanted = config.getoption("alone")
    if wanted == "also":
        return
    chosen = {
        item for item in items if (item.get_closest_marker("alone") is None) == (wanted == "not")
    }
    config.hook.pytest_deselected(items=[item for item in items if item not in chosen])
    items[:] = [item for item in items if item in chosen]


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave them out, unless one or something in it is named on the command line."""
    named = [config.invocation_params.dir / argument.partition("::")[0] for argument in config.args]
    if collection_path in BY_NAME and not any(
        path.resolve().is_relative_to(collection_path) for path in named
    ):
        return True
    return None
