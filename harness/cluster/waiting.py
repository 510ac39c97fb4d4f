"""Waiting for what a cluster is due to do: a method returns when it has happened, and raises when
it is too late.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from harness.clock import Instant, Window
from harness.cluster import moments
from harness.cluster.base import STARTING
from harness.cluster.due import Took
from harness.cluster.looking import Looking
from harness.daemons import keepalived
from harness.daemons.nodes import DirectorNode, Node, RealServerNode
from harness.errors import HarnessError
from harness.events import (
    AddressChanged,
    Advertisement,
    DaemonChanged,
    DestinationChanged,
    Event,
    FaultChanged,
    Link,
    Log,
    Power,
    Request,
    ServiceChanged,
    StateChanged,
    Value,
)
from harness.faults.fault import Fault
from harness.keepalived import timers
from harness.observers.client import Load
from harness.timeline import EVER, E, TooLate
from harness.topology import VirtualService

_STATE = (AddressChanged, DaemonChanged, DestinationChanged, Link, Power, ServiceChanged)


def _can_settle(event: Event) -> bool:
    """Whether an event is of a kind that :meth:`Looking.unsettled` judges by."""
    return isinstance(event, _STATE)


def _return(service: VirtualService) -> float:
    try:
        return timers.recovery(service).latest
    except HarnessError:  # whose checker takes nothing out
        return 0.0


class Waiting(Looking):
    """Waits for events on the timeline, each until the instant that the protocol gives."""

    def settle(self, patience: float = 0.0) -> None:
        """Wait until one director holds the VIP, the one that should, and every table holds every
        real server.

        ``patience``: how many seconds longer than an election that may take, for what else is to
        come about.
        """
        self._wait_until_not(self.unsettled, "the cluster settles", patience)

    def wait_elected(self) -> None:
        """Wait until every VIP is held by the one director that should."""
        self._wait_until_not(self.unelected, "every VIP has its owner")

    def _wait_until_not(
        self, amiss: Callable[[], str | None], what: str, patience: float = 0.0
    ) -> None:
        until = self.timeline.now() + self._settling() + self._starting + patience
        try:
            self.timeline.wait_until(lambda: None if amiss() else True, until, what, _can_settle)
        except TooLate as problem:
            raise TooLate(f"{problem}: {amiss()}") from None
        self._let_addresses_work()

    def _settling(self) -> float:
        """How many seconds it may take until directors have elected one, and taken back what their
        first check found not serving yet.
        """
        candidates = [
            instance for director in self.directors for instance in director.role.instances
        ]
        elected = timers.cold_start(*candidates).latest if candidates else 0.0
        elected += max((each.preempt_delay for each in candidates), default=0.0)
        return max(
            [
                elected,
                *(
                    _return(service)
                    for director in self.directors
                    for service in director.role.services
                ),
            ]
        )

    def _let_addresses_work(self) -> None:
        """Let the slack pass since the last change: the kernel tells of an address before it has
        routes for it (``__inet_insert_ifa``), and keepalived sets it before it says so by
        gratuitous ARP.
        """
        changed = self.timeline.events(AddressChanged)[-1:]
        if changed and (rest := changed[0].at + self.slack - self.timeline.now()) > 0:
            self.timeline.let_pass(rest)

    def wait_told(self) -> Instant:
        """Wait until the cluster has settled, and whoever is told of that has been; returns the
        instant.

        keepalived tells scripts, FIFO and people a moment after it has set the VIP.
        """
        self.settle()
        self.timeline.let_pass(self.slack)
        return self.timeline.now()

    @property
    def master(self) -> DirectorNode:
        """The director that holds the VIP, once the cluster has settled. Raises HarnessError if
        there is not one.
        """
        try:
            self.settle()
        except TooLate as problem:
            if not self._suffered:
                raise
            raise TooLate(f"{problem}; ask for master and backup before the fault") from None
        holders = self.owners()
        if len(holders) != 1:
            raise HarnessError(
                f"{self.vip} is held by {' and '.join(holders) or 'nobody'}, so"
                f" there is no one master"
            )
        return next(director for director in self.directors if director.name == holders[0])

    @property
    def backup(self) -> DirectorNode:
        """The director that is to take over from the master: the one of the next priority."""
        master = self.master
        others = [director for director in self.directors if director is not master]
        return max(
            others,
            key=lambda director: (director.vrrp.priority, director.plan.interface().address.ip),
        )

    def wait_master(
        self, director: DirectorNode, *, since: Instant, until: float, vip: str | None = None
    ) -> Took:
        """Wait until ``director`` gets a VIP, the first by default; returns how long after
        ``since``, in seconds.

        ``until`` is the longest that it may take, after ``since``; TooLate is raised a little after
        it.
        """
        return self._wait_address(director, "takes", "added", since, until, vip)

    def wait_announced(
        self, director: DirectorNode, *, since: Instant, until: float, vip: str | None = None
    ) -> Took:
        """``wait_master``, and then until the others on its LANs have heard of it; returns the time
        of the former.
        """
        took = self.wait_master(director, since=since, until=until, vip=vip)
        self.timeline.let_pass(self.slack)
        return took

    def let_pass(self, due: Window) -> None:
        """Let so much time pass that what is due has happened, by this machine's clock: for what
        nothing tells of.
        """
        self.timeline.let_pass(due.latest + self.slack)

    def wait_resigned(
        self, director: DirectorNode, *, since: Instant, until: float, vip: str | None = None
    ) -> Took:
        """Wait until ``director`` gives a VIP up; returns how long that took after ``since``, in
        seconds.
        """
        return self._wait_address(director, "gives up", "removed", since, until, vip)

    def _wait_address(
        self,
        director: DirectorNode,
        what: str,
        action: str,
        since: Instant,
        until: float,
        vip: str | None,
    ) -> Took:
        vip = self.vip if vip is None else vip
        device = director.device_of(vip)
        if director.speaker.holding == "carrier":
            return self._expectations.wait_for(
                f"{what} {vip}",
                Link,
                director.name,
                since,
                until,
                self.slack,
                interface=device,
                up=action == "added",
            )
        return self._expectations.wait_for(
            f"{what} {vip}", AddressChanged, director.name, since, until, self.slack,
            action=action, address=vip, interface=device,
        )  # fmt: skip

    def wait_pool(
        self,
        director: DirectorNode,
        server: RealServerNode,
        *,
        present: bool,
        since: Instant,
        until: float,
        service: VirtualService | None = None,
    ) -> Took:
        """Wait until a director's table gains or loses a real server; returns how long after
        ``since``, in seconds.

        A service that is a group (None: the first service) has several tables, and the last of them
        counts.
        """
        wanted = self.service if service is None else service
        return max(
            self._expectations.wait_for(
                f"{'takes in' if present else 'removes'}"
                f" {server.name}", DestinationChanged, director.name, since,
                until, self.slack, action="added" if present else "removed", service=name,
                address=director.destination(wanted, server, name).endpoint,
            )
            for name in wanted.names
        )  # fmt: skip

    def wait_weight(
        self,
        director: DirectorNode,
        server: RealServerNode,
        weight: int,
        *,
        since: Instant,
        until: float,
        service: VirtualService,
    ) -> Took:
        """Wait until a real server weighs ``weight`` in a director's table; returns how long after
        ``since``.
        """
        return self._expectations.wait_for(
            f"gives {server.name} weight {weight}",
            DestinationChanged,
            director.name,
            since,
            until,
            self.slack,
            action="changed",
            service=service.name,
            address=director.destination(service, server).endpoint,
            weight=weight,
        )

    def wait_done(
        self, director: DirectorNode, kind: type[E], *, since: Instant = EVER, **details: Value
    ) -> E:
        """Wait for what keepalived does because it has been started or told to reload, such as a
        VIP that it sets.

        For configurations of the scenario's own, of which the topology knows nothing.
        """
        until = self.timeline.now() + STARTING
        return self.timeline.wait_for(kind, node=director.name, since=since, until=until, **details)

    def wait_answers(self, load: Load, count: int, *, since: Instant) -> list[Request]:
        """Wait until ``count`` requests of a load that were sent after ``since`` have got a good
        answer.
        """

        arrived = enough = 0

        def answered() -> list[Request] | None:
            nonlocal enough
            before = arrived
            good = self.timeline.events(Request, since=since, status=200)
            # so that thousands are not looked through after each of them
            enough = before + count - len(good)
            return good[:count] if len(good) >= count else None

        def matters(event: Event) -> bool:
            nonlocal arrived
            fits = isinstance(event, Request) and event.at >= since and event.status == 200
            arrived += fits
            return fits and arrived >= enough

        until = self.timeline.now() + (count + 1) * load.resolution + load.timeout + self.slack
        return self.timeline.wait_until(answered, until, f"{count} requests are answered", matters)

    def candidate_since(self, director: DirectorNode, since: Instant | None = None) -> Window:
        """Between which instants keepalived became a candidate and began to wait for a master: from
        ``since`` (when it was last started) to its own word in the log, which on a busy machine
        comes a little after the fact.
        """
        if since is None:
            since = self._started(director)
        until = since + STARTING
        said = self.timeline.wait_for(
            StateChanged, node=director.name, since=since, until=until, state="BACKUP"
        )
        return Window(since, said.at)

    def checking(self, director: DirectorNode) -> Window:
        """Between which instants a director began to count towards its first checks: from when it
        was last started to its own word, as with :meth:`candidate_since`.
        """
        since = self._started(director)

        def said() -> Instant | None:
            logs = self.timeline.events(Log, node=director.name, since=since, daemon="keepalived")
            return next((log.at for log in logs if keepalived.CHECKING.search(log.line)), None)

        return Window(
            since,
            self.timeline.wait_until(
                said, since + STARTING, f"{director.name} checks real servers"
            ),
        )

    def _started(self, director: DirectorNode) -> Instant:
        return self.timeline.events(DaemonChanged, node=director.name, action="started")[-1].at

    def healed(self) -> Instant:
        """When the last fault was healed."""
        return self.timeline.events(FaultChanged, action="healed")[-1].at

    def serves_again(self, server: RealServerNode) -> Instant:
        """When the last fault of a real server was healed, or, where that meant a start, when all
        of it served.
        """
        healed = self.healed()
        restarted = self.timeline.events(
            DaemonChanged, node=server.name, since=healed, action="started"
        )
        started = [
            daemon
            for daemon in server.daemons
            if daemon.name in {event.name for event in restarted}
        ]
        return max([healed, *(self._wait_ready(server, daemon, healed) for daemon in started)])

    def ailment(self) -> str | None:
        """What a scenario has left amiss; None if the cluster, once it has settled, is as good as
        new.
        """
        for fault in self._suffered:
            return f"{fault.node.name} still suffers from {fault.name}"
        self._wait_assured()
        return self._down() or self._reconfigured() or self.misled()

    def _reconfigured(self) -> str | None:
        """Which director has been left with another configuration; None if none has."""
        for director in self.directors:
            made_with = director.config_text().decode(errors="replace")
            if (
                director.machine.powered
                and director.machine.read(director.config_file) != made_with
            ):
                return f"{director.name} has been left with another {director.config_file}"
        return None

    def _wait_assured(self) -> None:
        """Wait until no checker that has begun to fail can still be about to try again: it would
        give up too early.
        """
        healed = self.timeline.events(FaultChanged, action="healed")
        if not healed:
            return
        paces = [
            check.pace(service.delay_loop)
            for director in self.directors
            for service in director.role.services
            for check in service.checks
        ]
        longest = max((pace.timeout + pace.delay_before_retry for pace in paces), default=0.0)
        self.timeline.let_pass(max(0.0, healed[-1].at + longest - self.timeline.now()))

    def misled(self) -> str | None:
        """Which machine looks for the VIP at the wrong hardware address; None if all are right or
        do not know.
        """
        master = self.master
        right = master.hardware_address(self.vip)
        for node in self.nodes.values():
            known = self.neighbour(node, self.vip) if node is not master else None
            if known not in (None, right):
                return f"{node.name} looks for {self.vip} at {known}, and {master.name} has {right}"
        return None

    def wait_moment(self, fault: Fault[Node]) -> None:
        """Wait until the moment at which a fault is to strike (:mod:`harness.cluster.moments`).

        What befalls a director is spread over the interval of the advertisements on its LAN, and
        comes when their sender has been master for :data:`harness.cluster.moments.REIGN` at the
        least. What befalls a real server is spread over the time between two checks of it; what
        cuts it off begins while no check is open, because the end of an open one takes keepalived
        up to :data:`harness.keepalived.timers.LINGER`, which nobody could tell beforehand.
        """
        moment = self.moments.draw()
        if isinstance(fault.node, DirectorNode):
            self._wait_within_reign(fault.node, moment)
        elif isinstance(fault.node, RealServerNode):
            self.wait_between_checks(fault.node, moment, fault.cuts)

    def _wait_within_reign(self, director: DirectorNode, moment: float) -> None:
        for instance in director.role.instances:
            sent = self.timeline.events(Advertisement, sent=True, vrid=instance.vrid)
            if not sent or not sent[-1].priority:
                continue
            sender = sent[-1].node
            entered = self.timeline.events(
                StateChanged, node=sender, instance=instance.name, state="MASTER"
            )
            earliest = max(
                [self.timeline.now(), *(event.at + moments.REIGN for event in entered[-1:])]
            )
            at = moments.instant(sent[-1].at, instance.advert_int, moment, earliest)
            self.timeline.let_pass(at - self.timeline.now())
            return

    def wait_between_checks(
        self, server: RealServerNode, moment: float = 0.5, cuts: bool = True
    ) -> None:
        """Wait until ``moment`` of the longest pause between two checks of a real server, in which
        no check is open.

        Where nothing ``cuts`` an open check, it is ``moment`` of the whole ``delay_loop``.
        """
        now = self.timeline.now()  # looking takes its time, too
        due = sorted(
            ((made[-1] - now) % service.delay_loop, service.delay_loop)
            for director in self.directors
            for service in director.role.services
            if any(check.connects for check in service.checks)
            and (
                made := self.checked(director, server, service, since=now - 3 * service.delay_loop)
            )
        )
        if not due:
            return
        if cuts:
            pauses = pairwise(
                [*(after for after, _ in due), due[0][0] + min(loop for _, loop in due)]
            )
            begin, end = max(pauses, key=lambda pause: pause[1] - pause[0])
            at = now + begin + (0.1 + 0.8 * moment) * (end - begin)
        else:
            after, loop = due[0]
            at = moments.instant(now + after - loop, loop, moment, self.timeline.now())
        self.timeline.let_pass(max(0.0, at - self.timeline.now()))

    def wait_check(
        self, director: DirectorNode, server: RealServerNode, service: VirtualService | None = None
    ) -> Instant:
        """Wait until a director connects to a real server of a TCP service, the first one by
        default, to check it once more; returns the instant.

        Raises TooLate if it does not within the longest time between two checks.
        """
        wanted = self.service if service is None else service
        began = self.timeline.now()
        paces = [check.pace(wanted.delay_loop) for check in wanted.checks if check.connects]
        if not paces:
            raise HarnessError(f"{wanted.name}: none of its checks connects to real servers")
        loop = max(pace.delay_loop for pace in paces)
        longest = max(pace.delay_loop + pace.timeout + pace.delay_before_retry for pace in paces)
        before = self.checked(director, server, wanted, since=began - loop)
        soon = before[-1] + loop - began if before else loop
        for until in (began + max(0.0, soon), began + longest):
            self.timeline.let_pass(until + self.slack - self.timeline.now())
            if made := self.checked(director, server, wanted, since=began):
                return made[0]
        raise TooLate(
            f"{director.name} has not checked {server.name} within {longest:.3f} s, though"
            f" {wanted.name} is to be checked every {loop:g} s"
        )

    def within(self, due: Window) -> Window:
        """A window as this machine's clock sees it, for a time that was measured on the timeline.

        What a wait returns is judged by itself: ``took.within(due)``. Only such a judgement, a
        comparison with this window, and :meth:`on_time` may be inconclusive where the machine was
        starved.
        """
        return self._expectations.within(due.with_slack(self.slack))

    def on_time(self, times: Sequence[float], expected: Sequence[float]) -> bool:
        """Whether so many things happened, and each when it was expected, by this machine's
        clock.
        """
        return self._expectations.on_time(times, expected, self.slack)
