"""Where sequences are lived through: one cluster after the other, each used as long as it is as it
was at first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from harness.clock import Instant
from harness.search import canonical, growth
from harness.search.kinds import KINDS
from harness.search.model.processes import RESPAWN, pending
from harness.search.model.router import routers
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
        if lived.amiss or left or unfit(lived.observed):
            self._drop()
        else:
            over = cluster.timeline.now() + RESPAWN
            self._remembered |= dict.fromkeys(_remembered(steps), over)
        return lived, left

    def _made_to_forget(self, steps: Steps) -> bool:
        """Restart each keepalived that remembers a deed which is to be done to it again. Whether
        the cluster is as it was at first after that.
        """
        cluster = self._alive
        if cluster is None:
            return True
        now = cluster.timeline.now()
        met = [each for each in _remembered(steps) if self._remembered.get(each, now) > now]
        if not met:
            return True
        names = {node for node, _ in met}
        self._remembered = {
            each: until for each, until in self._remembered.items() if each[0] not in names
        }
        return restart(cluster, names) and not canonical.changed(self._before, cluster)

    def _left_behind(self, cluster: Cluster, steps: Steps) -> str | None:
        """What is not as it was before the first sequence, or has counted less than before this."""
        counted, before = growth.counters(cluster.directors), self._counted
        self._counted = counted
        booted = {each.deed.node for each in steps if each.deed.name == "PowerOff"}
        changed = canonical.changed(self._before, cluster)
        return changed or growth.fallen(before, counted, booted)

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
        return lived

    def _drop(self) -> None:
        self._ground.drop()
        self._alive = None


def unfit(observed: Observed) -> bool:
    """Whether something shows only later that nothing which machines hold tells: an instance that
    is in FAULT state while the other director is master, or a child that is still to be started.
    """
    if pending(observed.events, observed.ended):
        return True
    states = [router.states for router in routers(observed)]
    return any(each and each[-1][1] == "FAULT" for each in states)


def _remembered(steps: Steps) -> list[tuple[str, str]]:
    """What directors will remember of a sequence: which of them, and which kind of deed."""
    deeds = [each.deed for each in steps]
    return [(deed.node, deed.name) for deed in deeds if KINDS[deed.name].remembered]
