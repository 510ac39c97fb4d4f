"""A live cluster, composed of its parts."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from harness import measures
from harness.clock import Instant, Window
from harness.cluster.diagnosing import diagnoses
from harness.cluster.life import Life
from harness.cluster.moments import Moments
from harness.cluster.nodes import Nodes
from harness.cluster.settling import Settled, Settling
from harness.cluster.state import State
from harness.cluster.striking import Striking
from harness.cluster.suffering import Suffering
from harness.diagnosis import Diagnosis
from harness.due import Comparison, Took
from harness.events import Request
from harness.faults.fault import Fault
from harness.faults.servers import RemovePage
from harness.keepalived import timers
from harness.lab.lab import Lab
from harness.lab.plan import Plan
from harness.lab.supervisor import Supervisor
from harness.nodes import (
    ClientNode,
    Context,
    DirectorNode,
    Node,
    PhantomNode,
    RealServerNode,
    require_optional,
)
from harness.observers.paths import Path as PacketPath
from harness.observers.recorder import Recorder
from harness.timeline import EVER, Timeline, TooLate
from harness.topology import HttpGet, VirtualService


class Cluster:
    """A running cluster. Between construction and :meth:`close` everything of it is recorded.

    What one machine does, is asked and is waited for is a method of its node, such as
    ``backup.takes(vip)`` and ``client.fetch(3)``; here is what concerns the cluster as a whole.

    ``timeline`` has all that happened, ``nodes`` the nodes by name, ``plan`` what was built;
    ``slack`` (seconds) is what this machine's clock may be off.
    """

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
        self._context = Context(plan, self.timeline, self.recorder, slack)
        self.nodes = Nodes(plan, self._context)
        self.timeline.nodes = self.nodes.keys()
        self.scenarios = 0
        self.state = State(self.nodes, self._context)
        self.settling = Settling(self.state, self.nodes, self._context)
        self._life = Life(self.lab, self.nodes, self._context)
        self._striking = Striking(self.moments, self.nodes, self.timeline, slack)
        self.faults = Suffering(self.lab, self._life, self._striking, self.timeline, slack)
        self._life.begin()

    def __repr__(self) -> str:
        """How it stands: what a failed assertion shows of it."""
        return f"<cluster of {self.state.describe()}>"

    def begin_scenario(self) -> None:
        """Draw a line: what the next scenario judges as its own begins here, on the timeline of the
        whole life.
        """
        self.scenarios += 1
        self.timeline.mark = self.timeline.now()
        self._context.expectations.begin_scenario()
        self._striking.begin()
        for director in self.directors:
            director.forget_connections()

    def close(self) -> None:
        """End all daemons, machines, wires and observers."""
        self._life.close()

    # -- what it is made of ------------------------------------------------------------------------

    @property
    def directors(self) -> list[DirectorNode]:
        """All directors, in the order of the topology."""
        return self.nodes.directors

    @property
    def real_servers(self) -> list[RealServerNode]:
        """All real servers, in the order of the topology."""
        return self.nodes.real_servers

    @property
    def client(self) -> ClientNode:
        """The (first) client."""
        return self.nodes.client

    @property
    def phantom(self) -> PhantomNode:
        """The (first) phantom router."""
        return self.nodes.phantom

    @property
    def vip(self) -> str:
        """The (first) VIP of the first director: of an instance, or else of a service, or one that
        it holds itself.
        """
        return self._context.vip

    @property
    def vips(self) -> list[str]:
        """All VIPs that directors claim, in the order of the topology."""
        return self._context.vips

    @property
    def service(self) -> VirtualService:
        """The (first) virtual service of the first director."""
        return self._context.service

    # -- its state ---------------------------------------------------------------------------------

    def settle(
        self, patience: float = 0.0, *, tables: bool = True, notified: bool = False
    ) -> Settled:
        """Wait until the director that should hold a VIP holds it, alone, and every table holds
        every real server. Gives master and backup, and the instant: ``master, backup =
        cluster.settle()``, ``cluster.settle().at``.

        ``patience``: how many seconds longer than an election that may take, for what else is to
        come about. Without ``tables`` it is about the VIPs alone. With ``notified`` whoever is told
        of a new state has been told as well: keepalived runs scripts, writes to a FIFO and sends
        mail a moment after it has set the VIP. Raises TooLate, with what is amiss; and HarnessError
        for a script that keepalived cannot run, with its line, unless that is meant.
        """
        try:
            return self.settling.settle(patience, tables, notified)
        except TooLate as problem:
            if not self.faults.lasting:
                raise
            lasting = " and ".join(
                f"{each.node.name} suffers from {each.name}" for each in self.faults.lasting
            )
            raise TooLate(f"{problem}, while {lasting}: settle before a fault") from None

    @property
    def master(self) -> DirectorNode:
        """The director that holds the VIP now. Raises HarnessError if there is not one."""
        return self.state.master()

    @property
    def backup(self) -> DirectorNode:
        """The director that is to take over from the master of now: the one of the next priority.
        Raises HarnessError if there is none.
        """
        return self.state.backup()

    def owners(self, vip: str | None = None) -> list[str]:
        """Which directors hold a VIP, the first by default, as an address of the interface for it,
        now.

        Real servers have it as well, and may have it on a device of the same name: a tunnel's. A
        machine that is both has it on ``lo``, too, and counts as a director.
        """
        return self.state.owners(vip)

    def unsettled(self) -> str | None:
        """What is not as it should be in a cluster that nothing ails; None if all is well."""
        return self.state.unsettled()

    def diagnoses(self, since: Instant = EVER, until: Instant | None = None) -> list[Diagnosis]:
        """The misconfigurations for which there is evidence since an instant, and until another
        one; and the known defects that have shown since, which no fault is mistaken for.
        """
        return diagnoses(self.nodes, self._context, since, until)

    # -- faults ------------------------------------------------------------------------------------

    def suffering(
        self, fault: Fault[Node], at_once: bool = False, heal_at_once: bool | None = None
    ) -> contextlib.AbstractContextManager[Instant]:
        """Inject a fault, give the instant just before it, and heal it at the end whatever happens.

        See :meth:`inject`. The seed decides as well at which moment of the protocol it is healed,
        unless something went wrong meanwhile, another fault has just been healed, or that is to be
        at once (``heal_at_once``, None: as ``at_once``).
        """
        return self.faults.of(fault, at_once, heal_at_once)

    def inject(self, fault: Fault[Node], at_once: bool = False) -> Instant:
        """Inject a fault; returns the instant just before.

        The seed decides at which moment of the protocol it strikes
        (:mod:`harness.cluster.moments`), unless that is ``at_once``, or something is wrong with the
        cluster already.
        """
        return self.faults.inject(fault, at_once)

    def heal(self, fault: Fault[Node]) -> Instant:
        """Heal a fault; returns the instant just before."""
        return self.faults.heal(fault)

    def healed(self) -> Instant:
        """When the last fault was healed."""
        return self.faults.healed()

    def wait_between_checks(
        self, server: RealServerNode, moment: float = 0.5, cuts: bool = True
    ) -> None:
        """Wait until ``moment`` of all the pauses between the checks of a real server, in which
        no check is open.

        Where nothing ``cuts`` an open check, it is ``moment`` of the whole ``delay_loop``, or of as
        many as there are URLs, which take turns.
        """
        self._striking.wait_between_checks(server, moment, cuts)

    def survives(
        self, fault: Fault[RealServerNode], service: VirtualService | None = None
    ) -> tuple[Took, Took]:
        """Have a real server suffer until the master removes it, heal it, and wait until the master
        takes it in again; the cluster settles before.

        Returns how long the one took from the fault on, the other from the moment on at which it
        served again, in seconds. Raises TooLate if a checker is late.
        """
        director, wanted = self.settle().master, self.service if service is None else service
        removal = timers.removal(wanted, fault.symptom).latest
        recovery = timers.recovery(wanted, fault.symptom).latest
        with self.faults.of(fault, noticed_by=wanted) as struck:
            left = director.removes(fault.node, service=wanted, since=struck, until=removal)
        healed = fault.node.serves_again()
        back = director.adds(fault.node, service=wanted, since=healed, until=recovery)
        return left, back

    @contextlib.contextmanager
    def failing(self, service: VirtualService, *names: str) -> Iterator[Instant]:
        """Have real servers of a cluster that has settled, or suffers already, lose the page that a
        service's checker fetches; begins when the master has removed them, and gives the instant at
        which the first one lost it.

        Raises TooLate if the checker is late.
        """
        if not self.faults.lasting:
            self.settle()
        director = self.master
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
                director.removes(server, service=service, since=since, until=latest)
            self.timeline.let_pass(self.slack)
            yield struck[0]

    # -- requests ----------------------------------------------------------------------------------

    def path_of(self, request: Request) -> PacketPath:
        """The packets of a request, on every machine's wire."""
        return PacketPath(
            self.recorder.frames(since=request.at), int(request.port), request.protocol
        )

    def reached(self, requests: Iterable[Request]) -> list[str | None]:
        """The address of the real server that answered each request; None where none did."""
        addresses = {server.page: server for server in self.real_servers}
        return [
            None if (server := addresses.get(event.server or "")) is None
            else server.plan.interface().address_of(6 if ":" in event.address else 4)
            for event in requests
        ]  # fmt: skip

    def server_of(self, request: Request) -> RealServerNode:
        """The real server that answered a request."""
        for server in self.real_servers:
            if server.page == request.server:
                return server
        raise measures.NoEvidence(f"no real server answered: {request}")

    # -- time --------------------------------------------------------------------------------------

    def let_pass(self, due: Window) -> None:
        """Let so much time pass that what is due has happened, by this machine's clock: for what
        nothing tells of.
        """
        self.timeline.let_pass(due.latest + self.slack)

    def within(self, due: Window) -> Window:
        """A window as this machine's clock sees it, for a time that was measured on the timeline.

        What a wait returns is judged by itself: ``took.within(due)``. Only such a judgement, a
        comparison with this window, and :meth:`on_time` may be inconclusive where the machine was
        starved.
        """
        return self._context.expectations.within(due.with_slack(self.slack))

    def on_time(self, times: Sequence[float], expected: Sequence[float]) -> bool:
        """Whether so many things happened, and each when it was expected, by this machine's
        clock.
        """
        return self._context.expectations.on_time(times, expected, self.slack)

    @property
    def comparisons(self) -> list[Comparison]:
        """What the scenario has compared with windows."""
        return self._context.expectations.comparisons
