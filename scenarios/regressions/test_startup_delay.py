"""Until ``vrrp_startup_delay`` is over keepalived takes no part in elections; then it does as if it
had just been started.
"""

import pytest

from harness.cluster import Cluster
from harness.events import DaemonChanged, StateChanged
from harness.faults import StopKeepalived
from harness.keepalived import timers
from harness.scenario import fresh_topology
from harness.topology import VrrpScript
from harness.topology.tracking import CHECK
from harness.topology.vrrp import OWNER_PRIORITY
from topologies.director_group import DirectorGroup

DELAY = 4
LONGEST = 30.0
"""Seconds within which it takes over in any case."""


@pytest.mark.regression(
    "845181cb",
    "each advertisement that it hears during vrrp_startup_delay delays its takeover further",
    present=">=2.2,<2.2.8",
    caught="in its window",
)
@fresh_topology(DirectorGroup, startup_delay=DELAY)
def test_what_is_heard_during_the_startup_delay_changes_nothing(cluster: Cluster) -> None:
    """A lower claim is discarded (RFC 5798 section 6.4.2), so Master_Down_Interval counts from the
    end of the delay (keepalived ``vrrp_scheduler.c``, ``vrrp_init_instance_sands``).
    """
    master, backup = cluster.settle()
    with cluster.suffering(StopKeepalived(master)) as struck:
        backup.takes(cluster.vip, since=struck, until=timers.master_down_interval(backup.vrrp))

    started = cluster.timeline.now()
    took = master.takes(cluster.vip, since=started, until=LONGEST)

    due = timers.failback(master.vrrp)
    assert took - DELAY in cluster.within(due)  # label: in its window


@pytest.mark.regression(
    "0d91c74b",
    "an address owner whose script succeeds is master before vrrp_startup_delay is over",
    present="<2.4",
    caught="waits",
)
@fresh_topology(
    DirectorGroup,
    startup_delay=DELAY,
    priorities=(OWNER_PRIORITY, 100),
    states=("MASTER", "BACKUP"),
    track_scripts=(VrrpScript(name="chk", script=CHECK),),
)
def test_an_owner_waits_for_the_startup_delay(cluster: Cluster) -> None:
    """keepalived.conf(5), ``vrrp_startup_delay``: the delay before instances start."""
    owner, _ = cluster.directors
    started = cluster.timeline.now()
    became = owner.does(StateChanged, state="MASTER")

    assert became.at - started >= DELAY - cluster.slack  # label: waits


@pytest.mark.regression(
    "cf657c24",
    "a reload during vrrp_startup_delay ends it",
    present="<2.2",
    caught="waits for both",
)
@fresh_topology(DirectorGroup, startup_delay=DELAY)
def test_a_reload_does_not_end_the_startup_delay(cluster: Cluster) -> None:
    """A reload forgets the timer with which the delay would end, and starts VRRP at once
    (keepalived ``vrrp_daemon.c``, ``reload_vrrp_thread`` and ``start_vrrp``). What has no state
    then is a backup after it, an address owner as well.
    """
    master = cluster.directors[0]
    (started,) = cluster.timeline.events(DaemonChanged, node=master.name, action="started")
    cluster.timeline.let_pass(1.0)
    master.reload()
    became = master.does(StateChanged, state="MASTER")

    wait = DELAY + timers.master_down_interval(master.vrrp)
    assert became.at - started.at >= wait - cluster.slack  # label: waits for both
