"""Mininet's words."""

from __future__ import annotations

import subprocess
import sys
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness import faults
from harness.cluster import Cluster
from harness.console.doing import Doing
from harness.console.typed import split
from harness.errors import HarnessError
from harness.kernels import choice
from harness.nodes import Node

_PING = ("ping", "-c", "1", "-W", "1", "-q")


class Mininet(Doing):
    """What somebody who knows Mininet types."""

    def __init__(self, cluster: Cluster) -> None:
        super().__init__(cluster)
        self._known: dict[str, Any] = {}

    def do_nodes(self, line: str) -> None:
        """List the nodes."""
        print("available nodes are:", *self._cluster.nodes)

    def do_net(self, line: str) -> None:
        """List who is wired to which LAN."""
        for host in self._cluster.plan.hosts:
            print(host.name, *(f"{each.name}:{each.lan}" for each in host.interfaces))

    def do_intfs(self, line: str) -> None:
        """List the interfaces of every node."""
        for name, node in self._cluster.nodes.items():
            print(f"{name}: {','.join(each.name for each in node.plan.interfaces)}")

    def do_dump(self, line: str) -> None:
        """List nodes with role, addresses and daemon."""
        for name, node in self._cluster.nodes.items():
            addresses = [
                f"{each.name}:{address}"
                for each in node.plan.interfaces
                for address in each.addresses
            ]
            power = "" if node.machine.powered else " (powered off)"
            print(f"<{type(node.plan.role).__name__} {name}: {','.join(addresses)}>{power}")

    def do_pingall(self, line: str) -> None:
        """Have every node ping every other by name."""
        for name, node in self._on():
            reached = [
                other if self._pings(node, other) else "X"
                for other, _ in self._on()
                if other != name
            ]
            print(f"{name} -> {' '.join(reached)}")

    def _on(self) -> Iterator[tuple[str, Node]]:
        return ((name, node) for name, node in self._cluster.nodes.items() if node.machine.powered)

    def _pings(self, node: Node, other: str) -> bool:
        return node.machine.run([*_PING, other], check=False).returncode == 0

    # -- wires -----------------------------------------------------------------

    def do_links(self, line: str) -> None:
        """List the wires, and which are unplugged."""
        for node in self._nodes:
            for each in node.plan.interfaces:
                pulled = self._pulled(node, each.name) is not None
                print(f"{node.name}-{each.name}<->{each.lan} ({'unplugged' if pulled else 'OK'})")

    def do_link(self, line: str) -> None:
        """link NODE LAN up|down: plug a wire, or pull it."""
        words = split(line)
        if len(words) != 3 or words[2] not in ("up", "down"):
            print("say which wire, and up or down: link director1 lan down")
            return
        first, second, way = words
        name, lan = (first, second) if first in self._cluster.nodes else (second, first)
        node = self.node(name)
        wires = [each.name for each in node.plan.interfaces if each.lan == lan]
        if not wires:
            lans = sorted({each.lan for each in node.plan.interfaces})
            raise HarnessError(f"{name} is not wired to {lan}, but to {' and '.join(lans)}")
        pulled = self._pulled(node, wires[0])
        if way == "down" and pulled is None:
            self._strike(faults.Unplug(node, wires[0]))
        elif way == "up" and pulled is not None:
            self._heal(pulled)
        else:
            print(f"{name}-{wires[0]} is {way} already")

    def _pulled(self, node: Node, interface: str) -> faults.Fault[Node] | None:
        for each in self._injected:
            ours = isinstance(each, faults.Unplug) and each.node is node
            if ours and getattr(each, "interface", None) in (None, interface):
                return each
        return None

    # -- this machine ----------------------------------------------------------

    def do_sh(self, line: str) -> None:
        """sh COMMAND...: run it beside the nodes, where the harness itself runs."""
        if line.strip():
            stdin = subprocess.DEVNULL if choice.virtual() else None
            ended = subprocess.run(["sh", "-c", line], check=False, stdin=stdin)
            if ended.returncode:
                print(f"(sh ended with {ended.returncode})")

    def do_py(self, line: str) -> None:
        """py EXPRESSION: evaluate Python; `cluster` and the nodes are there by their names."""
        self._python(line, "eval")

    def do_px(self, line: str) -> None:
        """px STATEMENT: execute Python, as `py` does."""
        self._python(line, "exec")

    def _python(self, line: str, mode: str) -> None:
        known = {name.replace("-", "_"): node for name, node in self._cluster.nodes.items()}
        self._known.update({**vars(faults), **known, "cluster": self._cluster})
        try:
            answer = eval(compile(line, "<prompt>", mode), self._known)
        except HarnessError:
            raise
        except Exception as problem:
            print("".join(traceback.format_exception_only(problem)).strip())
        else:
            if answer is not None:
                print(repr(answer) if not isinstance(answer, str) else answer)
        sys.stdout.flush()

    def do_source(self, line: str) -> bool:
        """source FILE: take commands from a file."""
        try:
            lines = Path(line.strip()).read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as problem:
            raise HarnessError(f"cannot read {line.strip()}: {problem}") from None
        for each in lines:
            if each.strip() and not each.lstrip().startswith("#"):
                print(f"{self.prompt}{each}")
                if self.onecmd(each):
                    return True
        return False

    def do_xterm(self, line: str) -> None:
        """There is no terminal window here."""
        print("there are no terminal windows here: say NODE COMMAND, such as: director1 ip address")
