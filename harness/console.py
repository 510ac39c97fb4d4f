"""The prompt at a living cluster, with the words of Mininet's: ``director1 ipvsadm -Ln``.

Mininet's own ``mininet.cli.CLI`` cannot be had: it talks to a shell that runs in every node, and
here none does.
"""

from __future__ import annotations

import cmd
import contextlib
import math
import os
import shlex
import shutil
import signal
import sys
from collections.abc import Iterator
from typing import Any

from harness.cluster import Cluster
from harness.daemons.nodes import Node
from harness.errors import HarnessError
from harness.events import Advertisement
from harness.kernels import choice
from harness.kernels.host.interrupts import Ended
from harness.report import table
from harness.report.evidence import described

_PING = ("ping", "-c", "1", "-W", "1", "-q")


class Console(cmd.Cmd):
    """Reads commands until ``exit`` or the end of the input. In virtual time the clock stands still
    at the prompt.
    """

    prompt = "lvs> "

    def __init__(self, cluster: Cluster) -> None:
        super().__init__()
        self._cluster = cluster

    def run(self, reason: str) -> None:
        """Say why it is here, and be here."""
        print(
            f"\n{reason}\nThe cluster is alive: {' '.join(self._cluster.nodes)}. Say"
            " `help`, or `exit` to go on."
        )
        if choice.virtual():
            print("Virtual time stands still at this prompt; `pass SECONDS` lets some pass.")
        sys.stdout.flush()
        while True:
            try:
                self.cmdloop()
            except Ended:
                raise
            except KeyboardInterrupt:
                print("\n(interrupted; `exit` goes on)")
                continue
            return

    # -- words of Mininet's ----------------------------------------------------

    def default(self, line: str) -> None:
        """NODE COMMAND..."""
        try:
            name, *command = shlex.split(line)
        except ValueError as problem:
            print(f"cannot read that: {problem}")
            return
        if (node := self._cluster.nodes.get(name)) is None:
            print(f"no such command or node: {name}; nodes: {' '.join(self._cluster.nodes)}")
        elif not command:
            print(f"say what {name} is to run: {name} ip address")
        else:
            self._run(node, command)

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
            except (OSError, HarnessError) as problem:
                print(problem)
                return
            try:
                status = process.wait()
            except Ended:
                raise
            except KeyboardInterrupt:
                process.send_signal(signal.SIGINT)
                status = process.wait()
        if status:
            print(f"({node.name}: {command[0]} ended with {status})")

    def do_help(self, line: str) -> None:
        """help: this list."""
        said = {"NODE COMMAND...": "Run it on a node: director1 ipvsadm -Ln."}
        for word in sorted(
            name.removeprefix("do_") for name in self.get_names() if name.startswith("do_")
        ):
            if word != "EOF":
                usage, colon, about = (getattr(self, f"do_{word}").__doc__ or "").partition(": ")
                said[usage if colon else word] = about if colon else usage
        width = max(map(len, said))
        print(
            "\n".join(
                f"{usage:<{width}}  {about[:1].upper()}{about[1:]}" for usage, about in said.items()
            )
        )
        if choice.virtual():
            print(
                "Commands get no input: time stands still at this prompt, and would"
                " race on while one waited for you."
            )

    def emptyline(self) -> bool:
        """An empty line does nothing."""
        return False

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

    # -- words of its own ------------------------------------------------------

    def do_owners(self, line: str) -> None:
        """Say who holds the VIP."""
        print(f"{self._cluster.vip}: {' '.join(self._cluster.owners()) or 'nobody'}")

    def do_timeline(self, line: str) -> None:
        """timeline [N]: the last N events (20), in milliseconds since the cluster was built."""
        if not (line.strip() or "20").isdigit():
            print("say how many events: timeline 50")
            return
        timeline = self._cluster.timeline
        timeline.events(Advertisement)
        count = int(line.strip() or 20)
        nodes = described(self._cluster.plan)["nodes"]
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
        print(
            table.render(
                timeline.events(since=timeline.mark), nodes, last=count, width=width, zero=0.0
            )
        )

    def do_pass(self, line: str) -> None:
        """pass SECONDS: let time pass."""
        try:
            seconds = float(line)
        except ValueError:
            seconds = math.nan
        if not 0 <= seconds < math.inf:
            print("say how many seconds: pass 5")
            return
        self._cluster.timeline.let_pass(seconds)
        print(f"it is {self._cluster.timeline.now():.3f} s since the cluster was built")

    def do_exit(self, line: str) -> bool:
        """Go on."""
        return True

    do_quit = do_exit

    def do_EOF(self, line: str) -> bool:
        """The end of the input goes on, too."""
        print()
        return True

    def onecmd(self, line: str) -> bool:
        """One command; what it finds wrong with the cluster is told, and is not the end."""
        try:
            return bool(super().onecmd(line))
        except FileNotFoundError as problem:
            print(f"{problem.strerror or problem}: is it installed?")
        except (HarnessError, OSError) as problem:
            print(problem)
        return False

    def completenames(self, text: str, *ignored: Any) -> list[str]:
        """Nodes can be completed as commands can."""
        return super().completenames(text, *ignored) + [
            name for name in self._cluster.nodes if name.startswith(text)
        ]
