"""The catalogue of scenarios, made from the scenarios themselves: behaviour, rules with their
sources, controls.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Final

import pytest

from harness.counting import counted
from harness.errors import HarnessError
from harness.keepalived import timers
from harness.plugin.marks import controls_of

HEAD = """\
# Scenarios

Written by `make docs` from the scenarios themselves. A *window* is the rule of
`harness/keepalived/timers/` from which a scenario's deadline is computed. A *control* is what
`make controls` plants, and under which the scenario must fail.
"""


@dataclass(frozen=True)
class Scenario:
    """One scenario with all its cases: ``about`` is its docstring, ``windows`` the timers that
    it computes with.
    """

    name: str
    file: str
    title: str
    about: str
    marks: tuple[str, ...]
    cases: int
    windows: tuple[str, ...]
    controls: tuple[str, ...]
    needs: tuple[str, ...]
    defects: tuple[str, ...]

    @property
    def first_line(self) -> str:
        """The docstring's first sentence or line."""
        return self.about.partition("\n\n")[0].replace("\n", " ").replace("``", "")


def scenarios(paths: Sequence[str], marker: str = "") -> list[Scenario]:
    """What pytest finds below ``paths``, restricted by ``-m marker``.

    HarnessError if it finds nothing; SystemExit if it does not understand that, which it has said
    then.
    """
    collector = _Collector()
    options = ["--collect-only", "-p", "no:terminal", "-p", "no:cacheprovider", "-m", marker]
    status = pytest.main([*options, *paths], plugins=[collector])
    if status == pytest.ExitCode.USAGE_ERROR:
        sys.exit(status)
    if status != pytest.ExitCode.OK or not collector.items:
        raise HarnessError(
            f"no scenario below {' '.join(paths)}; try: pytest --collect-only {' '.join(paths)}"
        )
    grouped = groupby(
        collector.items, key=lambda item: (item.path, getattr(item, "originalname", item.name))
    )
    return [_scenario(list(items)) for _, items in grouped]


class _Collector:
    def __init__(self) -> None:
        self.items: list[pytest.Function] = []

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        self.items = [item for item in session.items if isinstance(item, pytest.Function)]


def _scenario(items: list[pytest.Function]) -> Scenario:
    item = items[0]
    registered = {re.split("[:(]", line)[0] for line in item.config.getini("markers")}
    marks = dict.fromkeys(mark.name for mark in item.iter_markers())
    controls: dict[str, None] = {}
    for each in items:
        controls |= dict.fromkeys(control.name for control in controls_of(each))
    return Scenario(
        name=item.originalname,
        file=str(item.path.relative_to(item.config.rootpath)),
        title=inspect.getdoc(item.module) or "",
        about=inspect.getdoc(item.function) or "",
        marks=tuple(name for name in marks if name in registered - MACHINERY),
        cases=len(items),
        windows=tuple(windows_of(item.function)),
        controls=tuple(controls),
        needs=tuple(_in_words(mark) for mark in item.iter_markers("needs")),
        defects=tuple(_defects(item)),
    )


def _defects(item: pytest.Function) -> Iterator[str]:
    """What misbehaves, by the marks that say so."""
    for mark in item.iter_markers("known_defect"):
        yield ": ".join(mark.args)
    for mark in item.iter_markers("regression"):
        yield f"{': '.join(mark.args)} (versions: {mark.kwargs['present'] or 'all'})"


MACHINERY: Final = frozenset(
    [
        "topology",
        "control",
        "needs",
        "known_defect",
        "regression",
        "core",
        "diagnosis",
        "rule",
        "parametrize",
        "skip",
        "skipif",
        "xfail",
        "usefixtures",
        "filterwarnings",
        "tryfirst",
        "trylast",
    ]
)
"""Markers that say how a scenario is run, rather than what it is about."""


def _in_words(mark: pytest.Mark) -> str:
    """``VRRP version 3 (keepalived 2.0, program ipvsadm)``; where this machine has a program is
    left out.
    """
    known = {name: value for name, value in mark.kwargs.items() if "/" not in value}
    wanted = ", ".join(f"{name} {value}" for name, value in known.items())
    return f"{mark.args[0]} ({wanted})" if wanted else str(mark.args[0])


def windows_of(function: Callable[..., Any]) -> list[str]:
    """The names of the timers (``timers.takeover``) that a scenario's code uses, in their order."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    used = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Attribute) or not isinstance(node.value, ast.Name):
            continue
        is_timer = inspect.isfunction(getattr(timers, node.attr, None))
        if node.value.id == "timers" and is_timer and node.attr not in used:
            used.append(node.attr)
    return used


def listing(found: Iterable[Scenario]) -> str:
    """A line for each scenario: file, name, cases, and what it shows."""
    rows = [(f"{Path(one.file).name}::{one.name}", str(one.cases), one.first_line) for one in found]
    names = max(len(name) for name, _, _ in rows)
    counts = max(len(cases) for _, cases, _ in rows)
    return "".join(f"{name:<{names}}  {cases:>{counts}}  {about}\n" for name, cases, about in rows)


_FOREMOST = ("test_ownership.py", "test_failover.py", "test_election.py", "test_split_brain.py")
"""What a reader looks for first."""


def _rank(one: Scenario) -> tuple[int, int, str]:
    """Where a file comes on the page: what a cluster is for first, the special folders last."""
    file = Path(one.file)
    folders = ("scenarios", "regressions", "conformance")
    folder = folders.index(file.parent.name) if file.parent.name in folders else len(folders)
    place = _FOREMOST.index(file.name) if file.name in _FOREMOST else len(_FOREMOST)
    return folder, place, one.file


_SPELT = {"vips": "VIPs", "lans": "LANs"}
_SPELT |= {name: name.upper() for name in ("arp", "http", "tcp", "tls", "udp", "vmac")}


def _chapter(file: str) -> str:
    """The heading of a file's scenarios: "Split brain", or "Regressions: weight zero" in a
    folder.
    """
    path = Path(file)
    words = path.stem.removeprefix("test_").split("_")
    if path.parent.name in ("regressions", "conformance"):
        words.insert(0, f"{path.parent.name}:")
    first, *rest = [_SPELT.get(word, word) for word in words]
    return " ".join([first[0].upper() + first[1:], *rest])


def markdown(found: Sequence[Scenario]) -> str:
    """The text of ``docs/scenarios.md``."""
    chapters = [
        list(group) for _, group in groupby(sorted(found, key=_rank), key=lambda one: one.file)
    ]
    text = [HEAD, f"{sum(one.cases for one in found)} cases of {len(found)} scenarios.\n"]
    text.append("\n".join(_contents(ones) for ones in chapters) + "\n- [Windows](#windows)\n")
    for ones in chapters:
        file = ones[0].file
        text.append(f"## {_chapter(file)}\n\n{ones[0].title}\n\n`{file}`\n")
        text += [_entry(one) for one in ones]
    text.append("## Windows\n")
    for name in sorted({name for one in found for name in one.windows}):
        text.append(f"### {name}\n\n{inspect.getdoc(getattr(timers, name)) or ''}\n")
    return "\n".join(text).replace("``", "`")


def _contents(ones: Sequence[Scenario]) -> str:
    """A chapter's line in the table of contents: its name, and how many cases it has."""
    name = _chapter(ones[0].file)
    anchor = name.lower().replace(" ", "-").replace(":", "")
    cases = sum(one.cases for one in ones)
    return f"- [{name}](#{anchor}) ({counted(cases, 'case')})"


def _entry(one: Scenario) -> str:
    cases = f" ({one.cases} cases)" if one.cases > 1 else ""
    facts = [
        ("marks", [f"`-m {mark}`" for mark in one.marks]),
        ("windows", [f"[{name}](#{name})" for name in one.windows]),
        ("controls", list(one.controls)),
        ("needs", list(one.needs)),
        ("known defect", list(one.defects)),
    ]
    lines = [f"- {title}: {', '.join(values)}" for title, values in facts if values]
    return f"### {one.name}{cases}\n\n{one.about}\n\n" + "\n".join(lines) + "\n"
