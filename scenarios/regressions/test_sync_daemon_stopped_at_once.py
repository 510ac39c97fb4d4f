"""A master that hears of a better one while it still starts IPVS's sync daemon becomes a backup."""

import pytest

from harness.cluster import Cluster
from harness.events import Advertisement, StateChanged
from harness.faults import Cut
from harness.scenario import fresh_topology
from topologies.director_pair import DirectorPair

LOST = 3.2
"""Seconds in which three advertisements are lost. The backup takes over before the fourth, and the
master, which hears it again, answers at once.
"""
EDITS = {
    name: ((f"router_id {name}", f"router_id {name}\n    vrrp_rt_priority {priority}"),)
    for name, priority in (("director1", 60), ("director2", 50))
}
"""The master answers before the backup goes on, and the thread of the kernel runs when both sleep:
the order of all three is the scheduler's affair otherwise.
"""


@pytest.mark.regression(
    "found by search",
    "a master that resigns as it has just started the sync daemon waits for ever, and stays master",
    present="",
    caught="backup again",
)
@fresh_topology(DirectorPair, sync_daemon=True, edits=EDITS)
def test_a_sync_daemon_that_is_stopped_at_once_holds_nothing_up(cluster: Cluster) -> None:
    """With ``lvs_sync_daemon`` a director starts a thread of the kernel when it becomes master, and
    stops it when it resigns. A thread that has not run by then ends with EINTR (``kthread.c``).
    IPVS returns that (``ip_vs_sync.c``, ``stop_sync_thread``), and to netlink it means that nothing
    is to be answered (``af_netlink.c``, ``netlink_rcv_skb``). The VRRP process waits for an answer
    without a limit (keepalived ``libipvs.c``, ``ipvs_nl_send_message``) and keeps the VIPs.

    It is a race between the thread, keepalived and the answer, which the priorities decide on a
    machine of one processor. From 2.2 on a new master advertises before it starts the daemon
    (``vrrp.c``, ``vrrp_state_master_tx``), and is late more easily.

    An address owner may hang as it starts: it stops the backup's daemon, with which a start begins.
    So may a master whose reload exchanges the numbers of two instances: it starts the daemon anew
    (``vrrp_daemon.c``, ``reload_vrrp_thread``), hears from the kernel that the VIP which has moved
    is gone, and resigns. Both show in some runs and not in others, so they have no scenario.
    """
    master, backup = cluster.settle()
    now = cluster.timeline.now()
    cluster.timeline.wait_for(
        Advertisement, node=backup.name, since=now, until=now + 2.0, sent=False
    )

    with cluster.suffering(Cut(backup, master), at_once=True) as lost:
        cluster.timeline.let_pass(LOST)
    became = backup.does(StateChanged, state="MASTER", since=lost)
    cluster.timeline.let_pass(2.0)

    states = cluster.timeline.events(StateChanged, node=backup.name, since=became.at)
    assert states[-1].state == "BACKUP"  # label: backup again
