"""The layers of the harness: a module imports only from its own layer and from those above it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent

LAYERS = (
    "errors",
    "counting",
    "installed",
    "received",
    "failure",
    "clock",
    "latch",
    "topology",
    "ipvs",
    "keepalived",
    "events",
    "frr",
    "timeline",
    "due",
    "measures",
    "diagnosis",
    "kernels",
    "images",
    "lab",
    "daemons",
    "observers",
    "nodes",
    "faults",
    "check",
    "spec",
    "cluster",
    "cluster_pool",
    "report",
    "live",
    "search",
    "console",
    "repeating",
    "scenario",
    "plugin",
    "behaviours",
    "cli",
)
CONFINED = {
    "pytest": ("scenario", "plugin", "behaviours"),
    "_pytest": ("plugin",),
    "mininet": ("lab",),
}
"""Which layers alone may import a library."""

EXCEPTIONS = {
    # Stock Mininet (``mn --custom``) asks a role for one of its own hosts, which only Mininet can
    # make.
    ("harness.topology.machines", "mininet.node.Host"),
    # It makes a topology, as the files in topologies/ do.
    ("harness.check.as_topology", "mininet.topo.Topo"),
}


ROOMS = {
    "calls": (),
    "guest": ("calls",),
    "making": (),
    "host": ("calls", "making"),
    "workers": ("calls", "guest"),
}
"""The rooms of kernels/, and which others each may import. ``guest`` is in another kernel than
``host``, and imports nothing of it.
"""


def imported(tree: ast.AST, package: str) -> Iterator[str]:
    """The dotted names that a module of ``package`` imports anywhere, also where it does so
    late.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")[: 1 - node.level or None] if node.level else []
            base = ".".join([*parents, *filter(None, [node.module])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


def changes_links(tree: ast.AST) -> bool:
    """Whether a module makes, changes or removes network links through pyroute2."""
    return any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "link"
        and bool(node.args)
        and isinstance(node.args[0], ast.Constant)
        and node.args[0].value in ("add", "set", "del")
        for node in ast.walk(tree)
    )


def violations(module: str, source: str, package: str | None = None) -> list[str]:
    """What the source text of ``module`` (``harness.lab.wires``) does that its layer may not.

    ``package`` is what its relative imports start from: ``module`` itself for an ``__init__``.
    """
    tree = ast.parse(source)
    layer = module.split(".")[1]
    if layer not in LAYERS:
        return [f"{module} is in no layer: give {layer} its place in LAYERS"]
    found = []
    for name in imported(tree, package or module.rpartition(".")[0]):
        top, _, rest = name.partition(".")
        target = rest.partition(".")[0]
        if layer not in CONFINED.get(top, (layer,)) and (module, name) not in EXCEPTIONS:
            found.append(
                f"{module} imports {name}, which is for {' and '.join(CONFINED[top])} alone"
            )
        if top == "harness" and target in LAYERS and LAYERS.index(target) > LAYERS.index(layer):
            found.append(f"{module} imports {name}, which is below it")
    if layer != "lab" and changes_links(tree):
        found.append(f"{module} changes links, which is for lab alone")
    return found


def test_modules_import_only_from_the_layers_above() -> None:
    found = []
    for file in sorted((ROOT / "harness").rglob("*.py")):
        parts = file.relative_to(ROOT).with_suffix("").parts
        package = ".".join(parts[:-1])
        module = package if parts[-1] == "__init__" else ".".join(parts)
        if module != "harness":
            found += violations(module, file.read_text(), package)
    assert found == []


def strangers(room: str, source: str) -> list[str]:
    """What a module in a room of kernels/ imports of rooms that are none of its business."""
    names = [name.split(".") for name in imported(ast.parse(source), f"harness.kernels.{room}")]
    rooms = [name[2] for name in names if name[:2] == ["harness", "kernels"] and name[2] in ROOMS]
    return [other for other in rooms if other != room and other not in ROOMS[room]]


@pytest.mark.parametrize("room", ROOMS)
def test_rooms_of_kernels_import_only_what_is_their_business(room: str) -> None:
    files = sorted((ROOT / "harness/kernels" / room).glob("*.py"))
    assert {
        file.name: found for file in files if (found := strangers(room, file.read_text()))
    } == {}


def test_an_import_from_another_room_is_found() -> None:
    assert strangers("guest", "from harness.kernels.host import relay") == ["host"]
    assert strangers("guest", "from harness.kernels.calls import linux") == []


def test_topologies_take_nothing_of_mininet_but_its_topo() -> None:
    names = {
        name
        for file in (ROOT / "topologies").rglob("*.py")
        for name in imported(ast.parse(file.read_text()), "topologies")
        if name.startswith("mininet")
    }
    assert {name for name in names if not name.startswith("mininet.topo.")} == set()


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("harness.clock", "from harness.lab import wires"),
        ("harness.clock", "from harness import lab"),
        ("harness.clock", "import harness.cluster"),
        ("harness.lab.wires", "from ..daemons import httpd"),
        ("harness.lab.wires", "def build():\n    from harness.cluster import Cluster"),
        ("harness.cluster", "import pytest"),
        ("harness.cli", "from _pytest.config import Config"),
        ("harness.topology.machines", "from mininet.node import Node"),
        ("harness.topology.vrrp", "from mininet.node import Host"),
        ("harness.faults.links", "def inject(ip):\n    ip.link('set', index=2, state='down')"),
        ("harness.helpers", ""),
    ],
)
def test_an_import_from_below_is_found(module: str, source: str) -> None:
    assert len(violations(module, source)) == 1


@pytest.mark.parametrize(
    ("module", "source"),
    [
        (
            "harness.lab.wires",
            "from . import machines\nfrom ..clock import now\nimport mininet.node",
        ),
        ("harness.lab.wires", "def build(ip):\n    ip.link('add', kind='veth')"),
        ("harness.observers.addresses", "def links(ip):\n    return ip.link('dump')"),
        ("harness.plugin", "import pytest\nfrom harness.cluster import Cluster"),
        ("harness.report", "from harness import timeline"),
    ],
)
def test_an_import_from_above_is_allowed(module: str, source: str) -> None:
    assert violations(module, source) == []


def test_every_file_that_the_architecture_page_names_is_there() -> None:
    """Whoever looks there for the place of a change must find it."""
    page = (ROOT / "docs/architecture.md").read_text("utf-8")
    named = re.findall(
        r"`((?:[a-z_]+/)+[a-z_]+\.(?:py|config|toml|md))`", page.partition("## Where each kind")[2]
    )
    assert len(named) > 20
    assert [file for file in named if not (ROOT / file).exists()] == []
