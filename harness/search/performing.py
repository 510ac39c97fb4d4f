"""A sequence performed on a living cluster, and what was seen of it from its beginning until all
was at rest.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.clock import Instant
from harness.cluster import moments as when
from harness.errors import HarnessError
from harness.events import AddressChanged, Advertisement, DaemonChanged, FaultChanged, Log, Power
from harness.search.deeds import Restart
from harness.search.invariants.rest import regained
from harness.search.kinds import fault_of, holds
from harness.search.model.processes import RESPAWN, counted_until, delayed_until, unreplaced
from harness.search.observed import Act, Observed, observe
from harness.search.sequence import Moment, Step, moments
from harness.search.setting import startup_delay
from harness.timeline import TooLate

if TYPE_CHECKING:
    from harness.cluster import Cluster

BEGINS = 0.05
"""Where in the time between two advertisements a sequence begins, as a fraction of it."""
REST = 1.0
"""Seconds that are watched when all seems well again, at the least: until somebody has advertised
once more.
"""
SILENT = 2
"""After so many of the longest intervals without an advertisement a master has fallen silent."""
TAKEOVERS = 4
"""How many takeovers are waited for, one after the other, when all seems well again."""
BY_HAND = frozenset({"Weigh"})
"""Deeds that change a table without a word in keepalived's log."""


@dataclass(frozen=True)
class Lived:
    """What came of a sequence: ``amiss`` is why it could not be performed, or did not come to rest;
    None if it did. ``unsettled`` is a new cluster that never did, before anything was done to it.
    """

    observed: Observed
    amiss: str | None
    unsettled: bool = False


def perform(cluster: Cluster, steps: Sequence[Step]) -> Lived:
    """Do what the steps say, wait until the cluster is as it was before, and return what was seen.

    A cluster on which something could not be done, or which is not well again in time, is not to be
    used again.
    """
    wait_for_beginning(cluster)
    cluster.begin_scenario()
    began = cluster.timeline.now()
    if (silence := _silence(cluster)) is not None:
        return Lived(observe(cluster, began, []), silence)
    acts: dict[int, _Lasting] = {}
    amiss: str | None = None
    try:
        for moment in moments(steps, holds):
            cluster.timeline.let_pass(began + moment.at - cluster.timeline.now())
            _do(cluster, steps, moment, acts)
        _come_to_rest(cluster)
    except TooLate as problem:
        amiss = str(problem)
    except (HarnessError, OSError) as problem:
        amiss = f"could not go on: {problem}"
    return Lived(observe(cluster, began, [each.act() for each in acts.values()]), amiss)


def unsettled(cluster: Cluster) -> Lived | None:
    """Wait until a new cluster has settled; None if it does. One that never does is a failure by
    itself.
    """
    try:
        cluster.settle()
    except TooLate as problem:
        return Lived(observe(cluster, cluster.timeline.mark, []), f"at first {problem}", True)
    return None


def restart(cluster: Cluster, names: Collection[str]) -> bool:
    """Start a new keepalived on these directors, and wait until the cluster is at rest again.
    Whether it came to rest.
    """
    cluster.begin_scenario()
    try:
        for director in cluster.directors:
            if director.name in names:
                anew = Restart(director)
                cluster.inject(anew, at_once=True)
                cluster.heal(anew)
        _come_to_rest(cluster)
    except (HarnessError, OSError):
        return False
    return True


@dataclass
class _Lasting:
    """A deed that was done."""

    step: Step
    fault: Any
    at: Instant
    healed_at: Instant | None = None

    def act(self) -> Act:
        deed = self.step.deed
        return Act(deed.name, deed.node, dict(deed.parameters), self.at, self.healed_at)


def _do(cluster: Cluster, steps: Sequence[Step], moment: Moment, acts: dict[int, _Lasting]) -> None:
    each = steps[moment.number]
    if moment.begins:
        fault = fault_of(cluster, each.deed)
        acts[moment.number] = _Lasting(each, fault, cluster.timeline.now())
        cluster.inject(fault, at_once=True)
    else:
        acts[moment.number].healed_at = cluster.heal(acts[moment.number].fault)
    if each.deed.name in BY_HAND:
        cluster.recorder.look_now(cluster.nodes[each.deed.node].machine)


def wait_for_beginning(cluster: Cluster) -> None:
    """Wait until the same moment between two advertisements, whatever went before."""
    cluster.settle()
    if (last := _last_claim(cluster)) is not None:
        at = when.instant(last.at, last.interval, BEGINS, cluster.timeline.now())
        cluster.timeline.let_pass(at - cluster.timeline.now())


def _silence(cluster: Cluster) -> str | None:
    """What is to be said of a master that has fallen silent before a sequence begins: it holds its
    addresses, so the cluster seems at rest. None if nobody has.
    """
    if (last := _last_claim(cluster)) is None:
        return None
    instances = [each for director in cluster.directors for each in director.role.instances]
    longest = max([last.interval, *(each.advert_int for each in instances)])
    quiet = cluster.timeline.now() - last.at
    if quiet <= SILENT * longest:
        return None
    return f"{last.node} advertised last {quiet:.3f} s ago, and nobody since"


def _last_claim(cluster: Cluster) -> Advertisement | None:
    """The last advertisement of a master that did not resign; None if there was none."""
    return cluster.timeline.latest(Advertisement, lambda event: event.sent and event.priority > 0)


def _come_to_rest(cluster: Cluster) -> None:
    """Wait until the cluster has settled, and what keepalived does a while after a takeover is
    over, too, also after one that comes meanwhile.
    """
    _wait_respawned(cluster)
    _wait_until_all_act(cluster)
    _wait_until_scripts_count(cluster)
    cluster.settle()
    instances = [each for director in cluster.directors for each in director.role.instances]
    calm = REST + max((each.advert_int for each in instances), default=0.0)
    garps = max((float(each.garp_master_delay) for each in instances), default=0.0)
    cluster.timeline.let_pass(calm)
    for _ in range(TAKEOVERS):
        _wait_respawned(cluster)  # also whoever has died only now
        _wait_until_all_act(cluster)
        _wait_until_scripts_count(cluster)
        cluster.settle()
        changed = cluster.timeline.events(
            AddressChanged, since=cluster.timeline.mark, action="added"
        )
        left = changed[-1].at + garps + calm - cluster.timeline.now() if changed else 0.0
        if left <= 0:
            return
        cluster.timeline.let_pass(left)


def _wait_until_all_act(cluster: Cluster) -> None:
    """Wait until whoever has started takes part in elections. A backup whose
    ``vrrp_startup_delay`` is not over looks settled, and has not opened its sockets yet.
    """
    delays = {each.name: startup_delay(each) for each in cluster.directors}
    said = cluster.timeline.events(Log, DaemonChanged, since=cluster.timeline.mark)
    _let_pass_until(cluster, delayed_until(said, delays))


def _wait_until_scripts_count(cluster: Cluster) -> None:
    """Wait until each script that is well is so to keepalived, too."""
    waits = {
        director.name: max(map(regained, director.role.instances), default=0.0)
        for director in cluster.directors
    }
    said = cluster.timeline.events(Log, DaemonChanged, FaultChanged, since=cluster.timeline.mark)
    _let_pass_until(cluster, counted_until(said, waits))


def _let_pass_until(cluster: Cluster, instant: Instant | None) -> None:
    if instant is not None:
        cluster.timeline.let_pass(max(0.0, instant + cluster.slack - cluster.timeline.now()))


def _wait_respawned(cluster: Cluster) -> None:
    """Wait until every child of keepalived that has died was started again: one that dies often, a
    while later.
    """

    def all_run() -> bool | None:
        said = cluster.timeline.events(Log, DaemonChanged, Power, since=cluster.timeline.mark)
        return None if unreplaced(said) else True

    until = cluster.timeline.now() + RESPAWN + cluster.slack
    cluster.timeline.wait_until(
        all_run, until, "keepalived's children run again", lambda event: isinstance(event, Log)
    )
