"""A cluster's life: wires and machines, switched on and off, and daemons, started and watched."""

from __future__ import annotations

from harness.clock import Instant
from harness.cluster.nodes import Nodes
from harness.errors import Starved
from harness.events import Channel, DaemonChanged, Notification, Power
from harness.lab import entering
from harness.lab.lab import Lab
from harness.lab.machine import Machine, Process
from harness.nodes import DirectorNode, Node
from harness.nodes.context import Context
from harness.observers.loop import STALL
from harness.timeline import EVER, TooLate

FEW_WIRES = 20
"""In a cluster with more of them, what is sent to a group address is captured at its sender and on
its way to any but real servers.
"""


class Life:
    """Builds the machines of a cluster's nodes and ends them."""

    def __init__(self, lab: Lab, nodes: Nodes, context: Context) -> None:
        """Nothing is built yet: see :meth:`begin`."""
        self._lab, self._nodes = lab, nodes
        self._timeline, self._recorder = context.timeline, context.recorder
        if context.slack >= STALL:  # in virtual time nothing can be starved
            self._recorder.watch_scheduling()

    def begin(self) -> None:
        """Wire everything, record it, and switch all machines on.

        Raises HarnessError, everything cleaned up, if a machine or daemon does not start: Starved,
        if that is because this machine was busy with other things.
        """
        try:
            self._lab.wire_lans()
            with entering.inside_netns(self._lab.fabric):
                ends, deaf = self._lab.wire_ends, self._deaf()
                vips, checks = self._number_of_vips(), self._number_of_checks()
                self._recorder.capture(ends, deaf, vips, checks)
            self._power_on(list(self._nodes.values()))
        except BaseException as problem:
            stall = self._recorder.stalled(EVER)
            self.close()
            if isinstance(problem, TooLate) and stall:
                raise Starved(str(problem), stall) from problem
            raise

    def _number_of_vips(self) -> int:
        """How many addresses its directors hold and announce, those that are not advertised among
        them.
        """
        directors = self._nodes.directors
        claims = [instance for director in directors for instance in director.role.instances]
        return max((len(each.vips) + len(each.excluded_vips) for each in claims), default=0)

    def _number_of_checks(self) -> int:
        """How many checks of real servers a director makes."""
        servers = self._nodes.real_servers
        return sum(len(own.checks) for server in servers for own in server.role.serves)

    def _deaf(self) -> list[int]:
        """In a large cluster the wires to real servers: each of what is sent to all would be there
        as many times.
        """
        ends = self._lab.wire_ends
        if len(ends) <= FEW_WIRES:
            return []
        servers = {server.name for server in self._nodes.real_servers}
        return [index for index, (name, _) in ends.items() if name in servers]

    def _power_on(self, nodes: list[Node]) -> None:
        self._lab.power_on([node.plan for node in nodes], self._watch)
        for node in nodes:
            node.machine = self._lab.machines[node.name]
            node.prepare()
            self._listen(node)
        if len(nodes) > 1:
            self._lab.wait_wired()
        began = self._timeline.now()
        for node in nodes:
            self.start(node)
        for node in nodes:
            if isinstance(node, DirectorNode):
                self._recorder.watch_ipvs(node.machine)
        for node in nodes:
            for daemon in node.daemons:
                node.wait_serving(daemon, began)

    def power_on(self, node: Node) -> None:
        """Switch a node's machine on, and start all that belongs on it."""
        self._power_on([node])

    def _watch(self, machine: Machine) -> None:
        machine.on_exit = self._ended
        self._timeline.record(Power(self._timeline.now(), machine.name, action="on"))
        self._recorder.watch_machine(machine)

    def _listen(self, node: Node) -> None:
        for channel, path in node.fifos.items():

            def heard(line: str, channel: Channel = channel) -> None:
                self._timeline.record(
                    Notification(self._timeline.now(), node.name, channel=channel, text=line)
                )

            self._recorder.watch_fifo(node.machine, path, heard)

    def start(self, node: Node) -> None:
        """Start those of a node's daemons that do not run."""
        for daemon in node.idle:
            self._timeline.record(
                DaemonChanged(self._timeline.now(), node.name, name=daemon.name, action="started")
            )
            began: Instant = self._timeline.now()
            node.start(daemon)
            if daemon.first:
                node.wait_serving(daemon, began)

    def _ended(self, process: Process) -> None:
        node = self._nodes[process.machine.name]
        if (daemon := node.daemon_of(process)) is not None:
            self._timeline.record(
                DaemonChanged(
                    self._timeline.now(),
                    node.name,
                    name=daemon.name,
                    action="ended",
                    status=process.status,
                )
            )

    def power_off(self, node: Node) -> None:
        """Take a machine's power away: all that runs on it dies at once."""
        self._recorder.forget_machine(node.machine)
        died = self._lab.power_off(node.name)
        self._timeline.record(Power(self._timeline.now(), node.name, action="off"))
        for process in died:
            self._ended(process)

    def close(self) -> None:
        """End all daemons, machines, wires and observers."""
        for machine in self._lab.machines.values():
            if machine.powered:
                self._recorder.forget_machine(machine)
        self._lab.close()
        self._recorder.stop()
