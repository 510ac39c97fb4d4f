"""Topologies by name: of a file in ``topologies/``, here or as shipped, or of one anywhere."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

from harness import installed
from harness.errors import HarnessError

FOLDER = installed.TOPOLOGIES


def topology_of(name: str) -> Any:
    """The topology of a name, of a file, or of one that declares several: ``forwarding:two_lans``.

    HarnessError if there is none.
    """
    place, _, wanted = name.partition(":")
    topos = all_of(place)
    wanted = wanted or Path(place).stem
    if wanted in topos:
        return topos[wanted]
    if len(topos) > 1 or ":" in name:
        names = ", ".join(f"{place}:{each}" for each in topos)
        raise HarnessError(f"{name} is none of the topologies there, which are: {names}")
    return next(iter(topos.values()))


def all_of(name: str) -> dict[str, Any]:
    """All topologies that a file declares, by name. HarnessError if it declares none."""
    topos = getattr(load(name), "topos", None)
    if not isinstance(topos, dict) or not topos:
        raise HarnessError(
            f"{name} declares no topology: it lacks a line like topos = {{'mine': Mine}}"
        )
    return topos


def load(name: str) -> ModuleType:
    """The module of a topology: of its name in ``topologies/``, here or as shipped, or a file.

    HarnessError if there is none.
    """
    sys.path.insert(0, os.getcwd())
    installed.make_importable()
    try:
        if not name.endswith(".py"):
            importlib.import_module(FOLDER).__path__ = [str(folder) for folder in _folders()]
            return importlib.import_module(f"{FOLDER}.{name}")
        specification = importlib.util.spec_from_file_location(Path(name).stem, name)
        assert specification is not None
        assert specification.loader is not None
        module = importlib.util.module_from_spec(specification)
        specification.loader.exec_module(module)
        return module
    except FileNotFoundError:
        raise HarnessError(f"there is no file {name}") from None
    except ModuleNotFoundError as problem:
        if not (problem.name or "").startswith(FOLDER):
            raise HarnessError(f"{name}: {problem}") from None
        raise HarnessError(
            f"there is no topology {name}; there are: {', '.join(known())}; or name a"
            f" file, {name}.py"
        ) from None
    except SyntaxError as problem:
        raise HarnessError(f"{problem.filename}:{problem.lineno}: {problem.msg}") from None


def known() -> list[str]:
    """The names of the topologies that there are, in ``./topologies/`` and as shipped."""
    return sorted({path.stem for folder in _folders() for path in folder.glob("[!_]*.py")})


def _folders() -> list[Path]:
    """Where topologies are looked for: the user's own first."""
    return [Path.cwd() / FOLDER, installed.home() / FOLDER]
