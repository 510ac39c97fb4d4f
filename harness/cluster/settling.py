"""Waiting until a cluster has settled: who is master then, and who backup."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from harness.clock import Instant
from harness.cluster.nodes import Nodes
from harness.cluster.state import State
from harness.diagnosis import unrun_script
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
from harness.nodes import DirectorNode
from harness.nodes.context import Context
from harness.timeline import TooLate
from harness.topology import VirtualService

_STATE = (AddressChanged, DaemonChanged, DestinationChanged, Link, Power, ServiceChanged)


def _can_settle(event: Event) -> bool:
    """Whether an event is of a kind that :meth:`State.unsettled` judges by."""
    return isinstance(event, _STATE)


def _return(service: VirtualService) -> float:
    try:
        return timers.recovery(service).latest
    except HarnessError:  # whose checker takes nothing out
        return 0.0


@dataclass(frozen=True)
class Settled:
    """A cluster that has settled ``at`` an instant: ``master, backup = cluster.settle()``."""

    at: Instant
    _state: State

    @property
    def master(self) -> DirectorNode:
        """The director that holds the first VIP. Raises HarnessError if there is not one."""
        return self._state.master()

    @property
    def backup(self) -> DirectorNode:
        """The director that is to take over from the master. Raises HarnessError if there is
        none.
        """
        return self._state.backup()

    def __iter__(self) -> Iterator[DirectorNode]:
        """Master and backup."""
        yield self.master
        yield self.backup


class Settling:
    """Waits until everything is as the topology says that it should be."""

    def __init__(self, state: State, nodes: Nodes, context: Context) -> None:
        self._state, self._nodes, self._context = state, nodes, context
        self._timeline = context.timeline
        self.wants_scripts_run = False
        """Whether a script that keepalived leaves out is an error, as scenarios say."""

    def settle(self, patience: float, tables: bool, notified: bool) -> Settled:
        """See :meth:`harness.cluster.Cluster.settle`."""
        if tables:
            self._wait_until_not(self._state.unsettled, "the cluster settles", patience)
        else:
            self._wait_until_not(self._state.unelected, "every VIP has its owner", patience)
        if notified:
            self._context.let_slack_pass()
        self._refuse_unrun_script()
        return Settled(self._timeline.now(), self._state)

    def _refuse_unrun_script(self) -> None:
        """Whatever such a script would have had happen does not, and nothing else shows it."""
        unrun = unrun_script(self._timeline) if self.wants_scripts_run else None
        if unrun is not None:
            raise HarnessError(
                f"{unrun.nodes[0]} leaves out a script that it cannot run:"
                f" {unrun.evidence}; {unrun.cure}."
                f" If that is meant: @pytest.mark.diagnosis({unrun.name!r})"
            )

    def _wait_until_not(self, amiss: Callable[[], str | None], what: str, patience: float) -> None:
        until = self._timeline.now() + self._settling() + self._context.starting + patience
        try:
            self._timeline.wait_until(lambda: None if amiss() else True, until, what, _can_settle)
        except TooLate as problem:
            raise TooLate(f"{problem}: {amiss()}") from None
        self._let_addresses_work()

    def _settling(self) -> float:
        """How many seconds it may take until directors have elected one, and taken back what their
        first check found not serving yet.
        """
        directors = self._nodes.directors
        candidates = [each for director in directors for each in director.role.instances]
        services = [each for director in directors for each in director.role.services]
        elected = timers.cold_start(*candidates).latest if candidates else 0.0
        elected += max((each.preempt_delay for each in candidates), default=0.0)
        elected += max((director.role.startup_delay for director in directors), default=0)
        return max([elected, *map(_return, services)])

    def _let_addresses_work(self) -> None:
        """Let the slack pass since the last change: the kernel tells of an address before it has
        routes for it (``__inet_insert_ifa``), and keepalived sets it before it says so by
        gratuitous ARP.
        """
        changed = self._timeline.events(AddressChanged)[-1:]
        if changed and (rest := changed[0].at + self._context.slack - self._timeline.now()) > 0:
            self._timeline.let_pass(rest)
