"""What all nodes have in common."""

from __future__ import annotations

import os
import shlex
import signal
import socket
from collections.abc import Callable
from typing import SupportsBytes

from harness.daemons.daemon import Daemon
from harness.errors import HarnessError
from harness.events import Channel
from harness.lab import devices
from harness.lab.machine import Machine, Process
from harness.lab.plan import HostPlan, Plan

IPTABLES = "iptables-legacy"
LogPipe = Callable[["Node", Daemon], int]
"""Gives the write end of a pipe for the output of a daemon; whoever asked closes it."""


class Node:
    """A node of the cluster through all its lives: its machine may be powered off and on again."""

    daemons: tuple[Daemon, ...] = ()

    def __init__(self, host: HostPlan, plan: Plan, log_pipe: LogPipe) -> None:
        self.plan = host
        self.name = host.name
        self.machine: Machine  # given by the cluster as soon as the power is on
        self._processes: dict[str, Process] = {}
        self._network = plan
        self._log_pipe = log_pipe

    @property
    def ip(self) -> str:
        """The machine's own address on its first LAN."""
        return self.plan.interface().address.ip.compressed

    @property
    def mac(self) -> str:
        """The hardware address at which others reach it on its first LAN."""
        return devices.main_mac(self.plan)

    @property
    def macs(self) -> set[str]:
        """All its hardware addresses."""
        return devices.macs(self.plan)

    @property
    def fifos(self) -> dict[Channel, str]:
        """Channels on which its daemon tells of itself, with the paths of the FIFOs."""
        return {}

    def prepare(self) -> None:
        """Put the configuration in place, on a machine that has just been switched on."""
        devices.make(self.machine)
        for program in self.plan.role.runs:
            for path, text in program.files.items():
                self.machine.write(path, text)
        for rule in self.plan.role.firewall:
            self.machine.run([IPTABLES, *shlex.split(rule)])
        for name, value in self.plan.role.sysctl.items():
            self.machine.set_sysctl(name, value)

    def send(self, packet: SupportsBytes, interface: str | None = None) -> None:
        """Send an Ethernet frame from an interface, the first one by default: a scapy packet, or
        bytes.

        Raises HarnessError if the packet cannot be built, or the interface cannot send it.
        """
        if type(packet).__name__ not in ("Ether", "bytes"):
            kind = type(packet).__name__
            raise HarnessError(
                f"{self.name}: a frame begins with Ether(), not with {kind}: Ether() / {kind}(...)"
            )
        try:
            frame = bytes(packet)
        except (
            Exception
        ) as problem:  # scapy raises what its fields raise: struct.error, OSError, TypeError, ...
            raise HarnessError(f"{self.name}: scapy cannot build the packet: {problem}") from None
        name = self.plan.interface(interface).name
        if not self.machine.powered:
            raise HarnessError(f"{self.name} is powered off: it cannot send anything")
        with self.machine.inside(), socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as wire:
            try:
                wire.bind((name, 0))
                wire.send(frame)
            except OSError as problem:
                raise HarnessError(
                    f"{self.name}: cannot send from {name}: {problem.strerror}"
                ) from None

    def start(self, daemon: Daemon) -> None:
        """Start one of its daemons; whether it serves shows in its log."""
        writer = self._log_pipe(self, daemon)
        try:
            with open(os.devnull, "rb") as null:
                self._processes[daemon.name] = self.machine.spawn(
                    daemon.argv, null.fileno(), writer, writer
                )
        except FileNotFoundError:
            raise HarnessError(
                f"{self.name}: there is no {daemon.argv[0]}; install it: apt-get install"
                f" {daemon.package}"
            ) from None
        finally:
            os.close(writer)

    def process(self, daemon: Daemon | None = None) -> Process:
        """The process of a daemon, the first one by default. Raises HarnessError if it does not
        run.
        """
        if daemon is None and not self.daemons:
            raise HarnessError(f"{self.name} runs no daemon")
        wanted = self.daemons[0] if daemon is None else daemon
        process = self._processes.get(wanted.name)
        if not self.machine.powered or process is None or process.status is not None:
            raise HarnessError(f"{self.name}: {wanted.name} does not run")
        return process

    @property
    def idle(self) -> list[Daemon]:
        """Those of its daemons that do not run, as far as its machine has reported."""
        running = {name for name, process in self._processes.items() if process.status is None}
        return [
            daemon
            for daemon in self.daemons
            if not self.machine.powered or daemon.name not in running
        ]

    def daemon_of(self, process: Process) -> Daemon | None:
        """Which daemon a process is; None if it is another program."""
        return next((daemon for daemon in self.daemons if daemon.argv == process.argv), None)

    def stop(self, daemon: Daemon | None = None) -> None:
        """Stop a daemon, the first one by default, in its own orderly way and wait for its end."""
        process = self.process(daemon)
        process.send_signal(signal.SIGTERM)
        process.wait()

    def kill(self, daemon: Daemon | None = None) -> None:
        """Have a daemon, the first one by default, and all its children die at once, and wait for
        its end.
        """
        process = self.process(daemon)
        self.signal_all(signal.SIGKILL, daemon)
        process.wait()

    def signal_all(self, number: int, daemon: Daemon | None = None) -> None:
        """Send a signal to a daemon, the first one by default, and all its children."""
        self.machine.kill(-self.process(daemon).pid, number)
