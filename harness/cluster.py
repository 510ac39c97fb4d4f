"""What a scenario holds: the live cluster, its nodes and timeline, and the ways to wait for, load and harm it."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

from harness import measures
from harness.clock import Instant, Window
from harness.daemons import keepalived
from harness.daemons.daemon import Daemon
from harness.daemons.nodes import ClientNode, DirectorNode, Node, RealServerNode, node_of
from harness.errors import HarnessError
from harness.faults.fault import Fault, Surroundings
from harness.keepalived import timers
from harness.lab import syscalls
from harness.lab.lab import Lab
from harness.lab.machine import Machine, Process
from harness.lab.plan import Plan
from harness.lab.supervisor import Supervisor
from harness.observers import protocols
from harness.observers.client import Load
from harness.observers.loop import STALL
from harness.observers.paths import Path as PacketPath
from harness.observers.recorder import Recorder
from harness.timeline import Event, Timeline
from harness.topology import VirtualService

STARTING = 10.0
"""Seconds after which a daemon that has said neither that it serves nor that it cannot is given up."""


class Cluster:
    """A running cluster. Between construction and :meth:`close` everything of it is recorded."""

    def __init__(self, plan: Plan, supervisor: Supervisor, folder: Path, slack: float) -> None:
        """Build machines and wires and start all daemons; ``folder`` gets their logs.

        ``slack`` (seconds) is what this machine's clock and scheduler may be off: it is 0 for nobody in real time.
        Raises HarnessError, everything cleaned up, if a machine or daemon does not start.
        """
        self.plan, self.slack, self.folder = plan, slack, folder
        self.timeline = Timeline()
        self.lab = Lab(plan, supervisor)
        self.recorder = Recorder(self.timeline, folder)
        self.nodes = {host.name: node_of(host, plan, self._log_pipe) for host in plan.hosts}
        self._suffered: list[Fault[Node]] = []
        if slack >= STALL:  # in virtual time nothing can be starved
            self.recorder.watch_scheduling()
        self._around = Surroundings(self.lab, self._power_on_one, self._power_off, self._start)
        try:
            self.lab.wire_lans()
            with syscalls.inside_netns(self.lab.fabric):
                self.recorder.capture(self.lab.wire_ends)
            self._power_on(list(self.nodes.values()))
        except BaseException:
            self.close()
            raise

    # -- nodes ------------------------------------------------------------------------------------------------------

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
    def vip(self) -> str:
        """The (first) VIP."""
        return self.directors[0].vrrp.vips[0]

    @property
    def service(self) -> VirtualService:
        """The (first) virtual service."""
        return self.directors[0].role.services[0]

    @property
    def master(self) -> DirectorNode:
        """The director that holds the VIP, once the cluster has settled. Raises HarnessError if there is not one."""
        self.wait_settled()
        holders = self.owners()
        if len(holders) != 1:
            raise HarnessError(f"{self.vip} is held by {' and '.join(holders) or 'nobody'}, so there is no one master")
        return next(director for director in self.directors if director.name == holders[0])

    @property
    def backup(self) -> DirectorNode:
        """The director that is to take over from the master: the one of the next priority."""
        master = self.master
        others = [director for director in self.directors if director is not master]
        return max(others, key=lambda director: director.vrrp.priority)

    def owners(self) -> list[str]:
        """Which machines hold the VIP as an address of a wired interface now (real servers hold it on ``lo``)."""
        return measures.owners(self.timeline, self.vip, self.directors[0].vrrp.interface)

    # -- life -------------------------------------------------------------------------------------------------------

    def _power_on(self, nodes: list[Node]) -> None:
        self.lab.power_on([node.plan for node in nodes], self._watch)
        for node in nodes:
            node.machine = self.lab.machines[node.name]
            node.prepare()
        began = self.timeline.now()
        for node in nodes:
            self._start(node)
        for node in nodes:
            if isinstance(node, DirectorNode):
                self.recorder.watch_ipvs(node.machine)
        for node in nodes:
            if node.daemon is not None:
                self._wait_ready(node, node.daemon, began)

    def _power_on_one(self, node: Node) -> None:
        self._power_on([node])

    def _watch(self, machine: Machine) -> None:
        machine.on_exit = self._ended
        self.timeline.record(machine.name, "power", action="on")
        self.recorder.watch_machine(machine)

    def _start(self, node: Node) -> None:
        if node.daemon is not None:
            self.timeline.record(node.name, "daemon", name=node.daemon.name, action="started")
        node.start()

    def _log_pipe(self, node: Node, daemon: Daemon) -> int:
        def on_line(line: str) -> None:
            if state := keepalived.ENTERED.search(line):
                self.timeline.record(node.name, "state", instance=state["instance"], state=state["state"])
            if isinstance(node, DirectorNode) and keepalived.TABLE_CHANGED.search(line):
                self.recorder.look_at_ipvs(node.machine)

        return self.recorder.log_pipe(node.machine, daemon.name, on_line)

    def _ended(self, process: Process) -> None:
        name = {"keepalived": "keepalived", "apache2": "httpd"}.get(process.argv[0])
        if name is not None:
            self.timeline.record(process.machine.name, "daemon", name=name, action="ended", status=process.status)

    def _wait_ready(self, node: Node, daemon: Daemon, began: Instant) -> Instant:
        def said() -> Event | None:
            for event in self.timeline.events(node=node.name, since=began):
                if event.kind == "log" and daemon.ready.search(event.line):
                    return event
                if event.kind == "daemon" and event.action == "ended":
                    words = self._last_words(node)
                    raise HarnessError(f"{node.name}: {daemon.name} ended with {event.status}, not serving: {words}")
            return None

        return self.timeline.wait_until(said, began + STARTING, f"{node.name}: {daemon.name} serves").at

    def _last_words(self, node: Node, lines: int = 3) -> str:
        said = [event.line for event in self.timeline.events("log", node=node.name) if event.line]
        return " | ".join(said[-lines:]) or "it said nothing"

    def _power_off(self, node: Node) -> None:
        self.recorder.forget_machine(node.machine)
        died = self.lab.power_off(node.name)
        self.timeline.record(node.name, "power", action="off")
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
        """Draw a line: what the next scenario judges as its own begins here, on the timeline of the whole life."""
        self.timeline.mark = self.timeline.now()

    def stood(self, director: DirectorNode, since: Instant | None = None) -> Window:
        """Between which instants keepalived stood for election and began to wait for a master: from ``since`` (when it
        was last started) to its own word in the log, which on a busy machine comes a little after the fact.
        """
        if since is None:
            since = self.timeline.events("daemon", node=director.name, action="started")[-1].at
        until = since + STARTING
        said = self.timeline.wait_for("state", node=director.name, since=since, until=until, state="BACKUP")
        return Window(since, said.at)

    def healed(self) -> Instant:
        """When the last fault was healed."""
        return self.timeline.events("fault", action="healed")[-1].at

    def serves_again(self, server: RealServerNode) -> Instant:
        """When the last fault of a real server was healed, or, where that meant a start, when httpd served."""
        healed = self.healed()
        restarted = self.timeline.events("daemon", node=server.name, since=healed, action="started")
        if not restarted:
            return healed
        return self._wait_ready(server, server.daemon, restarted[-1].at)

    def ailment(self) -> str | None:
        """What a scenario has left amiss; None if the cluster, once it has settled, is as good as new."""
        for fault in self._suffered:
            return f"{fault.node.name} still suffers from {fault.name}"
        return self._down() or self.misled()

    def _down(self) -> str | None:
        for node in self.nodes.values():
            if node.daemon is not None and not node.running:
                return f"{node.daemon.name} does not run on {node.name}"
        return None

    def misled(self) -> str | None:
        """Which machine looks for the VIP at the wrong hardware address; None if all are right or do not know."""
        master = self.master
        for node in self.nodes.values():
            known = self.neighbour(node, self.vip) if node is not master else None
            if known not in (None, master.mac):
                return f"{node.name} looks for {self.vip} at {known}, and {master.name} has {master.mac}"
        return None

    # -- waiting ----------------------------------------------------------------------------------------------------

    def wait_settled(self) -> None:
        """Wait until one director holds the VIP, the one that should, and every table holds every real server."""
        due = timers.cold_start(*(director.vrrp for director in self.directors))
        until = self.timeline.now() + due.latest + STARTING
        self.timeline.wait_until(lambda: None if self.unsettled() else True, until, "the cluster settles")

    def unsettled(self) -> str | None:
        """What is not as it should be in a cluster that nothing ails; None if all is well."""
        if down := self._down():
            return down
        best = max(self.directors, key=lambda director: (director.vrrp.priority, director.plan.interface().address.ip))
        if (holders := self.owners()) != [best.name]:
            return f"the VIP is held by {holders}, and should be by {best.name}"
        for director in self.directors:
            for service in director.role.services:
                wanted = {f"{d.address}:{d.port}": d.weight for d in director.destinations(service)}
                try:
                    table = measures.pool(self.timeline, director.name, service_name(service))
                except measures.NoEvidence:
                    return f"{director.name} has no table for {service_name(service)} yet"
                if table != wanted:
                    return f"{director.name}'s table has {table} instead of {wanted}"
        return None

    def wait_master(self, director: DirectorNode, *, since: Instant, until: float) -> float:
        """Wait until ``director`` gets the VIP; returns how long that took after ``since``, in seconds.

        ``until`` is the longest that it may take, after ``since``; TooLate is raised a little after it.
        """
        event = self.timeline.wait_for(
            "address", node=director.name, since=since, until=since + until + self.slack,
            action="added", address=self.vip, interface=director.vrrp.interface,
        )  # fmt: skip
        return event.at - since

    def wait_pool(
        self, director: DirectorNode, server: RealServerNode, *, present: bool, since: Instant, until: float
    ) -> float:
        """Wait until a director's table gains or loses a real server; returns how long after ``since``, in seconds."""
        event = self.timeline.wait_for(
            "destination", node=director.name, since=since, until=since + until + self.slack,
            action="added" if present else "removed", service=service_name(self.service),
            address=f"{server.ip}:{self.service.port}",
        )  # fmt: skip
        return event.at - since

    def wait_resigned(self, director: DirectorNode, *, since: Instant, until: float) -> float:
        """Wait until ``director`` gives the VIP up; returns how long that took after ``since``, in seconds."""
        event = self.timeline.wait_for(
            "address", node=director.name, since=since, until=since + until + self.slack,
            action="removed", address=self.vip, interface=director.vrrp.interface,
        )  # fmt: skip
        return event.at - since

    def wait_answers(self, load: Load, count: int, *, since: Instant) -> list[Event]:
        """Wait until ``count`` requests of a load that were sent after ``since`` have got a good answer."""

        def answered() -> list[Event] | None:
            good = self.timeline.events("request", since=since, status=200)
            return good[:count] if len(good) >= count else None

        until = self.timeline.now() + (count + 1) * load.resolution + load.timeout + self.slack
        return self.timeline.wait_until(answered, until, f"{count} requests are answered")

    def within(self, due: Window) -> Window:
        """A window as this machine's clock sees it."""
        return due.with_slack(self.slack)

    # -- looking ----------------------------------------------------------------------------------------------------

    def ipvsadm(self, director: DirectorNode) -> dict[str, int]:
        """The real servers of the first service with their weights, as ``ipvsadm -Sn`` prints them."""
        shown = director.machine.run(["ipvsadm", "-Sn"]).stdout
        flag = {"TCP": "-t", "UDP": "-u", "SCTP": "--sctp-service"}[self.service.protocol]
        service = ["-a", flag, f"{self.service.vip}:{self.service.port}"]
        lines = [line.split() for line in shown.splitlines()]
        return {line[line.index("-r") + 1]: int(line[line.index("-w") + 1]) for line in lines if line[:3] == service}

    def neighbour(self, node: Node, address: str) -> str | None:
        """The hardware address that a machine has in its ARP table for an address; None if it has none."""
        for line in node.machine.read("/proc/net/arp").splitlines()[1:]:
            ip, _, _, mac, *_ = line.split()
            if ip == address:
                return mac
        return None

    def path_of(self, request: Event) -> PacketPath:
        """The packets of a request, on every machine's wire."""
        return PacketPath(self.recorder.frames(since=request.at), int(request.port))

    def server_of(self, request: Event) -> RealServerNode:
        """The real server that answered a request."""
        for server in self.real_servers:
            if server.page == request.server:
                return server
        raise measures.NoEvidence(f"no real server answered: {request}")

    # -- doing ------------------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def suffering(self, fault: Fault[Node]) -> Iterator[Instant]:
        """Inject a fault, give the instant just before it, and heal it at the end whatever happens."""
        struck = self.inject(fault)
        try:
            yield struck
        finally:
            self.heal(fault)

    def inject(self, fault: Fault[Node]) -> Instant:
        """Inject a fault; returns the instant just before."""
        struck = self.timeline.record(fault.node.name, "fault", name=fault.name, action="injected").at
        self._suffered.append(fault)
        fault.inject(self._around)
        return struck

    def heal(self, fault: Fault[Node]) -> Instant:
        """Heal a fault; returns the instant just before."""
        healed = self.timeline.record(fault.node.name, "fault", name=fault.name, action="healed").at
        fault.heal(self._around)
        self._suffered = [other for other in self._suffered if other != fault]
        return healed

    @contextlib.contextmanager
    def load(self, rate: float = 20.0, path: str = "/") -> Iterator[Load]:
        """Have the client send ``rate`` requests a second to the first service's VIP meanwhile."""
        load = self.recorder.load(self.client.machine, (self.vip, self.service.port), rate, path)
        try:
            yield load
        finally:
            self.recorder.end_load(load)

    def fetch(self, count: int) -> list[Event]:
        """Send ``count`` requests to the first service, one after the other; returns their events."""
        target = (self.vip, self.service.port)
        return [self.recorder.fetch(self.client.machine, target) for _ in range(count)]

    def ask_arp(self, asker: Node, address: str, count: int) -> list[Event]:
        """Broadcast ``count`` ARP questions for an address; returns the answers, as they left the machines."""
        began = self.timeline.now()
        with asker.machine.inside(), socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as wire:
            wire.bind((asker.plan.interface().name, 0))
            for _ in range(count):
                wire.send(protocols.arp_question(asker.mac, asker.ip, address))
        self.timeline.let_pass(self.slack)
        answers = self.timeline.events("arp", since=began, sent=True, operation="reply", sender=address)
        return [answer for answer in answers if answer.target == asker.ip]

    def speak_first(self, speaker: Node, source: str, to: Node) -> None:
        """Have a machine that does not know ``to`` send it a datagram from one of its own addresses."""
        speaker.machine.run(["ip", "neighbour", "flush", "all"])
        with speaker.machine.inside(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as talk:
            talk.bind((source, 0))
            talk.sendto(b"", (to.ip, 9))
        self.timeline.let_pass(self.slack)


def service_name(service: VirtualService) -> str:
    """A service as the IPVS observer names it: ``TCP 172.16.10.50:80``."""
    return f"{service.protocol} {service.vip}:{service.port}"
