"""Waiting for what a cluster is due to do: a method returns when it has happened, and raises when
it is too late.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.clock import Instant, Window
from harness.cluster import striking
from harness.cluster.base import STARTING
from harness.cluster.due import Took
from harness.cluster.settling import Settling
from harness.daemons import keepalived
from harness.daemons.nodes import DirectorNode, Node, RealServerNode
from harness.events import (
    AddressChanged,
    DaemonChanged,
    DestinationChanged,
    Event,
    FaultChanged,
    Link,
    Log,
    Request,
    StateChanged,
    Value,
)
from harness.faults.fault import Fault
from harness.observers.client import Load
from harness.timeline import EVER, E
from harness.topology import VirtualService


class Waiting(Settling):
    """Waits for events on the timeline, each until the instant that the protocol gives."""

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

    def wait_moment(self, fault: Fault[Node]) -> None:
        """Wait until the moment at which a fault is to strike (:mod:`harness.cluster.moments`).

        What befalls a director is spread over the interval of the advertisements on its LAN, and
        comes when their sender has been master for :data:`harness.cluster.moments.REIGN` at the
        least. What befalls a real server is spread over the time between two checks of it; what
        cuts it off begins while no check is open, because the end of an open one takes keepalived
        up to :data:`harness.keepalived.timers.LINGER`, which nobody could tell beforehand.
        """
        striking.wait_moment(self, fault)

    def _wait_healing(self, fault: Fault[Node]) -> None:
        """Wait until the moment at which a fault is to be healed.

        That is up to one round of what tells that its node is well: of a director's advertisements
        or runs of scripts, or of the checks of a real server. Faults that are healed one right
        after the other share the moment of the first.
        """
        if self.timeline.now() - self._healed_until > self.slack:
            striking.wait_healing(self, fault)

    def wait_between_checks(
        self, server: RealServerNode, moment: float = 0.5, cuts: bool = True
    ) -> None:
        """Wait until ``moment`` of the longest pause between two checks of a real server, in which
        no check is open.

        Where nothing ``cuts`` an open check, it is ``moment`` of the whole ``delay_loop``, or of as
        many as there are URLs, which take turns.
        """
        striking.wait_between_checks(self, server, moment, cuts)

    def wait_check(
        self, director: DirectorNode, server: RealServerNode, service: VirtualService | None = None
    ) -> Instant:
        """Wait until a director connects to a real server of a TCP service, the first one by
        default, to check it once more; returns the instant.

        Raises TooLate if it does not within the longest time between two checks.
        """
        return striking.wait_check(self, director, server, service)

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
