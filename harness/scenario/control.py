"""Controls: what is planted to prove that a scenario can fail, and whether the scenario caught it.

A scenario that passes proves little until it has been seen to fail. Each names the
misconfigurations or sabotages under which it must, and the statement that must notice it, by its
label (:mod:`harness.scenario.labels`).
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

from harness.cluster import Cluster
from harness.errors import HarnessError
from harness.faults.fault import Fault
from harness.lab.plan import Edits
from harness.nodes import Node


@dataclass(frozen=True)
class Control:
    """One planted thing: ``name`` says what, ``caught`` has the labels of the statements one of
    which must fail.

    It is planted by one or more of: ``topology`` (parameters of the topology, changed), ``config``
    (edits), ``fault`` (called with every node named in ``node``, gives the fault that it then
    suffers), ``sabotage`` (called with the settled cluster, which nobody gets afterwards).
    """

    name: str
    caught: tuple[str, ...]
    topology: Mapping[str, Any]
    config: Edits
    fault: Callable[[Any], Fault[Node]] | None
    node: tuple[str, ...]
    sabotage: Callable[[Cluster], object] | None

    @classmethod
    def of(
        cls,
        scenario: str,
        *names: str,
        caught: str | tuple[str, ...] = (),
        node: str | tuple[str, ...] = (),
        **how: Any,
    ) -> Control:
        """What ``pytest.mark.control(name, caught=..., ...)`` says. HarnessError names ``scenario``
        and the mistake.
        """
        known = [field.name for field in fields(cls)]
        labels = (caught,) if isinstance(caught, str) else tuple(caught)
        nodes = (node,) if isinstance(node, str) else tuple(node)
        problem = None
        if len(names) != 1:
            problem = "give it one name, first"
        elif unknown := [name for name in how if name not in known]:
            problem = f"it has no {', '.join(unknown)}; it takes {', '.join(known)}"
        elif not labels:
            problem = "caught= says by its label which statement must fail (# label: ...)"
        elif not any(how.values()):
            problem = "say what is planted: topology=, config=, fault= or sabotage="
        elif bool(nodes) != bool(how.get("fault")):
            problem = "fault= and node= go together"
        if problem:
            raise HarnessError(f"{scenario}: control {' '.join(map(repr, names))}: {problem}")
        given = {"topology": {}, "config": {}, "fault": None, "sabotage": None, **how}
        return cls(names[0], labels, node=nodes, **given)

    @contextlib.contextmanager
    def planted(self, cluster: Cluster) -> Iterator[None]:
        """Do to a settled cluster what is to be done while it runs, and undo the faults of it."""
        if self.fault is None and self.sabotage is None:
            yield
            return
        cluster.settle()
        with contextlib.ExitStack() as suffering:
            for name in self.node:
                assert self.fault is not None
                suffering.enter_context(
                    cluster.suffering(self.fault(_node(cluster, name)), at_once=True)
                )
            if self.sabotage is not None:
                self.sabotage(cluster)
            yield


def _node(cluster: Cluster, name: str) -> Node:
    if (found := cluster.nodes.get(name)) is None:
        raise HarnessError(
            f"a control names the node {name}, and the topology has {', '.join(cluster.nodes)}"
        )
    return found
