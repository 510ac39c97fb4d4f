"""What is done to a cluster: faults injected and healed, requests sent, questions asked."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterable, Iterator
from dataclasses import astuple
from typing import Any

from harness.clock import Instant
from harness.cluster.due import Took
from harness.cluster.waiting import Waiting
from harness.daemons import httpd, ipvsadm
from harness.daemons.nodes import DirectorNode, Node, PhantomNode, RealServerNode
from harness.daemons.nodes.phantom import Resign, Silence, Step
from harness.events import (
    Arp,
    ConnectionChanged,
    Counter,
    DaemonChanged,
    FaultChanged,
    Request,
    Saturated,
)
from harness.faults.fault import Fault
from harness.faults.servers import RemovePage
from harness.ipvs import counters
from harness.ipvs.connections import PATH, Entry, changes, parse
from harness.ipvs.schedulers import Flow
from harness.keepalived import timers
from harness.observers import protocols
from harness.observers.client import Held, Load
from harness.observers.connections import Session, Stream
from harness.observers.requests import Target
from harness.observers.wrk import Totals, saturate
from harness.topology import HttpGet, VirtualService
from harness.topology.services import endpoint


class Cluster(Waiting):
    """A running cluster. Between construction and :meth:`close` everything of it is recorded.

    :mod:`harness.cluster.base` has its life and its nodes, ``looking`` what can be seen of it,
    ``settling`` and ``waiting`` what it is due to do; here is what is done to it.

    ``before_healing`` is told what went wrong inside :meth:`suffering` while its fault still lasts.
    """

    before_healing: Callable[[Exception], None] | None = None

    @contextlib.contextmanager
    def suffering(
        self, fault: Fault[Node], at_once: bool = False, heal_at_once: bool | None = None
    ) -> Iterator[Instant]:
        """Inject a fault, give the instant just before it, and heal it at the end whatever happens.

        See :meth:`inject`. The seed decides as well at which moment of the protocol it is healed,
        unless something went wrong meanwhile, another fault has just been healed, or that is to be
        at once (``heal_at_once``, None: as ``at_once``).
        """
        struck = self.inject(fault, at_once)
        try:
            yield struck
            if not (at_once if heal_at_once is None else heal_at_once):
                self._wait_healing(fault)
        except Exception as problem:
            if self.before_healing is not None:
                self.before_healing(problem)
            raise
        finally:
            self.heal(fault)

    def inject(self, fault: Fault[Node], at_once: bool = False) -> Instant:
        """Inject a fault; returns the instant just before.

        The seed decides at which moment of the protocol it strikes
        (:mod:`harness.cluster.moments`), unless that is ``at_once``, or something is wrong with the
        cluster already.
        """
        fault.check()
        if not at_once and not self.suffered:
            self.wait_moment(fault)
        struck = self.timeline.record(
            FaultChanged(self.timeline.now(), fault.node.name, name=fault.name, action="injected")
        ).at
        self.suffered.append(fault)
        fault.inject(self._around)
        return struck

    def heal(self, fault: Fault[Node]) -> Instant:
        """Heal a fault; returns the instant just before."""
        healed = self.timeline.record(
            FaultChanged(self.timeline.now(), fault.node.name, name=fault.name, action="healed")
        ).at
        fault.heal(self._around)
        self._healed_until = self.timeline.now()
        self.suffered = [other for other in self.suffered if other != fault]
        return healed

    def survives(
        self, fault: Fault[RealServerNode], service: VirtualService | None = None
    ) -> tuple[Took, Took]:
        """Have a real server suffer until the master removes it, heal it, and wait until the master
        takes it in again.

        Returns how long the one took from the fault on, the other from the moment on at which it
        served again, in seconds. Raises TooLate if a checker is late.
        """
        director, wanted = self.master, self.service if service is None else service
        removed, returned = (
            timers.removal(wanted, fault.symptom),
            timers.recovery(wanted, fault.symptom),
        )
        with self.suffering(fault) as struck:
            left = self.wait_pool(
                director,
                fault.node,
                service=wanted,
                present=False,
                since=struck,
                until=removed.latest,
            )
        healed = self.serves_again(fault.node)
        back = self.wait_pool(
            director, fault.node, service=wanted, present=True, since=healed, until=returned.latest
        )
        return left, back

    @contextlib.contextmanager
    def failing(self, service: VirtualService, *names: str) -> Iterator[Instant]:
        """Have real servers of a cluster that has settled, or suffers already, lose the page that a
        service's checker fetches; begins when the master has removed them, and gives the instant at
        which the first one lost it.

        Raises TooLate if the checker is late.
        """
        if not self.suffered:
            self.settle()
        (director,) = (director for director in self.directors if director.name in self.owners())
        servers = [server for server in self.real_servers if server.name in names]
        (check,) = service.checks
        assert isinstance(check, HttpGet)
        latest = timers.removal(service).latest
        with contextlib.ExitStack() as suffering:
            struck = [
                suffering.enter_context(self.suffering(RemovePage(server, check.path)))
                for server in servers
            ]
            for server, since in zip(servers, struck, strict=True):
                self.wait_pool(
                    director, server, service=service, present=False, since=since, until=latest
                )
            self.timeline.let_pass(self.slack)
            yield struck[0]

    def target(self, service: VirtualService | None = None, **how: Any) -> Target:
        """Where requests to a service go (None: the first one, or port 80 of the first VIP);
        ``how``: see
        :class:`Target`.
        """
        wanted = service or (
            self.service if self.directors[0].role.services else VirtualService(self.vip)
        )
        return Target(
            **{"address": wanted.vip, "port": wanted.port, "protocol": wanted.protocol, **how}
        )

    def play(self, speaker: PhantomNode, *script: Step) -> Instant:
        """Have a phantom router play a script, step by step; returns the instant of its last
        advertisement.
        """
        said = self.timeline.now()
        for step in script:
            if isinstance(step, Silence):
                self.timeline.let_pass(step.seconds)
                continue
            times, every, lies = (
                (1, 0.0, {"priority": 0}) if isinstance(step, Resign) else astuple(step)
            )
            for number in range(times):
                if number:
                    self.timeline.let_pass(every)
                said = self.timeline.now()
                speaker.advertise(**lies)
        return said

    def reload(self, director: DirectorNode, *edits: tuple[str, str]) -> Instant:
        """Have a director's keepalived read its configuration again, with pairs of old and new text
        edited in it.

        Returns the instant just before. A cluster whose configuration is left so is not shared.
        """
        began = self.timeline.record(
            DaemonChanged(self.timeline.now(), director.name, name="keepalived", action="reloaded")
        ).at
        director.reload(*edits)
        return began

    @contextlib.contextmanager
    def load(
        self, rate: float = 20.0, service: VirtualService | None = None, **how: Any
    ) -> Iterator[Load]:
        """Have the client send ``rate`` requests a second to a service meanwhile; see
        :meth:`target`.
        """
        load = self.recorder.load(self.client.machine, self.target(service, **how), rate)
        try:
            yield load
        finally:
            self.recorder.end_load(load)

    def saturate(
        self,
        seconds: int = 3,
        connections: int = 4,
        service: VirtualService | None = None,
        patience: float = 2,
        **how: Any,
    ) -> Totals:
        """Have wrk on the client keep so many connections busy for so many seconds, in real time,
        and wait ``patience`` seconds for each answer; see :meth:`target`.

        Only totals are known of it, which are one event, and no frame is captured meanwhile. Raises
        HarnessError in virtual time, where a closed loop never ends.
        """
        target = self.target(service, **how)
        with self.recorder.not_capturing():
            totals = saturate(self.client.machine, target, seconds, connections, patience)
        self.timeline.record(
            Saturated(
                self.timeline.now(),
                self.client.name,
                address=target.address,
                service_port=target.port,
                connections=connections,
                at_once=totals.at_once,
                lasted=totals.seconds,
                requests=totals.requests,
                refused=totals.refused,
                broken=totals.broken,
                timed_out=totals.timed_out,
            )
        )
        return totals

    def fetch(
        self, count: int, service: VirtualService | None = None, by: Node | None = None, **how: Any
    ) -> list[Request]:
        """Send ``count`` requests to a service, one after the other; returns their events. See
        :meth:`target`.

        They are the client's unless ``by`` names another node.
        """
        machine, target = (by or self.client).machine, self.target(service, **how)
        return [self.recorder.fetch(machine, target) for _ in range(count)]

    @contextlib.contextmanager
    def holding(
        self, count: int, service: VirtualService | None = None, **how: Any
    ) -> Iterator[list[Held]]:
        """Open ``count`` connections to a service, one after the other, and hold them meanwhile.

        In each a request is begun, and answered when it is finished; see
        :class:`harness.observers.client.Held`.
        """
        target = self.target(service, **how)
        held = [self.recorder.hold(self.client.machine, target) for _ in range(count)]
        try:
            yield held
        finally:
            for connection in held:
                connection.give_up()

    @contextlib.contextmanager
    def session(self, service: VirtualService | None = None, **how: Any) -> Iterator[Session]:
        """A connection of the client's that is kept alive meanwhile, for one request after the
        other: ``.fetch()``.
        """
        session = self.recorder.session(self.client.machine, self.target(service, **how))
        try:
            yield session
        finally:
            session.close()

    @contextlib.contextmanager
    def stream(
        self,
        length: int,
        service: VirtualService | None = None,
        reads: int | None = None,
        **how: Any,
    ) -> Iterator[Stream]:
        """Have the client fetch a page of ``length`` bytes meanwhile, at 2 KiB a second; see
        :class:`Stream`.

        With ``reads`` the servers send as fast as they may, and the client reads so many bytes a
        second. Every real server has the page for so long.
        """
        path = "/stream" if reads is not None else f"/{httpd.TRICKLE}/stream"
        for server in self.real_servers:
            server.put_page(path, "." * length)
        stream = self.recorder.stream(
            self.client.machine, self.target(service, path=path, **how), length, reads
        )
        try:
            yield stream
        finally:
            stream.give_up()
            for server in (each for each in self.real_servers if each.machine.powered):
                server.remove_page(path)

    def connect(self, service: VirtualService, flows: Iterable[Flow]) -> list[Request]:
        """Make connections one after the other; those that are to be held are finished when all
        have been made.
        """
        made: list[Held | Request] = []
        for flow in flows:
            target = self.target(service, source=flow.source, address=flow.destination)
            send = self.recorder.hold if flow.held else self.recorder.fetch
            made.append(send(self.client.machine, target))
        return [each.finish() if isinstance(each, Held) else each for each in made]

    def restart_scheduler(self, director: DirectorNode, service: VirtualService) -> None:
        """Have a director's scheduler forget what it did: give the service another one and then its
        own again.
        """
        other = "lc" if service.scheduler == "rr" else "rr"
        for words in (["-s", other], ipvsadm.scheduler(service)):
            director.machine.run(["ipvsadm", "-E", *ipvsadm.service(service), *words])

    def connection_table(self, director: DirectorNode) -> list[Entry]:
        """A director's IPVS connections as they are now, in the order of the client's ports.

        What has changed since the last look goes on the timeline: ``connection`` events, with the
        table's words.
        """
        table = parse(director.machine.read(PATH))
        for action, entry in changes(self._tables.get(director.name, []), table):
            self.timeline.record(
                ConnectionChanged(
                    self.timeline.now(),
                    director.name,
                    action=action,
                    protocol=entry.protocol,
                    client=endpoint(*entry.client),
                    service=endpoint(*entry.service),
                    server=endpoint(*entry.server),
                    state=entry.state,
                    expires=entry.expires,
                    synchronised=entry.synchronised,
                )
            )
        self._tables[director.name] = table
        return sorted(table, key=lambda entry: entry.client[1])

    def count(self, director: DirectorNode) -> list[Counter]:
        """Put on the timeline what a director has counted so far: its IPVS of each service and real
        server, its keepalived of each VRRP instance. Returns these events.

        IPVS brings its own up to date every two seconds, for which this waits.
        """
        self.timeline.let_pass(counters.UPDATED + self.slack)
        said = director.machine.run(counters.ARGV).stdout
        found = [*counters.parse(said)]
        for instance in director.role.instances:
            own = self.statistics(director, instance.name)
            found += [(instance.name, name, value) for name, value in own.items()]
        at = self.timeline.now()
        events = [Counter(at, director.name, of=of, name=name, value=n) for of, name, n in found]
        for event in events:
            self.timeline.record(event)
        return events

    def forget_path_mtu(self, node: Node) -> None:
        """Have a machine forget what it learned of links that take less than its own."""
        for family in ("-4", "-6"):
            node.machine.run(["ip", family, "route", "flush", "cache"])

    def ask_arp(self, asker: Node, address: str, count: int) -> list[Arp]:
        """Broadcast ``count`` ARP questions for an address; returns the answers, as they left the
        machines.
        """
        # a kernel tells of a new address before it answers for it
        self.timeline.let_pass(self.slack)
        began = self.timeline.now()
        with asker.machine.inside(), socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as wire:
            wire.bind((asker.plan.main_device, 0))
            for _ in range(count):
                wire.send(protocols.arp_question(asker.mac, asker.ip, address))
        self.timeline.let_pass(self.slack)
        answers = self.timeline.events(
            Arp, since=began, sent=True, operation="reply", sender=address
        )
        return [answer for answer in answers if answer.target == asker.ip]

    def speak_to(self, node: Node, target: str) -> None:
        """Have a machine send a datagram to an address, so that it has to know the hardware address
        of that.
        """
        family = socket.AF_INET6 if ":" in target else socket.AF_INET
        with node.machine.inside(), socket.socket(family, socket.SOCK_DGRAM) as talk:
            talk.sendto(b"", (target, 9))
        self.timeline.let_pass(self.slack)

    def speak_first(self, speaker: Node, source: str, to: Node) -> None:
        """Have a machine that does not know ``to`` send it a datagram from one of its own
        addresses.
        """
        speaker.machine.run(["ip", "neighbour", "flush", "all"])
        with speaker.machine.inside(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as talk:
            talk.bind((source, 0))
            talk.sendto(b"", (to.ip, 9))
        self.timeline.let_pass(self.slack)
