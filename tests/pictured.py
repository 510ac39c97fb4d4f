"""The scenario that the README's picture shows. It is run by ``make picture`` and by nothing
else.
"""

from harness import measures
from harness.clock import Window
from harness.cluster import Cluster
from harness.faults import PowerOff
from harness.keepalived import timers
from harness.scenario import topology
from topologies.director_pair import DirectorPair

pytestmark = topology(DirectorPair)

REIGN = 3.4
"""Seconds for which the master has held the VIP when the fault strikes; not a multiple of its
interval.
"""


def test_the_backup_replaces_a_master_that_loses_power(cluster: Cluster) -> None:
    """A master that vanishes costs its silence and the skew: the backup has the VIP within that
    window.
    """
    master, backup = cluster.settle()
    due = timers.takeover(backup.vrrp, announced=False)

    with cluster.client.load() as load:
        cluster.timeline.let_pass(REIGN)
        with cluster.suffering(PowerOff(master)) as struck:
            took = backup.takes(cluster.vip, since=struck, until=due.latest)
            load.wait_answers(8, since=struck + took)

    assert took.within(due)
    longest = Window(0, due.latest + 2 * load.resolution)
    assert measures.outage(cluster.timeline) in cluster.within(longest)
