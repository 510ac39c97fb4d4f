"""Failover: when the master director is lost, its backup serves the VIP, and serves it on time; then all goes back."""

import pytest

from harness import measures
from harness.clock import Window
from harness.cluster import Cluster
from harness.daemons.nodes import DirectorNode
from harness.faults import Fault, HangKeepalived, PowerOff, StopKeepalived, Unplug
from harness.keepalived import timers
from topologies.director_pair import DirectorPair

pytestmark = [pytest.mark.failover, pytest.mark.topology.with_args(DirectorPair)]

LOSSES = pytest.mark.parametrize(
    "loss", [PowerOff, Unplug, StopKeepalived, HangKeepalived], ids=lambda fault: fault.__name__
)


@LOSSES
def test_failover_to_the_backup_within_its_window(cluster: Cluster, loss: type[Fault[DirectorNode]]) -> None:
    """A master that resigns costs the skew; one that vanishes costs the silence as well."""
    master, backup = cluster.master, cluster.backup
    due = timers.takeover(backup.vrrp, announced=loss.announced)

    with cluster.load() as load, cluster.suffering(loss(master)) as struck:
        took = cluster.wait_master(backup, since=struck, until=due.latest)
        cluster.wait_answers(load, 3, since=struck + took)

    assert took in cluster.within(due)
    assert measures.outage(cluster.timeline) <= due.latest + load.resolution + cluster.slack
    assert not measures.split_brain(cluster.timeline, backup.vrrp.vrid, since=struck)


@LOSSES
def test_failover_is_announced_by_gratuitous_arp(cluster: Cluster, loss: type[Fault[DirectorNode]]) -> None:
    """The client's ARP entry still points at the old master; five gratuitous ARPs at once correct it."""
    master, backup = cluster.master, cluster.backup
    due = timers.takeover(backup.vrrp, announced=loss.announced)
    at_once = [after for after in timers.garp_schedule(backup.vrrp) if after == 0]
    cluster.fetch(1)
    assert cluster.neighbour(cluster.client, cluster.vip) == master.mac

    with cluster.suffering(loss(master)) as struck:
        took = cluster.wait_master(backup, since=struck, until=due.latest)
        cluster.timeline.let_pass(cluster.slack)
        known = cluster.neighbour(cluster.client, cluster.vip)
    announced = cluster.timeline.events(
        "arp", node=backup.name, since=struck, until=struck + took + cluster.slack,
        sent=True, gratuitous=True, sender=cluster.vip, sender_mac=backup.mac,
    )  # fmt: skip

    assert len(announced) == len(at_once)
    assert known == backup.mac


@LOSSES
def test_failover_is_followed_by_failback(cluster: Cluster, loss: type[Fault[DirectorNode]]) -> None:
    """The higher priority preempts: after its own wait if it starts anew, at its next word if it never left office."""
    master, backup = cluster.master, cluster.backup
    due = timers.reunion(master.vrrp, backup.vrrp) if loss is HangKeepalived else timers.failback(master.vrrp)

    with cluster.suffering(loss(master)) as struck:
        cluster.wait_master(backup, since=struck, until=timers.takeover(backup.vrrp, announced=loss.announced).latest)
    healed = cluster.healed()
    returned = Window(healed, healed) if loss is HangKeepalived else cluster.stood(master, since=healed)
    took = cluster.wait_resigned(backup, since=returned.latest, until=due.latest)

    assert returned.latest + took in cluster.within(returned + due)
    assert cluster.master is master
    assert not measures.split_brain(cluster.timeline, master.vrrp.vrid, since=struck)
