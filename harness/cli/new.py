"""``lvs-harness new``: a topology and a scenario to start from."""

from __future__ import annotations

import argparse
import contextlib
import re
import shlex
from importlib import resources
from pathlib import Path
from string import Template
from typing import Any

from harness.errors import HarnessError

_NAME = re.compile(r"[a-z][a-z0-9_]{0,60}", re.ASCII)
_SCENARIO = "scenarios/test_{}.py"
_AMONG_OTHERS, _BESIDE = "topologies/{}.py", "scenarios/{}_topology.py"
"""Where the topology goes: ``topologies`` can be imported if it is a package, as in the harness's
own checkout; what lies beside a scenario is found by pytest anywhere.
"""


def add(commands: Any) -> None:
    """Declare the command."""
    new = commands.add_parser("new", help="write a topology and a scenario to start from")
    new.add_argument("name", help="what they are called: lower-case letters, digits, _")
    new.add_argument(
        "--folder",
        type=Path,
        default=Path(),
        help="where scenarios/ is, or is made (default: here)",
    )
    new.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    name: str = options.name
    if not _NAME.fullmatch(name):
        raise HarnessError(
            f"{name!r} is no name for a Python module: use lower-case letters, digits and _"
        )
    is_package = (options.folder / "topologies/__init__.py").exists()
    place = (_AMONG_OTHERS if is_package else _BESIDE).format(name)
    words = {
        "name": name,
        "title": name.replace("_", " ").capitalize(),
        "class_name": name.title().replace("_", ""),
        "module": f"topologies.{name}" if is_package else f"{name}_topology",
    }
    places = {"topology.txt": place, "scenario.txt": _SCENARIO.format(name)}
    texts = {options.folder / place: _filled(template, words) for template, place in places.items()}
    for file in texts:
        if file.exists():
            raise HarnessError(f"{file} is there already: take another name, or remove it first")
    for file, text in texts.items():
        _write(file, text)
        print(f"wrote {file}")
    topology, scenario = (shlex.quote(str(file)) for file in texts)
    print(f"now run: pytest {scenario}")
    print(f"and to look at its cluster: lvs-harness up {topology}")
    return 0


def _filled(template: str, words: dict[str, str]) -> str:
    return Template(
        resources.files("harness.cli").joinpath("templates", template).read_text("utf-8")
    ).substitute(words)


def _write(file: Path, text: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    except OSError as problem:
        with contextlib.suppress(OSError):
            file.unlink()
        raise HarnessError(f"cannot write {file}: {problem.strerror}") from None
