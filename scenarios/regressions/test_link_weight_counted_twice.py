"""A link that is lost as keepalived makes its VMACs, and comes back, takes no priority for good."""

import pytest

from harness.clock import Instant
from harness.cluster import Cluster
from harness.events import AddressChanged, Log
from harness.faults import StopKeepalived, Unplug
from harness.scenario import fresh_topology
from topologies.searched import Searched

VIP = "172.16.10.50"
MADE = "Success creating VMAC interface"
"""It has made the VMAC of the first instance, and makes the second one's next."""
DOWN = 3.0
TICK = 0.01
"""Seconds from one tick of the kernel to the next: it has made a VMAC at the next one, so there is
most time in between just after one.
"""


def _wait_for_a_tick(cluster: Cluster) -> None:
    now = cluster.timeline.now()
    cluster.timeline.let_pass(TICK - now % TICK + TICK / 10)


def _lose_the_link(cluster: Cluster, since: Instant) -> None:
    """Pull the cable of what is tracked while the first director makes VMACs, and plug it in again:
    the VIP that it has lost meanwhile it then holds.
    """
    director = cluster.directors[0]

    def makes_vmacs() -> bool | None:
        said = cluster.timeline.events(Log, node=director.name, since=since)
        return any(MADE in event.line for event in said) or None

    cluster.timeline.wait_until(makes_vmacs, since + DOWN, MADE)
    with cluster.suffering(Unplug(director, "eth1"), at_once=True):
        cluster.timeline.let_pass(DOWN)

    director.does(  # label: VIP
        AddressChanged, since=cluster.timeline.now(), action="added", address=VIP
    )


@pytest.mark.regression(
    "found by search",
    "the weight of a link that is lost as keepalived starts counts twice, and comes back once",
    present="",
    caught="VIP",
)
@fresh_topology(Searched, instances=2, vmac=True, link_weight=-30)
def test_start_counts_the_weight_of_a_lost_link_once(cluster: Cluster) -> None:
    """``netlink_link_add_vmac`` (``vrrp_vmac.c``) reads what the kernel tells, and
    ``process_if_status_change`` (``keepalived_netlink.c``) takes the weight from ``total_priority``
    of each instance that has been read by then. ``initialise_interface_tracking_priorities``
    (``vrrp_track.c``) takes it again: before that, ``vrrp_complete_init`` (``vrrp.c``) clears the
    faults of instances, and not their priority. So a link that comes back then raises it.
    """
    (director, _) = cluster.directors
    director.does(AddressChanged, action="added", address=VIP)

    _wait_for_a_tick(cluster)
    with cluster.suffering(StopKeepalived(director), at_once=True):
        pass
    _lose_the_link(cluster, director.last_started())


@pytest.mark.regression(
    "found by search",
    "the weight of a link that is lost as a reload makes a VMAC counts twice, and comes back once",
    present="",
    caught="VIP",
)
@fresh_topology(Searched, instances=2, link_weight=-30)
def test_reload_counts_the_weight_of_a_lost_link_once(cluster: Cluster) -> None:
    """It goes the same way (``vrrp_daemon.c``, ``start_vrrp``)."""
    (director, _) = cluster.directors
    director.does(AddressChanged, action="added", address=VIP)

    _wait_for_a_tick(cluster)
    numbers = [f"virtual_router_id {number}" for number in (51, 52)]
    _lose_the_link(cluster, director.reload(*((each, f"{each}\n use_vmac") for each in numbers)))
