"""tests/ runs on any kernel; tests/inside/ needs one that can carry clusters, and is asked for by name."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

INSIDE = Path(__file__).parent / "inside"


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out tests/inside/, unless it or something in it is named on the command line."""
    named = [config.invocation_params.dir / argument.partition("::")[0] for argument in config.args]
    if collection_path == INSIDE and not any(path.resolve().is_relative_to(INSIDE) for path in named):
        return True
    return None
