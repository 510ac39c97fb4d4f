"""Waiting until a cluster has settled: who is master then, and who backup."""

from __future__ import annotations

from collections.abc import Callable

from harness.clock import Instant
from harness.cluster.looking import Looking
from harness.daemons.nodes import DirectorNode
from harness.errors import HarnessError
from harness.events import (
    AddressChanged,
    DaemonChanged,
    DestinationChanged,
    Event,
    Link,
    Power,
    ServiceChanged,
)
from harness.keepalived import timers
from harness.timeline import TooLate
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


class Settling(Looking):
    """Waits until everything is as the topology says that it should be."""

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
            if not self.suffered:
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
