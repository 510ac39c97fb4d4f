"""What a director has because it balances: virtual services, their IPVS tables, and checkers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from ipaddress import ip_address

from harness import measures
from harness.clock import Instant, Window
from harness.daemons import ipvsadm, keepalived
from harness.due import Took
from harness.errors import HarnessError
from harness.events import ConnectionChanged, DaemonChanged, DestinationChanged, Log
from harness.ipvs.connections import PATH, Entry, changes, parse
from harness.ipvs.schedulers import Server
from harness.lab.plan import HostPlan, Plan
from harness.nodes.context import STARTING, Context
from harness.nodes.node import Node
from harness.nodes.probes import probes, protocol_of
from harness.nodes.real_server import RealServerNode
from harness.timeline import EVER, TooLate
from harness.topology import Director, RealServer, VirtualService
from harness.topology.services import Destination, endpoint


class Balancer(Node):
    """A node with an IPVS table, whoever makes it: keepalived, ldirectord or ipvsadm."""

    def __init__(self, host: HostPlan, plan: Plan, context: Context | None = None) -> None:
        super().__init__(host, plan, context)
        self._entries: list[Entry] = []

    @property
    def role(self) -> Director:
        """What the topology says of it."""
        assert isinstance(self.plan.role, Director)
        return self.plan.role

    @property
    def service(self) -> VirtualService:
        """Its (first) virtual service."""
        if not self.role.services:
            raise HarnessError(f"{self.name} has no virtual service in the topology")
        return self.role.services[0]

    # -- what its table is to hold -----------------------------------------------------------------

    @cached_property
    def _serving(self) -> dict[str, list[HostPlan]]:
        return _by_service(self._network.of_role(RealServer), "serves")

    @cached_property
    def _apologizing(self) -> dict[str, list[HostPlan]]:
        return _by_service(self._network.of_role(RealServer), "sorry_for")

    def destinations(self, service: VirtualService, name: str | None = None) -> list[Destination]:
        """The real servers of a service, in its table ``name`` (None: the first): the machines that
        serve it.
        """
        port = service.real_port_in(service.name if name is None else name)
        return [
            Destination(
                host.interface().address_of(service.family), port, service.weight_of(number)
            )
            for number, host in enumerate(self._serving.get(service.name, ()))
        ]

    def destination(
        self, service: VirtualService, server: RealServerNode, name: str | None = None
    ) -> Destination:
        """A real or sorry server as this director is to know it in the table ``name`` (None: the
        first) of ``service``.

        Raises HarnessError if it does not serve it.
        """
        address = server.plan.interface().address_of(service.family)
        for destination in (*self.destinations(service, name), *self.sorry_server(service)):
            if destination.address == address:
                return destination
        raise HarnessError(f"{server.name} does not serve {service.name} in the topology")

    def sorry_server(self, service: VirtualService) -> list[Destination]:
        """The sorry server of a service, if the topology has one."""
        return [
            Destination(host.interface().address_of(service.family), service.port, sorry=True)
            for host in self._apologizing.get(service.name, ())
        ]

    def at_rest(self, service: VirtualService, name: str) -> dict[str, int]:
        """What the table ``name`` of a service is to hold while nothing ails: each server's address
        with port, and its weight.
        """
        found = {each.endpoint: each.weight for each in self.destinations(service, name)}
        if service.sorry_inhibit:
            found |= {each.endpoint: 0 for each in self.sorry_server(service)}
        return found

    # -- what its table holds ----------------------------------------------------------------------

    def pool(self, service: VirtualService | None = None) -> dict[str, int]:
        """The machines that its table holds for a service, its first one by default, with their
        weights.
        """
        wanted = self.service if service is None else service
        names = {
            f"{host.interface().address.ip.compressed}:{wanted.port}": host.name
            for host in self._network.of_role(RealServer)
        }
        table = measures.pool(self.context.timeline, self.name, wanted.name)
        return {names.get(address, address): weight for address, weight in table.items()}

    def ipvsadm(self) -> dict[str, int]:
        """The real servers of its first service with their weights, as ``ipvsadm -Sn`` prints
        them.
        """
        shown = self.machine.run(["ipvsadm", "-Sn"]).stdout
        service = ["-a", *ipvsadm.service(self.service)]
        lines = [line.split() for line in shown.splitlines()]
        return {
            line[line.index("-r") + 1]: int(line[line.index("-w") + 1])
            for line in lines
            if line[:3] == service
        }

    def counted(
        self, service: VirtualService, weights: Sequence[int] | None = None
    ) -> list[Server]:
        """A service's real servers, in the topology's order, with their connections as its kernel
        counts them.

        ``weights`` are what they ought to weigh (None: what the topology says).
        """
        known = self.context.recorder.connections(self.machine, service.name)
        servers = []
        for number, destination in enumerate(self.destinations(service)):
            weight = destination.weight if weights is None else weights[number]
            active, inactive = known.get(destination.endpoint, (0, 0))
            servers.append(Server(destination.address, weight, destination.port, active, inactive))
        return servers

    def connections(self) -> dict[int, str]:
        """The client's port of every connection in its IPVS table, and the real server that it goes
        to.
        """
        lines = self.machine.read("/proc/net/ip_vs_conn").splitlines()[1:]
        fields = [line.split() for line in lines]
        return {
            int(port, 16): str(ip_address(int(server, 16)))
            for _, _, port, _, _, server, *_ in fields
        }

    def connection_table(self) -> list[Entry]:
        """Its IPVS connections as they are now, in the order of the client's ports.

        What has changed since the last look in this scenario goes on the timeline: ``connection``
        events, with the table's words.
        """
        table = parse(self.machine.read(PATH))
        timeline = self.context.timeline
        for action, entry in changes(self._entries, table):
            timeline.record(
                ConnectionChanged(
                    timeline.now(),
                    self.name,
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
        self._entries = table
        return sorted(table, key=lambda entry: entry.client[1])

    def forget_connections(self) -> None:
        """Have the next :meth:`connection_table` be the first one."""
        self._entries = []

    def restart_scheduler(self, service: VirtualService) -> None:
        """Have a service's scheduler forget what it did: give the service another one and then its
        own again.
        """
        other = "lc" if service.scheduler == "rr" else "rr"
        for words in (["-s", other], ipvsadm.scheduler(service)):
            self.machine.run(["ipvsadm", "-E", *ipvsadm.service(service), *words])

    # -- what it does with real servers, and when --------------------------------------------------

    def removes(
        self,
        server: RealServerNode,
        *,
        since: Instant,
        until: float,
        service: VirtualService | None = None,
    ) -> Took:
        """Wait until its table loses a real server of a service, its first one by default; returns
        how long that took after ``since``, in seconds.

        ``until`` is the longest that it may take, after ``since``; TooLate is raised a little after
        it. A service that is a group has several tables, and the last of them counts.
        """
        return self._changes("removes", "removed", server, since, until, service)

    def adds(
        self,
        server: RealServerNode,
        *,
        since: Instant,
        until: float,
        service: VirtualService | None = None,
    ) -> Took:
        """Wait until its table gains a real server; else as :meth:`removes`."""
        return self._changes("takes in", "added", server, since, until, service)

    def _changes(
        self,
        what: str,
        action: str,
        server: RealServerNode,
        since: Instant,
        until: float,
        service: VirtualService | None,
    ) -> Took:
        wanted = self.service if service is None else service
        return max(
            self.context.wait_for(
                self.name, f"{what} {server.name}", DestinationChanged, since, until,
                action=action, service=name,
                address=self.destination(wanted, server, name).endpoint,
            )
            for name in wanted.names
        )  # fmt: skip

    def weighs(
        self,
        server: RealServerNode,
        weight: int,
        *,
        since: Instant,
        until: float,
        service: VirtualService,
    ) -> Took:
        """Wait until a real server weighs ``weight`` in its table; else as :meth:`removes`."""
        return self.context.wait_for(
            self.name,
            f"gives {server.name} weight {weight}",
            DestinationChanged,
            since,
            until,
            action="changed",
            service=service.name,
            address=self.destination(service, server).endpoint,
            weight=weight,
        )

    def checked(
        self, server: RealServerNode, service: VirtualService, since: Instant = EVER
    ) -> list[Instant]:
        """When it asked a real server something over the network to check it, in order."""
        sent = probes(self.context.recorder.frames(since), service, self, server)
        return [packet.frame.at for packet in sent if packet.source == self.ip]

    def checks(self, server: RealServerNode, service: VirtualService | None = None) -> Instant:
        """Wait until it asks a real server of a service, its first one by default, over the
        network to check it once more; returns the instant.

        Raises TooLate if it does not within the longest time between two checks.
        """
        wanted = self.service if service is None else service
        timeline = self.context.timeline
        began = timeline.now()
        paces = [check.pace(wanted.delay_loop) for check in wanted.checks if protocol_of(check)]
        if not paces:
            raise HarnessError(f"{wanted.name}: none of its checks asks real servers anything")
        loop = max(pace.delay_loop for pace in paces)
        longest = max(pace.delay_loop + pace.timeout + pace.delay_before_retry for pace in paces)
        before = self.checked(server, wanted, since=began - loop)
        soon = before[-1] + loop - began if before else loop
        for until in (began + max(0.0, soon), began + longest):
            timeline.let_pass(until + self.context.slack - timeline.now())
            if made := self.checked(server, wanted, since=began):
                return made[0]
        raise TooLate(
            f"{self.name} has not checked {server.name} within {longest:.3f} s, though"
            f" {wanted.name} is to be checked every {loop:g} s"
        )

    def checking_since(self) -> Window:
        """Between which instants it began to count towards its first checks: from when it was last
        started to its own word in the log, which on a busy machine comes a little after the fact.
        """
        since, timeline = self.last_started(), self.context.timeline

        def said() -> Instant | None:
            logs = timeline.events(Log, node=self.name, since=since, daemon="keepalived")
            return next((log.at for log in logs if keepalived.CHECKING.search(log.line)), None)

        until = since + STARTING
        return Window(since, timeline.wait_until(said, until, f"{self.name} checks real servers"))

    def last_started(self) -> Instant:
        """When one of its daemons was last started."""
        return self.context.timeline.events(DaemonChanged, node=self.name, action="started")[-1].at


def _by_service(hosts: Iterable[HostPlan], field: str) -> dict[str, list[HostPlan]]:
    """The machines of each service, by its name: that tells it from others, be it with other
    settings.
    """
    found: dict[str, list[HostPlan]] = {}
    for host in hosts:
        for name in dict.fromkeys(service.name for service in getattr(host.role, field)):
            found.setdefault(name, []).append(host)
    return found
