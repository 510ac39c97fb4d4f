"""A link that is lost just as keepalived starts, and comes back, leaves nothing behind."""

import pytest

from harness.cluster import Cluster
from harness.events import AddressChanged, Log
from harness.faults import StopKeepalived, Unplug
from harness.scenario import fresh_topology
from topologies.reported import Reported

VIP = "172.16.10.50"
INSTANCES = """
vrrp_instance V1 { interface eth0
    virtual_router_id 51
    use_vmac
    virtual_ipaddress { 172.16.10.50/32 } }
vrrp_instance V2 { interface eth0
    virtual_router_id 52
    use_vmac
    virtual_ipaddress { 172.16.10.51/32 } }
"""
GROUP = """
vrrp_sync_group G { group { V1
    V2 } }
"""
READ = "Assigned address"
"""It has read what state the interfaces are in, and makes its VMACs next."""
DOWN = 3.0


def _lose_the_link_at_the_start(cluster: Cluster) -> None:
    """Start keepalived again, pull its cable before it has made its VMACs, and plug it in again."""
    (director,) = cluster.directors
    director.does(AddressChanged, action="added", address=VIP)
    with cluster.suffering(StopKeepalived(director), at_once=True):
        pass
    started = director.last_started()

    def has_read() -> bool | None:
        said = cluster.timeline.events(Log, node=director.name, since=started)
        return any(READ in event.line for event in said) or None

    cluster.timeline.wait_until(has_read, started + DOWN, READ)
    with cluster.suffering(Unplug(director), at_once=True):
        cluster.timeline.let_pass(DOWN)


@pytest.mark.regression(
    "found by search",
    "a sync group counts twice a link that is lost as keepalived starts, and stays in fault",
    present=">=2.1",
    caught="VIP",
)
@fresh_topology(Reported, read=False, configs=(GROUP + INSTANCES,))
def test_sync_group_leaves_fault_once_the_link_is_back(cluster: Cluster) -> None:
    """``netlink_link_add_vmac`` (``vrrp_vmac.c``) reads what the kernel tells, and
    ``down_instance`` (``vrrp_track.c``) counts the group's members in fault. ``vrrp_complete_init``
    (``vrrp.c``) clears the faults of instances before ``initialise_tracking_priorities`` counts
    them, and ``num_member_fault`` of the group it does not, so ``try_up_instance``
    (``vrrp_scheduler.c``) never counts down to 0.
    """
    (director,) = cluster.directors
    _lose_the_link_at_the_start(cluster)

    director.does(  # label: VIP
        AddressChanged, since=cluster.timeline.now(), action="added", address=VIP
    )


@pytest.mark.regression(
    "deafd99e",
    "an instance counts twice a link that is lost as keepalived starts, and stays in fault",
    present="<2.2",
    caught="VIP of one",
)
@fresh_topology(Reported, read=False, configs=(INSTANCES,))
def test_instance_leaves_fault_once_the_link_is_back(cluster: Cluster) -> None:
    """Its own count was not cleared either (``vrrp.c``, ``vrrp_complete_init``)."""
    (director,) = cluster.directors
    _lose_the_link_at_the_start(cluster)

    director.does(  # label: VIP of one
        AddressChanged, since=cluster.timeline.now(), action="added", address=VIP
    )
