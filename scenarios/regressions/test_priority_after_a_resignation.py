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
