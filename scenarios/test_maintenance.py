"""The maintenance switch: a ``down`` file takes 20 off a director's priority, and moves the VIP
if that is enough.
"""

import pytest

from harness import measures
from harness.cluster import Cluster
from harness.events import AddressChanged, Advertisement
from harness.faults import Maintenance
from harness.keepalived import timers
from harness.scenario import topology
from topologies.director_pair import DirectorPair

pytestmark = [pytest.mark.maintenance, topology(DirectorPair)]


TOO_LITTLE = pytest.mark.control(
    "the weight is no more than the gap",
    config={"director1": ("weight -20", "weight -10")},
    caught="takes over",
)


@TOO_LITTLE
def test_maintenance_moves_the_vip(cluster: Cluster) -> None:
    """100 - 20 < 90: the backup discards the lowered advertisements, and its own wait runs out."""
    master, backup = cluster.settle()
    (script,) = master.vrrp.track_scripts
    due = timers.switch(master.vrrp, backup.vrrp, script)

    with cluster.suffering(Maintenance(master)) as struck:
        took = backup.takes(cluster.vip, since=struck, until=due.latest)  # label: takes over

    assert took.within(due)


@TOO_LITTLE
@pytest.mark.control(
    "nopreempt",
    config={"director1": ("advert_int 1", "advert_int 1\n    nopreempt")},
    caught="fails back",
)
def test_maintenance_ended_brings_the_vip_back(cluster: Cluster) -> None:
    """With its own 100 again the director outranks the master's 90, and preempts."""
    master, backup = cluster.settle()
    (script,) = master.vrrp.track_scripts
    due = timers.switch_back(master.vrrp, backup.vrrp, script)

    with cluster.suffering(Maintenance(master)) as struck:
        backup.takes(
            cluster.vip, since=struck, until=timers.switch(master.vrrp, backup.vrrp, script).latest
        )  # label: takes over
    healed = cluster.healed()
    took = master.takes(cluster.vip, since=healed, until=due.latest)  # label: fails back

    assert took.within(due)
    assert not measures.split_brain(cluster.timeline, master.vrrp.vrid, since=struck)


@pytest.mark.control("a gap of less", topology={"priorities": (100, 90)}, caught="owner")
@pytest.mark.control(
    "the switch has no effect",
    config={"director1": ("weight -20", "weight -1")},
    caught="priority lowered",
)
@topology(DirectorPair, priorities=(100, 70))
def test_maintenance_moves_nothing_across_a_wider_gap(cluster: Cluster) -> None:
    """100 - 20 > 70: the switch is thrown, and shows in the advertisements, and the VIP stays."""
    master, backup = cluster.settle()
    (script,) = master.vrrp.track_scripts
    due = timers.script_failure(script) + timers.preemption(backup.vrrp)

    with cluster.suffering(Maintenance(master)) as struck:
        cluster.let_pass(due)
        lowered = cluster.timeline.events(
            Advertisement, node=master.name, since=struck, sent=True, priority=80
        )
        assert lowered, "the switch had no effect at all"  # label: priority lowered
        assert cluster.owners() == [master.name]  # label: owner

    assert not cluster.timeline.events(AddressChanged, since=struck, address=cluster.vip)
