"""BFD: a director hears within tenths of a second that the router of its uplink is gone."""

import pytest

from harness.cluster import Cluster
from harness.faults import PowerOff
from harness.keepalived import timers
from harness.scenario import topology
from topologies.uplinks import NEIGHBOUR, Uplinks, session

pytestmark = [pytest.mark.tracking, topology(Uplinks)]


@pytest.mark.control("it is not tracked", topology={"tracked": False}, caught="takes over")
def test_bfd_moves_the_vip_when_the_router_is_lost(cluster: Cluster) -> None:
    """Its silence is known after three intervals (RFC 5880 section 6.8.4), and a director that
    tracks the session without a weight resigns at once.
    """
    master, backup = cluster.settle()
    known = timers.bfd_failure(session(1), NEIGHBOUR)
    due = known + timers.priority_failover(master.vrrp, backup.vrrp, left=0)

    with cluster.suffering(PowerOff(cluster.nodes["router1"])) as struck:
        took = backup.takes(cluster.vip, since=struck, until=due.latest)  # label: takes over

    assert took.within(due)


@topology(Uplinks, weight=-20)
@pytest.mark.control("too little a weight", topology={"weight": -5}, caught="enough to move")
def test_bfd_takes_its_weight_from_the_priority(cluster: Cluster) -> None:
    """With a weight the director says by its advertisements that it is worth less."""
    master, backup = cluster.settle()
    (bfd,) = master.vrrp.track_bfds
    left = master.vrrp.effective_priority({bfd})
    known = timers.bfd_failure(bfd, NEIGHBOUR)
    due = known + timers.priority_failover(master.vrrp, backup.vrrp, left)  # label: enough to move

    with cluster.suffering(PowerOff(cluster.nodes["router1"])) as struck:
        took = backup.takes(cluster.vip, since=struck, until=due.latest)

    assert took.within(due)
