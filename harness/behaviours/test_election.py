"""Election and failover: every VIP has one owner, and another one in time when that is lost."""

import pytest

from harness import measures
from harness.behaviours.parts import Parts
from harness.cluster import Cluster
from harness.faults import Fault, HangKeepalived, PowerOff, StopKeepalived, Unplug
from harness.keepalived import timers
from harness.nodes import DirectorNode
from harness.nodes.context import STARTING
from harness.topology.vrrp import OWNER_PRIORITY

LOSSES = pytest.mark.parametrize(
    "loss", [PowerOff, Unplug, StopKeepalived, HangKeepalived], ids=lambda fault: fault.__name__
)


def test_every_vip_has_one_owner(cluster: Cluster, parts: Parts) -> None:
    """Every VIP has one owner, the director of the highest priority, and keeps it."""
    routers = parts.routers()
    parts.wait_elected()
    settled = cluster.timeline.now()
    longest = max(
        timers.master_down_interval(own) for router in routers for _, own in router.claims
    )
    cluster.timeline.let_pass(longest + cluster.slack)

    for router in routers:
        assert len(cluster.owners(router.vip)) == 1, f"{router.vip}: {cluster.owners(router.vip)}"
        if len(router.claims) == 1:
            # nobody else can be master, and what goes to unicast peers that are not here is on no
            # wire
            continue
        assert not measures.split_brain(cluster.timeline, router.vrid, since=settled), (
            f"VRID {router.vrid}"
        )


@LOSSES
def test_every_vip_survives_the_loss_of_its_owner(
    cluster: Cluster, parts: Parts, loss: type[Fault[DirectorNode]]
) -> None:
    """Every VIP gets another owner in time when its director is lost."""
    routers = parts.routers(claimants=2)
    parts.wait_elected()

    for router in routers:
        owner = parts.owner_of(router)
        with cluster.suffering(loss(owner)) as struck:
            heir, due = parts.heir_of(router, owner, struck, announced=loss.announced)
            took = heir.takes(router.vip, since=struck, until=due.latest)
            assert took.within(due), f"{router.vip}: {took:.3f} s, due {due}"
            cluster.timeline.let_pass(
                router.claim_of(heir).advert_int + due.latest
            )  # the owner's other VIPs move too
        parts.wait_elected()


def test_the_highest_priority_returns_or_does_not(cluster: Cluster, parts: Parts) -> None:
    """A director that comes back takes its VIPs back, unless it is told nopreempt."""
    routers = parts.routers(claimants=2)
    parts.wait_elected()

    for router in routers:
        owner = parts.owner_of(router)
        claim = router.claim_of(owner)
        with cluster.suffering(StopKeepalived(owner)) as struck:
            heir, due = parts.heir_of(router, owner, struck, announced=True)
            heir.takes(router.vip, since=struck, until=due.latest)
        if (
            claim.priority == OWNER_PRIORITY
        ):  # with state MASTER it does not wait (RFC 5798, section 6.4.1)
            until = STARTING + owner.role.startup_delay + timers.failback(claim).latest
            owner.takes(router.vip, since=cluster.healed(), until=until)
            continue
        candidate = owner.candidate_since(since=cluster.healed())
        outranks = claim.effective_priority() > router.claim_of(heir).effective_priority()
        if claim.nopreempt or not outranks:
            cluster.timeline.let_pass(timers.master_down_interval(claim) + cluster.slack)
            assert cluster.owners(router.vip) == [heir.name]
        else:
            due = router.failback(owner, heir)
            took = owner.takes(router.vip, since=candidate.latest, until=due.latest)
            assert took.happened_within(candidate + due), f"{router.vip}: {took:.3f} s, due {due}"
        parts.wait_elected()  # the director's other VIPs return as well
