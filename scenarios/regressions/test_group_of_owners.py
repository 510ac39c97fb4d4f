"""A sync group of address owners tells that it is master."""

import pytest

from harness.cluster import Cluster
from harness.events import Notification, StateChanged
from harness.scenario import fresh_topology
from topologies.reported import Reported

INSTANCE = """
vrrp_instance V{number} {{ interface eth0
    state MASTER
    virtual_router_id 5{number}
    priority 255
    advert_int 1
    virtual_ipaddress {{ 172.16.10.5{number}/32 }} }}
"""
CONFIG = "".join(
    ["vrrp_sync_group G { group { V0 V1 } }", *(INSTANCE.format(number=each) for each in (0, 1))]
)
SOON = 5.0
"""Seconds in which owners that have lost their interface are master again."""


@pytest.mark.regression(
    "found by search",
    "whoever listens to a sync group of address owners is not told at a start that it is master",
    present="",
    caught="told",
)
@fresh_topology(Reported, configs=(CONFIG,), tells=True)
def test_a_group_of_owners_tells_at_its_start(cluster: Cluster) -> None:
    """When a configuration is read, a group whose members all own their addresses is set to master
    without a word (``vrrp_sync.c``, ``vrrp_sync_set_group``). Only what is a backup or in fault is
    told next (``vrrp_scheduler.c``, ``vrrp_init_state``), and when the members become master,
    ``vrrp_sync_master`` leaves the group alone, which is master already. Its ``notify_master`` is
    not run, while a group of lower priorities tells so in the same place.
    """
    (director,) = cluster.directors
    director.does(Notification, text='INSTANCE "V1" MASTER 255')
    cluster.timeline.let_pass(cluster.slack)

    assert 'GROUP "G" MASTER 0' in director.notifications("fifo")  # label: told


@pytest.mark.regression(
    "found by search",
    "a sync group of owners that is reloaded as a backup does not tell that it is master again",
    present="",
    caught="told again",
)
@fresh_topology(Reported, configs=(CONFIG,), tells=True)
def test_a_group_of_owners_tells_after_a_reload(cluster: Cluster) -> None:
    """The members keep the state that they had (``vrrp.c``, ``vrrp_complete_init``), and the group
    is set to master as at a start (``vrrp_sync_set_group``), so that the last that anybody hears of
    it is ``BACKUP``.
    """
    (director,) = cluster.directors
    director.does(Notification, text='INSTANCE "V1" MASTER 255')
    director.machine.run(["ip", "link", "set", "eth0", "down"])
    director.machine.run(["ip", "link", "set", "eth0", "up"])
    director.does(Notification, text='GROUP "G" BACKUP 0')

    reloaded = director.reload()
    cluster.timeline.let_pass(SOON)

    told = director.notifications("fifo", since=reloaded)
    assert {'INSTANCE "V0" MASTER 255', 'INSTANCE "V1" MASTER 255'} <= set(told)
    assert 'GROUP "G" MASTER 0' in told  # label: told again


@pytest.mark.regression(
    "found by search",
    "a sync group of owners that is reloaded as a backup does not move together any more",
    present="",
    caught="together",
)
@fresh_topology(Reported, configs=(CONFIG.replace("advert_int 1", "advert_int 3", 1),), tells=True)
def test_a_group_of_owners_moves_together_after_a_reload(cluster: Cluster) -> None:
    """The first that becomes master takes the others along unless its group is master already
    (``vrrp_sync.c``, ``vrrp_sync_master``), as the reload has set it: another member waits for its
    own, longer time.
    """
    (director,) = cluster.directors
    director.does(Notification, text='INSTANCE "V1" MASTER 255')
    director.does(Notification, text='INSTANCE "V0" MASTER 255')
    director.machine.run(["ip", "link", "set", "eth0", "down"])
    director.machine.run(["ip", "link", "set", "eth0", "up"])
    director.does(Notification, text='GROUP "G" BACKUP 0')

    reloaded = director.reload()
    director.does(StateChanged, instance="V1", state="MASTER", since=reloaded)
    cluster.timeline.let_pass(cluster.slack)

    told = director.notifications("fifo", since=reloaded)
    assert 'INSTANCE "V0" MASTER 255' in told  # label: together
