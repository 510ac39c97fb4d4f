"""In a sync group the weight of a tracked interface does not count, so its loss is a fault."""

import pytest

from harness.cluster import Cluster
from harness.events import StateChanged
from harness.faults import Unplug
from harness.scenario import fresh_topology
from topologies.searched import Searched

PRIORITIES = {"member": (200, 100), "owner": (255, 100)}
"""Of the two directors. What the weight takes from the first is too little for the second."""
GROUPS = pytest.mark.parametrize(
    "kind",
    [
        pytest.param(
            kind,
            marks=fresh_topology(
                Searched, priorities=priorities, instances=2, sync_group=True, link_weight=-30
            ),
        )
        for kind, priorities in PRIORITIES.items()
    ],
)


@GROUPS
@pytest.mark.regression(
    "found by search",
    "a sync group's member heeds the weight of an interface that it says it ignores",
    present="",
    caught="in fault",
)
def test_sync_group_member_goes_to_fault_with_its_interface(cluster: Cluster, kind: str) -> None:
    """keepalived says "ignoring eth1 tracked interface weight due to SYNC group", and sets it to 0
    in its list (``vrrp.c``, ``vrrp_complete_instance``, "In case of VRRP SYNC"). What acts on a
    lost link reads a copy that the same function has made before (``add_vrrp_to_interface``): so
    the member claims less, and stays what it is (``keepalived_netlink.c``,
    ``process_if_status_change``). An owner, whose priority no weight changes, does nothing.
    Without a weight either is in FAULT state.
    """
    master, _ = cluster.settle()

    with cluster.suffering(Unplug(master, "eth1")) as struck:
        master.does(StateChanged, state="FAULT", since=struck)  # label: in fault
