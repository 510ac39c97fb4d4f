"""What was typed, as the scenario that does the same. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import fields
from typing import Any

from harness.faults.fault import Fault
from harness.nodes import ClientNode, DirectorNode, Node, RealServerNode
from harness.spec import Origin
from harness.topology import VirtualService

_INDENT = "    "
_NAME = re.compile(r"[a-z][a-z0-9_]*", re.ASCII)


class Script:
    """The lines of a scenario, deed by deed."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._depth = 1
        self._used: dict[str, str] = {}
        self._faults: list[tuple[Fault[Node], str]] = []
        self._imports: set[str] = set()

    @property
    def is_empty(self) -> bool:
        """Whether nothing was done that a scenario could do again."""
        return not self._lines

    def add(self, line: str) -> None:
        """A deed."""
        self._lines.append(_INDENT * self._depth + line)

    def begin(self, line: str) -> None:
        """A deed that lasts: what follows happens meanwhile."""
        self.add(f"with {line}:")
        self._depth += 1

    def end(self) -> None:
        """It is over."""
        if self._lines[-1].endswith(":"):
            self.add("pass")
        self._depth -= 1

    def node(self, node: Node, among: Sequence[Node]) -> str:
        """What a machine is called in the scenario; it is looked up at the scenario's beginning."""
        name = re.sub(r"\W", "_", node.name)
        name = name if _NAME.fullmatch(name) else f"node_{name}".lower()
        self._used[name] = _looked_up(node, among)
        return name

    def inject(self, fault: Fault[Node], among: Sequence[Node]) -> None:
        """A fault strikes."""
        name = type(fault).__name__
        self._imports.add(name)
        words = [self.node(fault.node, among)]
        for field in fields(fault)[1:]:
            value = getattr(fault, field.name)
            if value != field.default:
                words.append(f"{field.name}={self._written(value, among)}")
        variable = f"fault{len(self._faults) + 1}"
        self._faults.append((fault, variable))
        self.add(f"{variable} = {name}({', '.join(words)})")
        self.add(f"cluster.inject({variable})")

    def heal(self, fault: Fault[Node]) -> None:
        """A fault is healed, unless it struck before this script began."""
        for each, variable in self._faults:
            if each == fault:
                self.add(f"cluster.heal({variable})")

    def _written(self, value: Any, among: Sequence[Node]) -> str:
        if isinstance(value, Node):
            return self.node(value, among)
        if isinstance(value, VirtualService):
            for node in among:
                if isinstance(node, DirectorNode) and value in node.role.services:
                    number = [*node.role.services].index(value)
                    return f"{self.node(node, among)}.role.services[{number}]"
        return json.dumps(value) if isinstance(value, str) else repr(value)

    def module(
        self, name: str, origin: Origin, judged: Iterable[str], lasting: Iterable[Fault[Node]]
    ) -> str:
        """The whole file; ``judged`` are its assertions, after which ``lasting`` faults are healed.
        What lasts at the prompt goes on there.
        """
        lines = [*self._lines]
        if self._depth > 1 and lines[-1].endswith(":"):
            lines.append(_INDENT * self._depth + "pass")
        healed = [
            f"{_INDENT}cluster.heal({name})" for fault, name in self._faults if fault in [*lasting]
        ]
        imports = [
            "from harness.cluster import Cluster",
            *(
                [f"from harness.faults import {', '.join(sorted(self._imports))}"]
                * bool(self._faults)
            ),
            "from harness.scenario import topology",
            *origin.imports,
        ]
        if any("=Impairment(" in line for line in self._lines):
            imports.append("from harness.lab.impairment import Impairment")
        looked_up = [f"{_INDENT}{name} = {found}" for name, found in self._used.items()]
        judgements = [f"{_INDENT}assert {each}" for each in judged]
        return "\n".join(
            [
                '"""What was typed at the prompt of `lvs-harness up`."""',
                "",
                *sorted(imports),
                "",
                f"pytestmark = topology({origin.expression})",
                "",
                "",
                f"def test_{name}(cluster: Cluster) -> None:",
                f'{_INDENT}"""Say here why the cluster should do what the last lines assert."""',
                f"{_INDENT}cluster.settle()",
                *looked_up,
                *lines,
                *judgements,
                *healed,
                "",
            ]
        )


def _looked_up(node: Node, among: Sequence[Node]) -> str:
    """``cluster.directors[0]``."""
    if isinstance(node, ClientNode):
        return (
            "cluster.client" if _first(node, among, ClientNode) else f'cluster.nodes["{node.name}"]'
        )
    for kind, name in ((DirectorNode, "directors"), (RealServerNode, "real_servers")):
        alike = [each for each in among if isinstance(each, kind)]
        if node in alike:
            return f"cluster.{name}[{alike.index(node)}]"
    return f'cluster.nodes["{node.name}"]'


def _first(node: Node, among: Sequence[Node], kind: type[Node]) -> bool:
    return node is next(each for each in among if isinstance(each, kind))
