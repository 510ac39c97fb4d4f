"""A master that hears of a better one while it still starts IPVS's sync daemon becomes a backup."""

import pytest

from harness.cluster import Cluster
from harness.events import Advertisement, StateChanged
from harness.faults import Cut
from harness.scenario import fresh_topology
from topologies.director_pair import DirectorPair
from topologies.reported import Reported

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


OWNER = """
global_defs { lvs_sync_daemon eth0 V1
    vrrp_rt_priority 50 }
vrrp_instance V1 { interface eth0
    state MASTER
    virtual_router_id 51
    priority 255
    virtual_ipaddress { 172.16.10.50/32 } }
virtual_server 172.16.10.50 80 { lb_kind DR
    real_server 172.16.10.21 80 { weight 1 } }
"""
ADVERTISING = 5.0
"""Seconds with five advertisements in them."""


@pytest.mark.regression(
    "found by search",
    "an address owner of real-time priority with a sync daemon hangs as it starts",
    present="",
    caught="advertises",
)
@fresh_topology(Reported, read=False, configs=(OWNER,), real_servers=1)
def test_an_owner_that_starts_with_a_sync_daemon_goes_on(cluster: Cluster) -> None:
    """A start begins with the backup's sync daemon, and who owns the addresses becomes master at
    once, stops it, and waits for ever: it holds the VIP and advertises no more.
    """
    (director,) = cluster.directors
    director.does(StateChanged, state="MASTER")
    since = cluster.timeline.now()
    cluster.timeline.let_pass(ADVERTISING)

    said = cluster.timeline.events(Advertisement, node=director.name, since=since, sent=True)
    assert len(said) >= ADVERTISING - 1  # label: advertises


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
