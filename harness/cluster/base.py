"""A cluster's life: machines switched on, daemons started and watched, faults done to it, all of it
ended.
"""

from __future__ import annotations

from pathlib import Path

from harness.clock import Instant
from harness.cluster.due import Comparison, Expectations
from harness.cluster.moments import Moments
from harness.daemons import keepalived, mail
from harness.daemons.daemon import Daemon
from harness.daemons.nodes import (
    ClientNode,
    DirectorNode,
    Node,
    PhantomNode,
    RealServerNode,
    node_of,
    require_optional,
)
from harness.errors import HarnessError, Starved
from harness.events import (
    Channel,
    DaemonChanged,
    Event,
    Log,
    Mail,
    Notification,
    Power,
    StateChanged,
)
from harness.faults.fault import Fault, Surroundings
from harness.ipvs.connections import Entry
from harness.lab import entering
from harness.lab.lab import Lab
from harness.lab.machine import Machine, Process
from harness.lab.plan import Plan
from harness.lab.supervisor import Supervisor
from harness.observers.loop import STALL
from harness.observers.recorder import Recorder
from harness.timeline import EVER, Timeline, TooLate
from harness.topology import VirtualService

STARTING = 10.0
"""Seconds after which a daemon that has said neither that it serves nor that it cannot is given up.
"""

STARTING_EACH = 0.25
"""And this much longer for each machine of the cluster, for they share one computer's processors.
"""


FEW_WIRES = 20
"""In a cluster with more of them, what is sent to a group address is captured at its sender and on
its way to any but real servers.
"""


class Nodes(dict[str, Node]):
    """A cluster's nodes by name, in the order of the topology; HarnessError for a name that none
    has.
    """

    def __missing__(self, name: str) -> Node:
        raise HarnessError(f"no node {name}; there are {', '.join(self)}")


class Base:
    """A running cluster. Between construction and :meth:`close` everything of it is recorded."""

    def __init__(self, plan: Plan, supervisor: Supervisor, folder: Path, slack: float) -> None:
        """Build machines and wires and start all daemons; ``folder`` gets their logs.

        ``slack`` (seconds) is what this machine's clock and scheduler may be off. In real time
        every machine has some. Raises HarnessError, everything cleaned up, if a machine or daemon
        does not start: Starved, if that is because this machine was busy with other things.
        """
        require_optional(plan)
        self.plan, self.slack, self.folder = plan, slack, folder
        self.timeline = Timeline()
        self.moments = Moments()
        self.lab = Lab(plan, supervisor)
        self.recorder = Recorder(self.timeline, folder)
        self.nodes = Nodes({host.name: node_of(host, plan, self._log_pipe) for host in plan.hosts})
        self.timeline.nodes = self.nodes.keys()
        self.suffered: list[Fault[Node]] = []
        self._healed_until = EVER
        self._tables: dict[str, list[Entry]] = {}
        self.scenarios = 0
        self._expectations = Expectations(self.timeline)
        if slack >= STALL:  # in virtual time nothing can be starved
            self.recorder.watch_scheduling()
        self._around = Surroundings(self.lab, self._power_on_one, self._power_off, self._start)
        try:
            self.lab.wire_lans()
            with entering.inside_netns(self.lab.fabric):
                ends, deaf = self.lab.wire_ends, self._deaf()
                self.recorder.capture(ends, deaf, self._number_of_vips(), self._number_of_checks())
            self._power_on(list(self.nodes.values()))
        except BaseException as problem:
            stall = self.recorder.stalled(EVER)
            self.close()
            if isinstance(problem, TooLate) and stall:
                raise Starved(str(problem), stall) from problem
            raise

    def _number_of_vips(self) -> int:
        """How many addresses its directors hold and announce, those that are not advertised among
        them.
        """
        claims = [instance for director in self.directors for instance in director.role.instances]
        return max((len(each.vips) + len(each.excluded_vips) for each in claims), default=0)

    def _number_of_checks(self) -> int:
        """How many checks of real servers a director makes."""
        return sum(len(own.checks) for server in self.real_servers for own in server.role.serves)

    def _deaf(self) -> list[int]:
        """In a large cluster the wires to real servers: each of what is sent to all would be there
        as many times.
        """
        ends = self.lab.wire_ends
        if len(ends) <= FEW_WIRES:
            return []
        servers = {server.name for server in self.real_servers}
        return [index for index, (name, _) in ends.items() if name in servers]

    # -- nodes -------------------------------------------------------------------------------------

    @property
    def directors(self) -> list[DirectorNode]:
        """All directors, in the order of the topology."""
        return [node for node in self.nodes.values() if isinstance(node, DirectorNode)]

    @property
    def real_servers(self) -> list[RealServerNode]:
        """All real servers, in the order of the topology."""
        return [node for node in self.nodes.values() if isinstance(node, RealServerNode)]

    @property
    def client(self) -> ClientNode:
        """The (first) client."""
        for node in self.nodes.values():
            if isinstance(node, ClientNode):
                return node
        raise HarnessError("this topology has no client; add one: addHost(..., cls=Client)")

    @property
    def phantom(self) -> PhantomNode:
        """The (first) phantom router."""
        for node in self.nodes.values():
            if isinstance(node, PhantomNode):
                return node
        raise HarnessError(
            "this topology has no phantom router; add one: addHost(..., cls=PhantomRouter)"
        )

    @property
    def vip(self) -> str:
        """The (first) VIP of the first director: of an instance, or else of a service, or one that
        it holds itself.
        """
        if not self.directors:
            raise HarnessError(
                "this topology has no director, so it has no VIP; add one:"
                " addHost(..., cls=Director)"
            )
        first = self.directors[0].role
        claimed = [
            vip for instance in first.instances for vip in (*instance.vips, *instance.excluded_vips)
        ]
        known = [*claimed, *(service.vip for service in first.services), *first.holds]
        if not known:
            raise HarnessError(
                f"{self.directors[0].name} claims no VIP, balances no service and holds no"
                f" address of its own"
            )
        return known[0]

    @property
    def vips(self) -> list[str]:
        """All VIPs that directors claim, in the order of the topology."""
        claimed = [
            vip
            for director in self.directors
            for each in director.role.instances
            for vip in each.vips
        ]
        return list(dict.fromkeys(claimed))

    @property
    def service(self) -> VirtualService:
        """The (first) virtual service."""
        return self.directors[0].role.services[0]

    # -- life --------------------------------------------------------------------------------------

    def _power_on(self, nodes: list[Node]) -> None:
        self.lab.power_on([node.plan for node in nodes], self._watch)
        for node in nodes:
            node.machine = self.lab.machines[node.name]
            node.prepare()
            self._listen(node)
        if len(nodes) > 1:
            self.lab.wait_wired()
        began = self.timeline.now()
        for node in nodes:
            self._start(node)
        for node in nodes:
            if isinstance(node, DirectorNode):
                self.recorder.watch_ipvs(node.machine)
        for node in nodes:
            for daemon in node.daemons:
                self._wait_ready(node, daemon, began)

    def _power_on_one(self, node: Node) -> None:
        self._power_on([node])

    def _watch(self, machine: Machine) -> None:
        machine.on_exit = self._ended
        self.timeline.record(Power(self.timeline.now(), machine.name, action="on"))
        self.recorder.watch_machine(machine)

    def _listen(self, node: Node) -> None:
        for channel, path in node.fifos.items():

            def heard(line: str, channel: Channel = channel) -> None:
                self.timeline.record(
                    Notification(self.timeline.now(), node.name, channel=channel, text=line)
                )

            self.recorder.watch_fifo(node.machine, path, heard)

    def _start(self, node: Node) -> None:
        for daemon in node.idle:
            self.timeline.record(
                DaemonChanged(self.timeline.now(), node.name, name=daemon.name, action="started")
            )
            began = self.timeline.now()
            node.start(daemon)
            if daemon.first:
                self._wait_ready(node, daemon, began)

    def _log_pipe(self, node: Node, daemon: Daemon) -> int:
        printed = mail.Printed()

        def on_line(line: str) -> None:
            if daemon is mail.MAIL and (received := printed.read(line)) is not None:
                self.timeline.record(
                    Mail(
                        self.timeline.now(), node.name, sender=received["From"] or "",
                        recipient=received["To"] or "", subject=received["Subject"] or "",
                        body=str(received.get_payload()).strip(),
                    )
                )  # fmt: skip
            if isinstance(node, DirectorNode) and (entered := node.entered(line)):
                instance, state = entered
                self.timeline.record(
                    StateChanged(self.timeline.now(), node.name, instance=instance, state=state)
                )
            if isinstance(node, DirectorNode) and keepalived.TABLE_CHANGED.search(line):
                self.recorder.look_at_ipvs(node.machine)

        return self.recorder.log_pipe(node.machine, daemon.name, on_line)

    def _ended(self, process: Process) -> None:
        node = self.nodes[process.machine.name]
        if (daemon := node.daemon_of(process)) is not None:
            self.timeline.record(
                DaemonChanged(
                    self.timeline.now(),
                    node.name,
                    name=daemon.name,
                    action="ended",
                    status=process.status,
                )
            )

    def _wait_ready(self, node: Node, daemon: Daemon, began: Instant) -> Instant:
        ready = daemon.ready
        if ready is None:
            return began

        def matters(event: Event) -> bool:
            return event.node == node.name and isinstance(event, Log | DaemonChanged)

        def said() -> Event | None:
            for event in self.timeline.events(Log, DaemonChanged, node=node.name, since=began):
                if isinstance(event, Log):
                    if event.daemon == daemon.name and ready.search(event.line):
                        return event
                elif event.action == "ended" and event.name == daemon.name:
                    words = self._last_words(node)
                    raise HarnessError(
                        f"{node.name}: {daemon.name} ended with {event.status},"
                        f" not serving: {words}"
                    )
            return None

        until = began + self._starting
        try:
            return self.timeline.wait_until(
                said, until, f"{node.name}: {daemon.name} serves", matters
            ).at
        except TooLate as problem:
            words = self._last_words(node)
            raise TooLate(
                f"{problem}: it has not said {ready.pattern!r}; its last words: {words}"
            ) from None

    @property
    def _starting(self) -> float:
        return STARTING + STARTING_EACH * len(self.nodes)

    def _last_words(self, node: Node, lines: int = 3) -> str:
        said = [event.line for event in self.timeline.events(Log, node=node.name) if event.line]
        return " | ".join(said[-lines:]) or "it said nothing"

    def _power_off(self, node: Node) -> None:
        self.recorder.forget_machine(node.machine)
        died = self.lab.power_off(node.name)
        self.timeline.record(Power(self.timeline.now(), node.name, action="off"))
        for process in died:
            self._ended(process)

    def close(self) -> None:
        """End all daemons, machines, wires and observers."""
        for machine in self.lab.machines.values():
            if machine.powered:
                self.recorder.forget_machine(machine)
        self.lab.close()
        self.recorder.stop()

    def begin_scenario(self) -> None:
        """Draw a line: what the next scenario judges as its own begins here, on the timeline of the
        whole life.
        """
        self.scenarios += 1
        self.timeline.mark = self.timeline.now()
        self._expectations.begin_scenario()
        self._tables = {}

    @property
    def comparisons(self) -> list[Comparison]:
        """What the scenario has compared with windows."""
        return self._expectations.comparisons
