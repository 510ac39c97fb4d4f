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
from harness.plugin.marks import topology_of


def sources(session: pytest.Session) -> dict[str, Any]:
    """``root``, and ``sources``: path below it -> SHA-256. Modules, conftest.py and pytest.ini that were read, and the
    files that parameters of topologies name; nothing of the harness itself and of installed packages.
    """
    root = session.config.rootpath
    found: dict[str, str] = {}
    for path in {*_modules(session), *_configurations(session)}:
        if path.is_relative_to(root) and path.is_file() and not _installed(path, root):
            found[path.relative_to(root).as_posix()] = hashlib.sha256(path.read_bytes()).hexdigest()
    return {"root": str(root), "sources": dict(sorted(found.items()))}


def _modules(session: pytest.Session) -> Iterator[Path]:
    for module in [*sys.modules.values(), *session.config.pluginmanager.get_plugins()]:
        if isinstance(file := getattr(module, "__file__", None), str):
            yield Path(file)
    if session.config.inipath is not None:
        yield session.config.inipath


def _configurations(session: pytest.Session) -> Iterator[Path]:
    for item in session.items:
        if item.get_closest_marker("topology") is not None:
            yield from _paths(list(topology_of(item)[1].values()), session.config.invocation_params.dir)


def _paths(value: Any, folder: Path) -> Iterator[Path]:
    if isinstance(value, list | tuple):
        for each in value:
            yield from _paths(each, folder)
    elif isinstance(value, str | Path) and value and os.path.isfile(folder / value):  # which is False for any nonsense
        yield folder / value


def _installed(path: Path, root: Path) -> bool:
    parts = path.relative_to(root).parts
    return "site-packages" in parts or any(path.is_relative_to(own) for own in harness.__path__)
