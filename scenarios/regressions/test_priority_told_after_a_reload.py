"""What a reload tells of a priority bears the state that the instance is in."""

import pytest

from harness.cluster import Cluster
from harness.events import AddressChanged
from harness.scenario import fresh_topology
from topologies.reported import Reported

CONFIG = """
vrrp_script chk { script "/usr/bin/true"
    interval 1
    weight 20
    user root }
vrrp_instance V1 { interface eth0
    virtual_router_id 51
    notify_priority_changes on
    virtual_ipaddress { 172.16.10.50/32 }
    track_script { chk } }
"""


@pytest.mark.regression(
    "commit 67aba04b",
    "at a reload a master's priority is told as that of a backup",
    present="<2.4",
    caught="as a master",
)
@fresh_topology(Reported, configs=(CONFIG,), tells=True)
def test_a_reload_tells_of_no_backup_where_a_master_is(cluster: Cluster) -> None:
    """Whoever listens to the FIFO takes the VIP for lost. Every instance is a backup while a reload
    computes its priority (``vrrp_track.c``, ``vrrp_set_effective_priority``), and the state of
    before comes afterwards (``vrrp.c``, ``restore_vrrp_state``).
    """
    (director,) = cluster.directors
    director.does(AddressChanged, action="added", address="172.16.10.50")

    reloaded = director.reload()
    cluster.timeline.let_pass(2.0)

    told = director.notifications("fifo", since=reloaded)
    assert not [each for each in told if "BACKUP_PRIORITY" in each]  # label: as a master
