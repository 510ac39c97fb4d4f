"""What all nodes have in common."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import signal
import socket
from collections.abc import Callable
from typing import Any, SupportsBytes

from harness.clock import Instant
from harness.daemons.daemon import Daemon
from harness.daemons.firewall import FIREWALLS
from harness.errors import HarnessError
from harness.events import Arp, Channel, DaemonChanged, Event, Log, Request
from harness.lab import devices
from harness.lab.machine import Machine, Process
from harness.lab.plan import HostPlan, Plan
from harness.nodes.context import Context
from harness.observers import protocols
from harness.observers.requests import Target
from harness.timeline import EVER, TooLate
from harness.topology import VirtualService

IPTABLES = FIREWALLS[4]
NFT = "nft"
NFTABLES_CONF = "/etc/nftables.conf"
_LOOKS = 100
"""How often it is asked whether killed children are gone, each of which gives others the processor;
most are at once, and those that held a socket took up to 16 looks.
"""


class Node:
    """A node of the cluster through all its lives: its machine may be powered off and on again.

    Without a ``context`` it is one that is only planned: it can say what it is to be, and neither
    does anything nor is waited for.
    """

    daemons: tuple[Daemon, ...] = ()

    def __init__(self, host: HostPlan, plan: Plan, context: Context | None = None) -> None:
        self.plan = host
        self.name = host.name
        self.machine: Machine  # given by the cluster as soon as the power is on
        self._processes: dict[str, Process] = {}
        self._network = plan
        self._context = context

    @property
    def context(self) -> Context:
        """What it shares with the other nodes of a cluster. Raises HarnessError if it is only
        planned.
        """
        if self._context is None:
            raise HarnessError(f"{self.name} is planned, and no cluster with it is there")
        return self._context

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
                self.machine.write(path, text, 0o755 if path == program.argv[0] else 0o644)
        for rule in self.plan.role.firewall:
            self.machine.run([IPTABLES, *shlex.split(rule)])
        if self.plan.role.nftables:
            self.machine.write(NFTABLES_CONF, self.plan.role.nftables)
            self.machine.run([NFT, "-f", NFTABLES_CONF])
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
        recorder = self.context.recorder
        writer = recorder.log_pipe(self.machine, daemon.name, self.reader(daemon))
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
        except OSError as problem:
            raise HarnessError(
                f"{self.name}: cannot run {daemon.argv[0]}: {problem.strerror}"
            ) from None
        finally:
            os.close(writer)

    def reader(self, daemon: Daemon) -> Callable[[str], None]:
        """What is called with each line that a daemon prints, in the recorder's thread."""
        return lambda line: None

    def wait_serving(self, daemon: Daemon, since: Instant) -> Instant:
        """Wait until a daemon that was started at ``since`` says that it serves; returns when it
        said so.

        Raises HarnessError if it has ended instead, and TooLate if it says nothing of the kind.
        """
        ready, timeline = daemon.ready, self.context.timeline
        if ready is None:
            return since

        def matters(event: Event) -> bool:
            return event.node == self.name and isinstance(event, Log | DaemonChanged)

        def said() -> Event | None:
            for event in timeline.events(Log, DaemonChanged, node=self.name, since=since):
                if isinstance(event, Log):
                    if event.daemon == daemon.name and ready.search(event.line):
                        return event
                elif event.action == "ended" and event.name == daemon.name:
                    raise HarnessError(
                        f"{self.name}: {daemon.name} ended with {event.status},"
                        f" not serving: {self._last_words()}"
                    )
            return None

        until = since + self.context.starting
        try:
            return timeline.wait_until(
                said, until, f"{self.name}: {daemon.name} serves", matters
            ).at
        except TooLate as problem:
            raise TooLate(
                f"{problem}: it has not said {ready.pattern!r}; its last words:"
                f" {self._last_words()}"
            ) from None

    def _last_words(self, lines: int = 3) -> str:
        logs = self.context.timeline.events(Log, node=self.name)
        said = [event.line for event in logs if event.line]
        return " | ".join(said[-lines:]) or "it said nothing"

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

        A child ends when it has the processor next, which may be after its parent, and holds its
        sockets until then: whoever starts the daemon at once would find the port in use. So the
        others are given the processor a few times. One that has ended stays in the process table
        for a while, and holds nothing any more.
        """
        process = self.process(daemon)
        self.signal_all(signal.SIGKILL, daemon)
        process.wait()
        with contextlib.suppress(ProcessLookupError):
            for _ in range(_LOOKS):
                self.machine.kill(-process.pid, 0)

    def signal_all(self, number: int, daemon: Daemon | None = None) -> None:
        """Send a signal to a daemon, the first one by default, and all its children."""
        self.machine.kill(-self.process(daemon).pid, number)

    # -- what can be seen of it --------------------------------------------------------------------

    def said(self, pattern: str, since: Instant = EVER) -> list[Log]:
        """The log lines of its daemons that a regular expression is found in."""
        self.context.let_slack_pass()
        logs = self.context.timeline.events(Log, node=self.name, since=since)
        return [event for event in logs if re.search(pattern, event.line)]

    def processes(self) -> list[str]:
        """The command lines of all processes of its machine, the machine's own pid 1 left out, in
        the order of their numbers.
        """
        shown = self.machine.run(["ps", "-e", "-o", "pid=,ppid=,args=", "--sort=pid"]).stdout
        lines = [line.split(None, 2) for line in shown.splitlines()]
        return [args for pid, _, args in lines if pid != "1" and not args.startswith("ps -e ")]

    def martians(self) -> int:
        """How many packets the kernel has refused for their source address (``in_martian_src``; of
        all machines).
        """
        names, counts, *_ = self.machine.read("/proc/net/stat/rt_cache").splitlines()
        return int(counts.split()[names.split().index("in_martian_src")], 16)

    def neighbour(self, address: str) -> str | None:
        """The hardware address that its machine has in its ARP table or its neighbour cache; None
        if it has none.
        """
        if ":" in address:
            command = ["ip", "-6", "neighbour", "show", "to", address]
            shown = self.machine.run(command).stdout.split()
            return shown[shown.index("lladdr") + 1] if "lladdr" in shown else None
        for line in self.machine.read("/proc/net/arp").splitlines()[1:]:
            ip, _, _, mac, *_ = line.split()
            if ip == address:
                return mac
        return None

    # -- what it sends -----------------------------------------------------------------------------

    def target(self, service: VirtualService | None = None, **how: Any) -> Target:
        """Where requests to a service go (None: the first one of the first director, or port 80 of
        the first VIP); ``how``: see :class:`Target`.
        """
        return self.context.target(service, **how)

    def fetch(self, count: int, service: VirtualService | None = None, **how: Any) -> list[Request]:
        """Send ``count`` requests to a service, one after the other; returns their events. See
        :meth:`target`.
        """
        target, recorder = self.target(service, **how), self.context.recorder
        return [recorder.fetch(self.machine, target) for _ in range(count)]

    def forget_path_mtu(self) -> None:
        """Have its machine forget what it learned of links that take less than its own."""
        for family in ("-4", "-6"):
            self.machine.run(["ip", family, "route", "flush", "cache"])

    def ask_arp(self, address: str, count: int) -> list[Arp]:
        """Broadcast ``count`` ARP questions for an address; returns the answers, as they left the
        machines.
        """
        timeline = self.context.timeline
        # a kernel tells of a new address before it answers for it
        self.context.let_slack_pass()
        began = timeline.now()
        with self.machine.inside(), socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as wire:
            wire.bind((self.plan.main_device, 0))
            for _ in range(count):
                wire.send(protocols.arp_question(self.mac, self.ip, address))
        self.context.let_slack_pass()
        answers = timeline.events(Arp, since=began, sent=True, operation="reply", sender=address)
        return [answer for answer in answers if answer.target == self.ip]

    def speak_to(self, target: str) -> None:
        """Have its machine send a datagram to an address, so that it has to know the hardware
        address of that.
        """
        family = socket.AF_INET6 if ":" in target else socket.AF_INET
        with self.machine.inside(), socket.socket(family, socket.SOCK_DGRAM) as talk:
            talk.sendto(b"", (target, 9))
        self.context.let_slack_pass()

    def speak_first(self, source: str, to: Node) -> None:
        """Have its machine, which does not know ``to``, send it a datagram from one of its own
        addresses.
        """
        self.machine.run(["ip", "neighbour", "flush", "all"])
        with self.machine.inside(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as talk:
            talk.bind((source, 0))
            talk.sendto(b"", (to.ip, 9))
        self.context.let_slack_pass()
