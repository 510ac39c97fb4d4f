"""Where sequences are lived through: one cluster after the other, each used as long as it is as it
was at first.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import TYPE_CHECKING, Protocol

from harness.clock import Instant
from harness.events import DaemonChanged, StateChanged
from harness.search import canonical, growth
from harness.search.kinds import KINDS
from harness.search.model.processes import RESPAWN, pending, renumbered
from harness.search.observed import Observed
from harness.search.performing import Lived, perform, restart, unsettled
from harness.search.sequence import Step

if TYPE_CHECKING:
    from harness.cluster import Cluster

SEQUENCES_EACH = 60
"""So many sequences a cluster lives through at most: what is known of it is looked through again
each time.
"""

Steps = tuple[Step, ...]


class Ground(Protocol):
    """Clusters of one topology, one at a time."""

    def cluster(self) -> Cluster:
        """The one that is alive, or a new one."""

    def drop(self) -> None:
        """End it: the next one is new."""


class Site:
    """The clusters of one ground. ``clusters`` counts them, ``seconds`` is the virtual time of all
    sequences, and ``lived`` has what the last cluster has lived through, in order.
    """

    def __init__(self, ground: Ground) -> None:
        self._ground = ground
        self._alive: Cluster | None = None
        self._before: canonical.State = {}
        self._counted: growth.Counters = {}
        self._faults: set[tuple[str, str]] = set()
        self._remembered: dict[tuple[str, str], Instant] = {}
        """Until when a director's keepalived remembers a kind of deed."""
        self.lived: list[Steps] = []
        self.clusters = 0
        self.seconds = 0.0

    def live(self, steps: Steps, fresh: bool = False) -> tuple[Lived, str | None]:
        """Perform a sequence, on a new cluster if ``fresh``; what came of it, and what it has left
        behind.
        """
        if fresh or len(self.lived) >= SEQUENCES_EACH or not self._made_to_forget(steps):
            self._drop()
        cluster = self._ground.cluster()
        lived = self._took_up(cluster) or perform(cluster, steps)
        self.lived.append(steps)
        self.seconds += lived.observed.ended - lived.observed.began
        left = None if lived.amiss else self._left_behind(cluster, steps)
        if lived.amiss or left or self._unfit(cluster, lived.observed):
            self._drop()
        else:
            self._remember(lived.observed)
        return lived, left

    def remembers(self, steps: Steps) -> bool:
        """Whether a keepalived has to be restarted before a sequence, since it remembers what is to
        be done to it again.
        """
        cluster = self._alive
        if cluster is None or len(self.lived) >= SEQUENCES_EACH:
            return False
        return bool(self._met(cluster, steps))

    def _met(self, cluster: Cluster, steps: Steps) -> list[tuple[str, str]]:
        """What is done in a sequence and remembered: to which director, and which kind of deed."""
        now = cluster.timeline.now()
        deeds = [(each.deed.node, each.deed.name) for each in steps]
        return [each for each in deeds if self._remembered.get(each, now) > now]

    def _remember(self, observed: Observed) -> None:
        """Take down what directors remember of a sequence: nothing of before keepalived was started
        anew.
        """
        anew = observed.of(DaemonChanged, name="keepalived", action="started")
        began = {event.node: event.at for event in anew}
        self._forget(began)
        for act in observed.acts:
            node = str(act.node)
            if KINDS[act.name].remembered and act.at >= began.get(node, observed.began):
                self._remembered[node, act.name] = observed.ended + RESPAWN

    def _forget(self, names: Container[str]) -> None:
        """Take down that these directors have a new keepalived."""
        self._remembered = {
            each: until for each, until in self._remembered.items() if each[0] not in names
        }

    def _made_to_forget(self, steps: Steps) -> bool:
        """Restart each keepalived that remembers a deed which is to be done to it again. Whether
        the cluster is as it was at first after that.
        """
        cluster = self._alive
        if cluster is None:
            return True
        names = {node for node, _ in self._met(cluster, steps)}
        if not names:
            return True
        self._forget(names)
        return restart(cluster, names) and not canonical.changed(self._before, cluster)

    def _left_behind(self, cluster: Cluster, steps: Steps) -> str | None:
        """What is not as it was before the first sequence, or has counted less than before this."""
        counted, before = growth.counters(cluster.directors), self._counted
        self._counted = counted
        booted = {each.deed.node for each in steps if each.deed.name == "PowerOff"}
        changed = canonical.changed(self._before, cluster)
        return changed or growth.fallen(before, counted, booted)

    def _unfit(self, cluster: Cluster, observed: Observed) -> bool:
        """Whether something is left that no comparison of the machines shows: an instance has come
        to be in FAULT state, a child of keepalived is still to be started, or an instance was given
        another's number, and its state with that, of which the log says nothing.
        """
        faults = in_fault(cluster.timeline.events(StateChanged))
        return (
            bool(faults - self._faults)
            or pending(observed.events, observed.ended)
            or any(renumbered(observed, each.name) for each in cluster.directors)
        )

    def _took_up(self, cluster: Cluster) -> Lived | None:
        """Wait until a new cluster has settled, and look what stands where. One that never settles
        is what came of the sequence; None if it does, or did before.
        """
        if cluster is self._alive:
            return None
        self.clusters += 1
        self._alive, self.lived, self._remembered = cluster, [], {}
        lived = unsettled(cluster)
        if lived is None:
            self._before = canonical.state(cluster)
            self._counted = growth.counters(cluster.directors)
            self._faults = in_fault(cluster.timeline.events(StateChanged))
        return lived

    def _drop(self) -> None:
        self._ground.drop()
        self._alive = None


def in_fault(events: Iterable[StateChanged]) -> set[tuple[str, str]]:
    """The instances that are in FAULT state after these events, each with its director."""
    last = {(event.node, event.instance): event.state for event in events}
    return {instance for instance, state in last.items() if state == "FAULT"}
