"""A sync group may have one member, and tells of it."""

import pytest

from harness.cluster import Cluster
from harness.events import AddressChanged
from harness.scenario import fresh_topology
from topologies.reported import Reported

CONFIG = """
vrrp_sync_group G { group { V1 }
    notify_master "/usr/bin/touch /run/told" root }
vrrp_instance V1 { interface eth0
    virtual_router_id 51
    virtual_ipaddress { 172.16.10.50/32 } }
"""


@pytest.mark.regression(
    "#1912", "a sync group with one member is dropped", present="<2.2.3", caught="notified"
)
@fresh_topology(Reported, read=False, configs=(CONFIG,))
def test_sync_group_of_one_notifies(cluster: Cluster) -> None:
    """Versions before 2.2.3 drop the group and with it whom it should notify."""
    (director,) = cluster.directors
    director.does(AddressChanged, action="added", address="172.16.10.50")
    cluster.timeline.let_pass(1)

    assert director.machine.run(["ls", "/run/told"]).stdout == "/run/told\n"  # label: notified
