"""A backup whose priority changes after the master has resigned takes over after Skew_Time all the
same.
"""

import pytest

from harness.cluster import Cluster
from harness.faults import WriteNumber
from harness.keepalived import timers
from harness.scenario import fresh_topology
from harness.topology import TrackedFile
from harness.topology.tracking import FAULT
from topologies.director_group import DirectorGroup

FILE = TrackedFile(name="bonus", path="/etc/keepalived/bonus")
MEANWHILE = 0.3
"""Seconds after the resignation: half of the backup's Skew_Time."""
LOWER = 50
"""What is left of the master's priority."""
DISCARDING = 2.3
"""Seconds in which the backup discards two of its advertisements."""


@pytest.mark.regression(
    "found by search",
    "a backup whose priority changes waits for the whole Master_Down_Interval after a resignation",
    present="",
    caught="in its window",
)
@fresh_topology(DirectorGroup, track_files=(FILE,))
def test_a_priority_that_changes_after_a_resignation_delays_nothing(cluster: Cluster) -> None:
    """After an advertisement of priority 0 the Master_Down_Timer is Skew_Time (RFC 5798 section
    6.4.2). A new priority lengthens it by what the whole Master_Down_Interval is longer than that
    (keepalived ``vrrp_track.c``, ``vrrp_set_effective_priority``), so that nobody holds the VIP for
    three advertisement intervals more.
    """
    master, backup = cluster.directors
    due = timers.takeover(backup.vrrp, announced=True)
    resignation, bonus = WriteNumber(master, FILE, FAULT), WriteNumber(backup, FILE, 1)

    with cluster.suffering(resignation) as resigned:
        cluster.timeline.let_pass(MEANWHILE)
        with cluster.suffering(bonus, at_once=True):
            took = backup.takes(
                cluster.vip, since=resigned, until=timers.master_down_interval(backup.vrrp) + 1.0
            )

    assert took.within(due)  # label: in its window


@pytest.mark.regression(
    "found by search",
    "a backup whose priority changes waits anew for a master of lower priority that it discards",
    present="",
    caught="soon enough",
)
@fresh_topology(DirectorGroup, track_files=(FILE,))
def test_a_priority_that_changes_while_a_lower_master_is_discarded_delays_nothing(
    cluster: Cluster,
) -> None:
    """What is discarded makes the timer what is left of it (``vrrp.c``, ``vrrp_state_backup``,
    "reduce the down timer"), and a new priority lengthens that in the same way.
    """
    master, backup = cluster.settle()
    due = timers.priority_failover(master.vrrp, backup.vrrp, left=LOWER)
    low = WriteNumber(master, FILE, LOWER - master.vrrp.priority)

    with cluster.suffering(low) as lowered:
        cluster.timeline.let_pass(DISCARDING)
        with cluster.suffering(WriteNumber(backup, FILE, 1), at_once=True):
            took = backup.takes(cluster.vip, since=lowered, until=due.latest + due.latest)

    assert took.within(due)  # label: soon enough
