"""Clients: machines from which the harness sends requests to the virtual services."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from typing import Any

from harness.daemons import httpd
from harness.events import Request, Saturated
from harness.ipvs.schedulers import Flow
from harness.lab.plan import HostPlan, Plan
from harness.nodes.context import Context
from harness.nodes.node import Node
from harness.nodes.real_server import RealServerNode
from harness.observers.client import Held, Load
from harness.observers.connections import Session, Stream
from harness.observers.wrk import Totals, saturate
from harness.topology import Client, VirtualService


class ClientNode(Node):
    """Runs nothing; the harness sends requests from it."""

    def __init__(self, host: HostPlan, plan: Plan, context: Context | None = None) -> None:
        super().__init__(host, plan, context)
        self.servers: list[RealServerNode] = []  # given by the cluster: they serve it pages

    def prepare(self) -> None:
        """Give it its further addresses."""
        super().prepare()
        if isinstance(self.plan.role, Client):
            self.machine.add_addresses(self.plan.role.sources)

    @contextlib.contextmanager
    def load(
        self, rate: float = 20.0, service: VirtualService | None = None, **how: Any
    ) -> Iterator[Load]:
        """Send ``rate`` requests a second to a service meanwhile; see :meth:`target`."""
        recorder, target = self.context.recorder, self.target(service, **how)
        load = recorder.load(self.machine, target, rate, self.context.slack)
        try:
            yield load
        finally:
            recorder.end_load(load)

    def saturate(
        self,
        seconds: int = 3,
        connections: int = 4,
        service: VirtualService | None = None,
        patience: float = 2,
        **how: Any,
    ) -> Totals:
        """Have wrk keep so many connections busy for so many seconds, in real time, and wait
        ``patience`` seconds for each answer; see :meth:`target`.

        Only totals are known of it, which are one event, and no frame is captured meanwhile. Raises
        HarnessError in virtual time, where a closed loop never ends.
        """
        target, timeline = self.target(service, **how), self.context.timeline
        with self.context.recorder.not_capturing():
            totals = saturate(self.machine, target, seconds, connections, patience)
        timeline.record(
            Saturated(
                timeline.now(),
                self.name,
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

    @contextlib.contextmanager
    def holding(
        self, count: int, service: VirtualService | None = None, **how: Any
    ) -> Iterator[list[Held]]:
        """Open ``count`` connections to a service, one after the other, and hold them meanwhile.

        In each a request is begun, and answered when it is finished; see
        :class:`harness.observers.client.Held`.
        """
        target = self.target(service, **how)
        held = [self.context.recorder.hold(self.machine, target) for _ in range(count)]
        try:
            yield held
        finally:
            for connection in held:
                connection.give_up()

    @contextlib.contextmanager
    def session(self, service: VirtualService | None = None, **how: Any) -> Iterator[Session]:
        """A connection that is kept alive meanwhile, for one request after the other:
        ``.fetch()``.
        """
        session = self.context.recorder.session(self.machine, self.target(service, **how))
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
        """Fetch a page of ``length`` bytes meanwhile, at 2 KiB a second; see :class:`Stream`.

        With ``reads`` the servers send as fast as they may, and the client reads so many bytes a
        second. Every real server has the page for so long.
        """
        path = "/stream" if reads is not None else f"/{httpd.TRICKLE}/stream"
        for server in self.servers:
            server.put_page(path, "." * length)
        target = self.target(service, path=path, **how)
        stream = self.context.recorder.stream(self.machine, target, length, reads)
        try:
            yield stream
        finally:
            stream.give_up()
            for server in self.servers:
                if server.machine.powered:
                    server.remove_page(path)

    def connect(self, service: VirtualService, flows: Iterable[Flow]) -> list[Request]:
        """Make connections one after the other; those that are to be held are finished when all
        have been made.
        """
        recorder = self.context.recorder
        made: list[Held | Request] = []
        for flow in flows:
            target = self.target(service, source=flow.source, address=flow.destination)
            send = recorder.hold if flow.held else recorder.fetch
            made.append(send(self.machine, target))
        return [each.finish() if isinstance(each, Held) else each for each in made]
