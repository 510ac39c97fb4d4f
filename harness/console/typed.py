"""What all words at the prompt share: lines, commands on nodes, completion."""

from __future__ import annotations

import cmd
import contextlib
import difflib
import os
import re
import shlex
import signal
from collections.abc import Sequence
from typing import Any

from harness.cluster import Cluster
from harness.console.saving import Script
from harness.errors import HarnessError
from harness.kernels import choice
from harness.kernels.host.interrupts import Ended
from harness.nodes import Node

_SHELL = re.compile(r"[|<>;&$`*?()~]")
"""What makes a line one for a shell."""


class Typed(cmd.Cmd):
    """Takes a line apart. What it finds wrong with it, or with the cluster, is told, and is not the
    end.
    """

    def __init__(self, cluster: Cluster) -> None:
        super().__init__()
        self._cluster = cluster
        self._script = Script()

    @property
    def _nodes(self) -> list[Node]:
        return list(self._cluster.nodes.values())

    def onecmd(self, line: str) -> bool:
        """One command."""
        try:
            return bool(super().onecmd(line))
        except FileNotFoundError as problem:
            print(f"{problem.strerror or problem}: is it installed?")
        except (HarnessError, OSError) as problem:
            print(problem)
        return False

    def default(self, line: str) -> None:
        """NODE COMMAND..."""
        name, _, rest = line.strip().partition(" ")
        if (node := self._cluster.nodes.get(name)) is None:
            word = split(line)[0]
            likely = difflib.get_close_matches(word.lower(), self.beginnings(), n=1)
            meant = f"did you mean {likely[0]}? " if likely else ""
            told = f"{meant}nodes: {' '.join(self._cluster.nodes)}"
            print(f"no such command or node: {word}; {told}")
        elif not rest.strip():
            print(f"say what {name} is to run: {name} ip address")
        else:
            command = ["sh", "-c", rest.strip()] if _SHELL.search(rest) else split(rest)
            self._run(node, command)

    def beginnings(self) -> list[str]:
        """All that a line may begin with."""
        commands = [name.removeprefix("do_") for name in self.get_names() if name[:3] == "do_"]
        return [*commands, *self._cluster.nodes]

    def note(self, node: Node, command: list[str]) -> None:
        """A command began to run on a node, which `save` writes down; one that could not is no part
        of the scenario.
        """
        name = self._script.node(node, self._nodes)
        self._script.add(f"{name}.machine.run({command!r}, check=False)")

    def _run(self, node: Node, command: list[str]) -> None:
        """In virtual time without input: the clock would race on while a program waits for a
        person.
        """
        with contextlib.ExitStack() as stack:
            null = stack.enter_context(open(os.devnull, "rb"))
            stdin = null.fileno() if choice.virtual() else 0
            try:
                process = node.machine.spawn(command, stdin, 1, 2)
            except FileNotFoundError:
                print(f"{node.name}: no such program: {command[0]}")
                return
            self.note(node, command)
            try:
                status = process.wait()
            except Ended:
                raise
            except KeyboardInterrupt:
                process.send_signal(signal.SIGINT)
                status = process.wait()
        if status:
            print(f"({node.name}: {command[0]} ended with {status})")

    def completenames(self, text: str, *ignored: Any) -> list[str]:
        """Nodes can be completed as commands can."""
        return super().completenames(text, *ignored) + self._beginning(self._cluster.nodes, text)

    def completedefault(self, text: str, *ignored: Any) -> list[str]:
        """Nodes are what most words take."""
        return self._beginning(self._cluster.nodes, text)

    @staticmethod
    def _beginning(words: Any, text: str) -> list[str]:
        return [word for word in words if word.startswith(text)]

    def node(self, name: str) -> Node:
        """The node of that name. HarnessError if there is none."""
        if (node := self._cluster.nodes.get(name)) is None:
            raise HarnessError(f"no node {name}; nodes: {' '.join(self._cluster.nodes)}")
        return node


def split(line: str) -> list[str]:
    """The words of a line, quoted as a shell's are. HarnessError if a quotation is not closed."""
    try:
        words: Sequence[str] = shlex.split(line)
    except ValueError as problem:
        raise HarnessError(f"cannot read that: {problem}") from None
    return list(words)
