"""Virtual routers: the VIPs that stand for them, who claims them, and when they change hands."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from harness.clock import Instant, Window
from harness.cluster import Cluster
from harness.keepalived import timers
from harness.nodes import DirectorNode
from harness.topology import VrrpInstance
from harness.topology.vrrp import OWNER_PRIORITY


@dataclass(frozen=True)
class Router:
    """One virtual router: the VIP that stands for all of it, and the directors' claims to it."""

    vip: str
    vrid: int
    claims: tuple[tuple[DirectorNode, VrrpInstance], ...]

    @property
    def vips(self) -> tuple[str, ...]:
        """Every VIP of it, as the first director claims them."""
        return (*self.claims[0][1].vips, *self.claims[0][1].excluded_vips)

    def claim_of(self, director: DirectorNode) -> VrrpInstance:
        """A director's own instance."""
        return next(instance for claimant, instance in self.claims if claimant is director)

    def takeover(self, heir: DirectorNode, owner: DirectorNode, *, announced: bool) -> Window:
        """When ``heir`` is due to take over from ``owner``, whatever of what it tracks is well or
        not.
        """
        claim, interval = self.claim_of(heir), self.claim_of(owner).advert_int
        weighted = [each for each in claim.tracked if each.weight]
        both = [(each.contribution(False), each.contribution(True)) for each in weighted]
        base = claim.priority + sum(each.contribution(each.value) for each in claim.track_files)
        lowest, highest = (base + sum(end(each) for each in both) for end in (min, max))
        dues = [
            timers.takeover(
                claim.with_priority(min(priority, OWNER_PRIORITY - 1)),
                announced=announced,
                master_advert_int=interval,
            )
            for priority in (lowest, highest)
        ]
        return Window(min(due.earliest for due in dues), max(due.latest for due in dues))

    def failback(self, returning: DirectorNode, master: DirectorNode) -> Window:
        """When ``returning``, which has just been started, is due to take the VIP back from
        ``master``.

        A script adds its weight, or lets the instance leave FAULT state, only once it has succeeded
        often enough: the returning director may outrank the other at once, or then at the latest.
        A sync group waits for all of its members (``vrrp_sync_can_goto_master``), and so for the
        longest ``preempt_delay`` among them.
        """
        claim, interval = self.claim_of(returning), self.claim_of(master).advert_int
        delays = [each.preempt_delay for each in (claim, *group_of(returning, claim))]
        claim = replace(claim, preempt_delay=max(delays))
        waits = Window.exactly(returning.role.startup_delay)
        at_once = waits + timers.failback(claim, interval)
        known = max(
            (timers.script_recovery(script).latest for script in claim.track_scripts), default=0.0
        )
        latest = max(
            at_once.latest,
            known + timers.preemption(claim, interval).latest,
            known + at_once.latest,
        )
        return Window(at_once.earliest, latest)

    def heirs_of(self, master: DirectorNode) -> list[DirectorNode]:
        """Who may take over when ``master`` is lost: those of the next priority, the higher address
        first.

        Equals wait equally long, and a backup obeys one of its own priority (RFC 3768, section
        6.4.2): whoever comes first stays master. Addresses decide between two masters only.
        """
        others = [(claimant, own) for claimant, own in self.claims if claimant is not master]
        next_priority = max(own.effective_priority() for _, own in others)
        equals = [each for each, own in others if own.effective_priority() == next_priority]
        return sorted(equals, key=lambda each: each.plan.interface().address.ip, reverse=True)


def group_of(director: DirectorNode, claim: VrrpInstance) -> list[VrrpInstance]:
    """The other members of an instance's sync group."""
    names = {
        name
        for group in director.role.sync_groups
        if claim.name in group.members
        for name in group.members
    }
    return [each for each in director.role.instances if each.name in names and each is not claim]


def first_of(
    cluster: Cluster,
    heirs: Sequence[DirectorNode],
    until: Instant,
    masters: Callable[[], Collection[str]],
) -> DirectorNode:
    """Which of these directors is master then, by name. Where there are several, this waits until
    then; the first of them if none is.
    """
    if len(heirs) > 1:
        cluster.timeline.let_pass(max(0.0, until + cluster.slack - cluster.timeline.now()))
        names = masters()
        heirs = [each for each in heirs if each.name in names] or heirs
    return heirs[0]
