"""Prints ``docs/api.md``: all that a scenario's author may use, from its own docstrings.

Each entry has an example, which is the body of a test below ``tests/inside/api/``.
"""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType

from harness import faults, measures, scenario, topology
from harness.clock import Window
from harness.cluster import Cluster
from harness.cluster.settling import Settled
from harness.due import Took
from harness.keepalived import timers
from harness.lab.machine import Machine, Process
from harness.nodes import ClientNode, DirectorNode, Node, PhantomNode, RealServerNode
from harness.observers.client import Load
from harness.timeline import Timeline
from tests.inside.api.shown import example_of

EXAMPLES = Path(__file__).parents[1] / "tests/inside/api"
WIDEST = 80
"""Columns of a signature that is not broken into lines."""

HEAD = """\
# What a scenario may use

Written by `make docs` from the docstrings; times are in seconds unless a name says otherwise. Each
example is the body of a test in `tests/inside/api/`. [You want, you write](writing.md) goes the
other way round: from what you want to the word for it.

"""

INTERNAL = {
    Cluster: {"begin_scenario", "close", "comparisons"},
    Took: {"measured"},
    Node: {"context", "prepare", "start", "reader", "wait_serving", "daemon_of", "fifos"},
    DirectorNode: {
        "prepare",
        "reader",
        "fifos",
        "role",
        "config_file",
        "idle",
        "forget_connections",
        "last_started",
        "reread",
        "tell",
        "wait_hearing",
    },
    RealServerNode: {"prepare", "role"},
    ClientNode: {"prepare"},
    Load: {"send", "open", "ask", "abandon", "begin", "stop"},
    PhantomNode: {"role"},
    Machine: {
        "make",
        "wait_ready",
        "request",
        "spawn",
        "read_note",
        "let_go",
        "power_off",
        "kill",
        "fifo",
    },
    Process: {"hears"},
    Timeline: {"on_query", "listen", "awaits", "write"},
}
"""Public members that are for the harness itself, and not for scenarios."""


@dataclass(frozen=True)
class Entry:
    """One thing that may be used: its name on the page, and how it is written."""

    name: str
    object: object
    written: str

    @property
    def about(self) -> str:
        """Its docstring as Markdown."""
        text = inspect.getdoc(self.object) or ""
        text = re.sub(r":\w+:`[~.]*(?:[\w.]+\.)?([\w]+)`", r"`\1`", text)
        return text.replace("``", "`")

    @property
    def example(self) -> str:
        """The body of the test that shows it; of a mark the decorator. Empty if no test does."""
        test = example_of(self.object, self.name)
        if test is None:
            return ""
        lines = inspect.getsource(test).splitlines()
        start = next(number for number, line in enumerate(lines) if line.endswith(":"))
        if self.name.startswith("mark "):
            marks = [line for line in lines[:start] if line.startswith("@pytest.mark")]
            return "\n".join([*marks, lines[start]])
        body = textwrap.dedent("\n".join(lines[start + 1 :])).strip()
        for parameter in _parameters(
            test
        ):  # the test is about several things, and this is one of them
            body = body.replace(f"{parameter}(", f"{self.name}(")
        return re.sub(r"  # noqa: .*", "", body)


def _parameters(test: Callable[..., object]) -> list[str]:
    """What ``pytest.mark.parametrize`` gives a test."""
    marks = getattr(test, "pytestmark", [])
    return [mark.args[0] for mark in marks if mark.name == "parametrize"]


def _signature(callee: object, name: str) -> str:
    """``name(first: int, second: str = "") -> float``, over several lines where it is long."""
    signature = inspect.signature(callee)  # type: ignore[arg-type]
    given = [
        each
        for each in signature.parameters.values()
        if each.name not in ("self", "cls") and not each.name.startswith("_")
    ]
    written = [_parameter(each, callee) for each in given]
    by_name = [number for number, each in enumerate(given) if each.kind is each.KEYWORD_ONLY]
    if by_name and not any(each.kind is each.VAR_POSITIONAL for each in given):
        written.insert(by_name[0], "*")
    returned = ""
    if not inspect.isclass(callee) and signature.return_annotation is not inspect.Signature.empty:
        returned = f" -> {signature.return_annotation}"
    line = f"{name}({', '.join(written)}){returned}"
    if len(line) <= WIDEST:
        return line
    return f"{name}(\n" + "".join(f"    {each},\n" for each in written) + f"){returned}"


_STARS: dict[object, str] = {
    inspect.Parameter.VAR_POSITIONAL: "*",
    inspect.Parameter.VAR_KEYWORD: "**",
}


def _parameter(parameter: inspect.Parameter, callee: object) -> str:
    """``priority: int = 100``, as a reader would write it."""
    kind = parameter.annotation
    if kind == "N":  # of a fault: the kind of node that it befalls
        bases = [base for cls in callee.__mro__ for base in getattr(cls, "__orig_bases__", ())]  # type: ignore[attr-defined]
        kind = next(
            base.__args__[0].__name__ for base in bases if hasattr(base.__args__[0], "__name__")
        )
    text = f"{_STARS.get(parameter.kind, '')}{parameter.name}: {kind}"
    if parameter.default is parameter.empty:
        return text
    default = repr(parameter.default)
    if default.startswith("<"):  # a factory or a function, whose name says nothing
        default = "..."
    return f"{text} = " + re.sub(r"^'([^'\"]*)'$", r'"\1"', default)


def members(owner: type, variable: str) -> Iterator[Entry]:
    """The public methods and properties of a class, in the order in which they are written down."""
    seen = set(INTERNAL.get(owner, ()))
    inherited = {name for base in owner.__mro__[1:] if base in INTERNAL for name in vars(base)}
    for cls in reversed(owner.__mro__):
        if not cls.__module__.startswith("harness."):
            continue
        for name, value in vars(cls).items():
            if name.startswith("_") or name in seen or name in inherited:
                continue
            value = inspect.getattr_static(owner, name)
            if isinstance(value, classmethod):
                yield Entry(
                    f"{owner.__name__}.{name}",
                    value,
                    _signature(value.__func__, f"{owner.__name__}.{name}"),
                )
            elif isinstance(value, property):
                kind = inspect.signature(value.fget).return_annotation  # type: ignore[arg-type]
                yield Entry(f"{owner.__name__}.{name}", value, f"{variable}.{name}: {kind}")
            elif inspect.isfunction(value):
                written = _signature(value, f"{variable}.{name}")
                yield Entry(f"{owner.__name__}.{name}", value, written)
            seen.add(name)


def functions(module: ModuleType, prefix: str) -> Iterator[Entry]:
    """The public functions of a module."""
    names = getattr(module, "__all__", [name for name in vars(module) if not name.startswith("_")])
    for name in names:
        value = getattr(module, name)
        if inspect.isfunction(value) and value.__module__.startswith(module.__name__):
            yield Entry(f"{prefix}{name}", value, _signature(value, f"{prefix}{name}"))


def classes(module: ModuleType) -> Iterator[Entry]:
    """The classes that a module exports, with what they are made of."""
    for name in module.__all__:
        value = getattr(module, name)
        if inspect.isclass(value) and not inspect.isabstract(value) and value is not topology.Role:
            yield Entry(name, value, _signature(value, name))


def marks() -> Iterator[Entry]:
    """The marks that the harness declares, as ``pytest --markers`` lists them."""
    command = [sys.executable, "-m", "pytest", "--markers", "-p", "no:cacheprovider"]
    with tempfile.TemporaryDirectory() as empty:
        shown = subprocess.run(
            command, capture_output=True, text=True, check=True, cwd=empty
        ).stdout
    for block in shown.partition("@pytest.mark.filterwarnings")[0].split("\n\n"):
        found = re.match(r"@pytest\.mark\.((\w+)[^:]*): (.*)", block, re.DOTALL)
        if found is not None and found[2] not in _FOREIGN_MARKS:
            written, name, text = found.groups()
            about = type(name, (), {"__doc__": f"{text[0].upper()}{text[1:].strip()}."})
            yield Entry(f"mark {name}", about, f"@pytest.mark.{written}")


_FOREIGN_MARKS = ("anyio", "hypothesis", "topology")
"""Those of plugins that are not ours, and the one whose place :mod:`harness.scenario` takes."""


@dataclass(frozen=True)
class Chapter:
    """A heading of the page, what stands below it, and its entries."""

    title: str
    intro: str
    entries: list[Entry]


def chapters() -> list[Chapter]:
    """All of the page."""
    clusters = [
        *members(Cluster, "cluster"),
        *members(Settled, "settled"),
        *members(Took, "took"),
    ]
    machines = [
        *members(Node, "node"),
        *members(DirectorNode, "director"),
        *members(RealServerNode, "server"),
        *members(ClientNode, "client"),
        *members(Load, "load"),
        *members(PhantomNode, "phantom"),
        *members(Machine, "node.machine"),
        *members(Process, "process"),
    ]
    topologies = [
        Entry(name, getattr(scenario, name), f"{name}(TOPOLOGY, **parameters)")
        for name in ("topology", "fresh_topology")
    ]
    timer_functions = [*functions(timers, "timers."), *members(Window, "window")]
    return [
        Chapter("The cluster", _CLUSTER, clusters),
        Chapter("Machines", _MACHINES, machines),
        Chapter("The timeline", _TIMELINE, list(members(Timeline, "timeline"))),
        Chapter("Measures", _MEASURES, list(functions(measures, "measures."))),
        Chapter("Timers", _TIMERS, timer_functions),
        Chapter("Faults", _FAULTS, list(classes(faults))),
        Chapter("Roles, and what they are given", _ROLES, list(classes(topology))),
        Chapter("Topologies and marks of a scenario", _MARKS, [*topologies, *marks()]),
    ]


_CLUSTER = "The fixture `cluster` of a scenario. In the examples it has settled."
_MACHINES = "A node of `cluster.nodes`, and the machine below it, `node.machine`."
_TIMELINE = """\
`cluster.timeline`. [What a run leaves behind](artifacts.md#timelinejsonl) has every kind of
event."""
_MEASURES = "`from harness import measures`: pure functions over a timeline."
_TIMERS = """\
`from harness.keepalived import timers`: when keepalived is due to act, from cause to effect. In the
examples `MASTER` and `BACKUP` are VRRP instances, and `WEB` is a virtual service."""
_FAULTS = "`from harness.faults import PowerOff`, and so on, for `cluster.suffering(...)`."
_ROLES = "`from harness.topology import Director`, and so on, in a topology file."
_MARKS = "`from harness.scenario import topology`, and marks of pytest."


def load_examples() -> None:
    """Import the tests whose bodies are the examples."""
    for file in sorted(EXAMPLES.glob("test_*.py")):
        import_module(f"tests.inside.api.{file.stem}")


def without_example() -> list[str]:
    """The entries that no test shows."""
    load_examples()
    missing: list[str] = []
    for chapter in chapters():
        missing += [entry.name for entry in chapter.entries if not entry.example]
    return missing


def page() -> str:
    """The whole page."""
    load_examples()
    found = chapters()
    text = [HEAD]
    text += [f"- [{chapter.title}](#{_anchor(chapter.title)})\n" for chapter in found]
    for chapter in found:
        text.append(f"\n## {chapter.title}\n\n{chapter.intro}\n")
        text += _entries(chapter.entries)
    return "".join(text)


def _anchor(title: str) -> str:
    return re.sub(r"[^\w -]", "", title).lower().replace(" ", "-")


def _entries(entries: Iterable[Entry]) -> Iterator[str]:
    for entry in entries:
        yield f"\n### {entry.name}\n\n```python\n{entry.written}\n```\n\n{entry.about}\n"
        if entry.example:
            yield f"\n```python\n{entry.example}\n```\n"


def main() -> int:
    """Print the page, unless something on it has no example."""
    if missing := without_example():
        print(
            f"docs/api.md: no example of {', '.join(missing)}: write a test below"
            " tests/inside/api/ with"
            " @shows(...), whose body is the example",
            file=sys.stderr,
        )
        return 1
    print(page(), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
