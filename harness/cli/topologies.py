"""``lvs-harness topologies``: which topologies there are, what they look like, and what their
parameters are.
"""

from __future__ import annotations

import argparse
import inspect
import shutil
import sys
import textwrap
from pathlib import Path
from typing import Any

from harness.cli import up
from harness.errors import HarnessError


def add(commands: Any) -> None:
    """Declare the command."""
    topologies = commands.add_parser(
        "topologies", help="list the topologies, or draw one: lvs-harness topologies director_pair"
    )
    topologies.add_argument(
        "topology",
        nargs="?",
        help="the name of one, or a file that declares `topos`; default: list all",
    )
    topologies.add_argument(
        "parameters",
        nargs="*",
        default=[],
        metavar="NAME=VALUE",
        help="draw it with these: real_servers=3",
    )
    topologies.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    if options.topology is None:
        _list_all()
    else:
        _draw(options.topology, up.parameters_of(options.parameters))
    return 0


def _list_all() -> None:
    names = up.known()
    if not names:
        raise HarnessError(
            f"there is no topology in ./{up.FOLDER}; draw a file of your own by its path"
        )
    width = max(len(name) for name in names)
    for name in names:
        module = up.load(name)
        print("\n".join(_in_columns(name, width, _about(module))))
        declared = getattr(module, "topos", {})
        if name not in declared:
            print(f"{'':<{width}}  as {' or '.join(f'{name}:{each}' for each in declared)}")
    print("\nDraw one with its parameters: lvs-harness topologies NAME")
    print("Build one and get its prompt:  lvs-harness up NAME")


def _draw(name: str, parameters: dict[str, Any]) -> None:
    place, colon, _ = name.partition(":")
    print(_about(up.load(place)))
    declared = up.all_of(place)
    if colon or Path(place).stem in declared:
        declared = {"": up.topology_of(name)}
    for each, topology in declared.items():
        if len(declared) > 1:
            print(f"\n{place}:{each}")
        print()
        _draw_one(topology, parameters)


def _draw_one(topology: Any, parameters: dict[str, Any]) -> None:
    from harness.report import plan_drawing
    from harness.spec import ClusterSpec

    plan = ClusterSpec(topology, parameters).plan()
    unicode = (sys.stdout.encoding or "").lower().startswith("utf")
    print(plan_drawing.draw(plan, unicode))
    print("parameters")
    for parameter in _parameters(topology):
        print(f"  {parameter}")
    if about := getattr(topology, "build", topology).__doc__:
        print()
        for line in inspect.cleandoc(about).splitlines():
            print(f"  {line}")


def _parameters(topology: Any) -> list[str]:
    """A line for each: ``scheduler='rr'``."""
    signature = inspect.signature(getattr(topology, "build", topology))
    lines = []
    for name, parameter in signature.parameters.items():
        if name == "self":
            continue
        if parameter.kind is parameter.VAR_KEYWORD:
            lines.append(f"{name}: any other NAME=VALUE is passed on")
        elif parameter.default is parameter.empty:
            lines.append(f"{name} (must be given)")
        else:
            lines.append(f"{name}={_default(parameter.default)}")
    return lines or ["none"]


def _default(value: object) -> str:
    """A default as one would write it; a path as its text, a mapping that cannot be changed as one
    that can.
    """
    if isinstance(value, Path):
        return repr(str(value))
    if type(value).__name__ == "mappingproxy":
        return repr(dict(value))  # type: ignore[call-overload]
    return repr(value)


def _about(module: Any) -> str:
    """What a topology's docstring says first, which may be longer than a line of a file."""
    first, _, _ = (module.__doc__ or "").strip().partition("\n\n")
    return " ".join(first.split()) or "(it has no docstring)"


def _in_columns(name: str, width: int, about: str) -> list[str]:
    """A name, and beside it what it is, in as many lines as that takes in this terminal."""
    columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else sys.maxsize
    indent = " " * (width + 2)
    return textwrap.wrap(
        about,
        max(columns, width + 30),
        initial_indent=f"{name:<{width}}  ",
        subsequent_indent=indent,
    )
