"""Which files a run was made of, so that it can be bundled and run again elsewhere."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import harness
from harness import received
from harness.plugin.specs import spec_of
from harness.report import artifacts


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave copies out that an earlier run has kept, unless one is named: pytest would find each
    scenario a second time.
    """
    if collection_path.name != artifacts.SOURCES:
        return None
    if not (collection_path.parent / artifacts.RUN).is_file():
        return None
    folder = config.invocation_params.dir
    named = [(folder / each.partition("::")[0]).resolve() for each in config.args]
    return None if any(each.is_relative_to(collection_path) for each in named) else True


def keep(session: pytest.Session, run: Path) -> dict[str, Any]:
    """Copy them into a run's folder, so that nobody has to look for them outside of it; returns
    ``sources``: path below the root -> SHA-256.

    They are the modules, conftest.py and pytest.ini that were read, and the files that parameters
    of topologies name; nothing of the harness itself and of installed packages. Raises HarnessError
    if they cannot be written.
    """
    root = session.config.rootpath
    found: dict[str, str] = {}
    for path in sorted({*_modules(session), *_configurations(session)}):
        if path.is_relative_to(root) and path.is_file() and not _installed(path, root):
            name, content = path.relative_to(root).as_posix(), path.read_bytes()
            found[name] = hashlib.sha256(content).hexdigest()
            try:
                received.add(run, f"{artifacts.SOURCES}/{name}", content)
            except OSError as problem:
                raise artifacts.cannot_write(run, problem) from None
    return {"sources": found}


def _modules(session: pytest.Session) -> Iterator[Path]:
    for module in [*sys.modules.values(), *session.config.pluginmanager.get_plugins()]:
        if isinstance(file := getattr(module, "__file__", None), str):
            yield Path(file)
    if session.config.inipath is not None:
        yield session.config.inipath


def _configurations(session: pytest.Session) -> Iterator[Path]:
    for item in session.items:
        if item.get_closest_marker("topology") is not None:
            yield from _paths(
                list(spec_of(item).parameters.values()), session.config.invocation_params.dir
            )


def _paths(value: Any, folder: Path) -> Iterator[Path]:
    if isinstance(value, list | tuple):
        for each in value:
            yield from _paths(each, folder)
    elif (
        isinstance(value, str | Path) and value and os.path.isfile(folder / value)
    ):  # which is False for any nonsense
        yield folder / value


def _installed(path: Path, root: Path) -> bool:
    parts = path.relative_to(root).parts
    return "site-packages" in parts or any(path.is_relative_to(own) for own in harness.__path__)
