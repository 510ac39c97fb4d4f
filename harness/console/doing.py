"""What is done to the cluster from the prompt: faults, configurations, load."""

from __future__ import annotations

import contextlib
from typing import Any

from harness.cluster import Cluster
from harness.console import naming
from harness.console.typed import Typed, split
from harness.errors import HarnessError
from harness.events import Request
from harness.faults.fault import Fault
from harness.nodes import DirectorNode, Node
from harness.observers.client import Load
from harness.observers.requests import GIVEN_UP


class Doing(Typed):
    """Faults by their names, and what else changes the cluster."""

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(cluster)
        self._injected: list[Fault[Node]] = []
        self._edits: dict[str, list[tuple[str, str]]] = {}
        self._load: Load | None = None

    def default(self, line: str) -> None:
        """FAULT NODE..., or NODE COMMAND..."""
        word = line.split(None, 1)[0]
        if word in self._cluster.nodes or word.lower() not in {*naming.FAULTS, *naming.SHORT}:
            super().default(line)
            return
        services = [one for each in self._cluster.directors for one in each.role.services]
        fault = naming.fault(word.lower(), split(line)[1:], self._cluster.nodes, services)
        fault.check()
        self._strike(fault)

    def beginnings(self) -> list[str]:
        """Faults are words, too."""
        return [*super().beginnings(), *naming.FAULTS, *naming.SHORT]

    def _strike(self, fault: Fault[Node]) -> None:
        try:
            struck = self._cluster.inject(fault)
        except (HarnessError, OSError):
            with contextlib.suppress(HarnessError, OSError):
                self._cluster.heal(fault)  # of what it had done before it failed
            raise
        self._injected.append(fault)
        self._script.inject(fault, self._nodes)
        print(f"{fault.node.name} suffers from {fault.name} since {struck:.3f} s; `heal` ends it")

    def do_faults(self, line: str) -> None:
        """List the faults, with what each takes."""
        for name, kind in naming.FAULTS.items():
            print(f"{name} {naming.usage(kind)}\n    {naming.about(kind)}")
        print(*(f"{word}: {' or '.join(names)}" for word, names in naming.SHORT.items()), sep="\n")

    def do_heal(self, line: str) -> None:
        """heal [NODE] [FAULT]: heal what was injected, of one node or of one name, or all of it."""
        words = {word.lower() for word in split(line)}
        names = {name for word in words for name in (word, *naming.SHORT.get(word, ()))}
        wanted = [
            fault
            for fault in self._injected
            if not words or names & {fault.node.name.lower(), type(fault).__name__.lower()}
        ]
        if not wanted:
            print("nothing suffers from that" if words else "nothing suffers")
        for fault in wanted:
            self._heal(fault)

    def complete_heal(self, text: str, *ignored: Any) -> list[str]:
        """What suffers, and from what."""
        words = {word for each in self._injected for word in (each.node.name, type(each).__name__)}
        return sorted(word for word in words if word.lower().startswith(text.lower()))

    def _heal(self, fault: Fault[Node]) -> None:
        healed = self._cluster.heal(fault)
        self._injected = [each for each in self._injected if each != fault]
        self._script.heal(fault)
        print(f"{fault.node.name} no longer suffers from {fault.name}, at {healed:.3f} s")

    # -- configurations --------------------------------------------------------

    def do_edit(self, line: str) -> None:
        """edit DIRECTOR OLD NEW: replace text in its keepalived.conf, and have it read it again."""
        words = split(line)
        if len(words) != 3:
            print('say what is to become of which text: edit director1 "priority 90" "priority 80"')
            return
        name, old, new = words
        edits = [*self._edits.get(name, []), (old, new)]
        self._reload(name, edits)
        self._edits[name] = edits

    def do_reload(self, line: str) -> None:
        """reload DIRECTOR: have keepalived read its configuration again, with what was edited."""
        name = line.strip()
        self._reload(name, self._edits.get(name, []))

    def _reload(self, name: str, edits: list[tuple[str, str]]) -> None:
        director = self.node(name)
        if not isinstance(director, DirectorNode):
            raise HarnessError(f"{name} is no director: it has no keepalived.conf")
        at = director.reload(*edits)
        known = self._script.node(director, self._nodes)
        self._script.add(f"{known}.reload({', '.join(map(repr, edits))})")
        print(f"{name} reads its configuration at {at:.3f} s")

    # -- load ------------------------------------------------------------------

    def do_load(self, line: str) -> None:
        """load RATE|off: requests a second from the client to the first service."""
        if line.strip() == "off":
            self._end_load()
            return
        try:
            rate = float(line)
        except ValueError:
            rate = 0.0
        if not 0 < rate <= 1000:
            print("say how many requests a second, 1000 at most: load 20; or: load off")
            return
        self._end_load()
        client, recorder = self._cluster.client, self._cluster.recorder
        self._load = recorder.load(client.machine, client.target(), rate)
        self._began = self._cluster.timeline.now()
        self._script.begin(f"cluster.client.load({rate:g})")
        print(f"{rate:g} requests a second from now on; `load off` says what came of them")

    def _end_load(self) -> None:
        if self._load is None:
            return
        self._cluster.recorder.end_load(self._load)
        self._load = None
        self._script.end()
        requests = self._cluster.timeline.events(Request, since=self._began)
        over = [request for request in requests if request.error != GIVEN_UP]
        by_answer: dict[str, int] = {}
        for request in over:
            answer = request.server or request.error or str(request.status)
            by_answer[answer] = by_answer.get(answer, 0) + 1
        counts = ", ".join(f"{count} {answer}" for answer, count in by_answer.items())
        left = len(requests) - len(over)
        under_way = f"; {left} under way when the load ended" if left else ""
        print(f"{len(over)} requests: {counts or 'nothing came of them'}{under_way}")

    def completenames(self, text: str, *ignored: Any) -> list[str]:
        """Faults can be completed as commands can."""
        return [
            *super().completenames(text, *ignored),
            *self._beginning((*naming.FAULTS, *naming.SHORT), text),
        ]
