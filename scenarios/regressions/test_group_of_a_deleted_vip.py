"""A sync group that a deleted VIP makes a backup tells so."""

import pytest

from harness.cluster import Cluster
from harness.events import Notification
from harness.scenario import fresh_topology
from topologies.reported import Reported

INSTANCE = """
vrrp_instance V{number} {{ interface eth0
    virtual_router_id 5{number}
    priority 100
    advert_int 1
    virtual_ipaddress {{ 172.16.10.5{number}/32 }} }}
"""
CONFIG = "".join(
    ["vrrp_sync_group G { group { V0 V1 } }", *(INSTANCE.format(number=each) for each in (0, 1))]
)


@pytest.mark.regression(
    "found by search",
    "whoever listens to a sync group is not told that a deleted VIP ended its reign",
    present="",
    caught="told",
)
@fresh_topology(Reported, configs=(CONFIG,), tells=True)
def test_a_sync_group_tells_that_it_is_backup(cluster: Cluster) -> None:
    """When a VIP is deleted by hand its instance and the others of its group become backups, each
    of which tells so, and the group's state is set without a word (``keepalived_netlink.c``,
    ``set_vrrp_backup``, beside ``vrrp_sync.c``, ``vrrp_sync_backup``). Its ``notify_master`` then
    comes twice, or, after a reload in between, not at all.
    """
    (director,) = cluster.directors
    director.does(Notification, text='GROUP "G" MASTER 0')
    director.machine.run(["ip", "address", "del", "172.16.10.50/32", "dev", "eth0"])
    director.does(Notification, text='GROUP "G" MASTER 0', since=cluster.timeline.now())

    told = cluster.timeline.events(Notification, node=director.name)
    groups = [each.text for each in told if each.text.startswith("GROUP")]
    assert groups[-2:] == ['GROUP "G" BACKUP 0', 'GROUP "G" MASTER 0']  # label: told
