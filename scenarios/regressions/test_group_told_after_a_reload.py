"""A reload tells of no sync group that is what it was."""

import pytest

from harness.cluster import Cluster
from harness.events import Notification
from harness.scenario import fresh_topology
from topologies.reported import Reported

CONFIG = """
vrrp_sync_group G { group { V0 V1 } }
vrrp_instance V0 { interface eth0
    virtual_router_id 50
    priority PRIORITY
    virtual_ipaddress { 172.16.10.50/32 } }
vrrp_instance V1 { interface eth0
    virtual_router_id 51
    priority PRIORITY
    virtual_ipaddress { 172.16.10.51/32 } }
"""
CONFIGS = tuple(CONFIG.replace("PRIORITY", each) for each in ("100", "90"))


@pytest.mark.regression(
    "#1804",
    "a sync group in BACKUP state tells so again at every reload",
    present="<2.2",
    caught="told once",
)
@fresh_topology(Reported, configs=CONFIGS, tells=True)
def test_a_reload_tells_of_no_group_that_is_backup_as_before(cluster: Cluster) -> None:
    """Its ``notify_backup`` runs again, though nothing has changed, and a script that reloads
    keepalived is run without end. A reload tells of each group that is a backup or in fault as a
    start does (``vrrp_scheduler.c``, ``vrrp_init_state``).
    """
    _, director = cluster.directors
    director.does(Notification, text='GROUP "G" BACKUP 0')

    reloaded = director.reload()
    cluster.timeline.let_pass(2.0)

    told = director.notifications("fifo", since=reloaded)
    assert not [each for each in told if each.startswith("GROUP")]  # label: told once
