"""Failover: when the master director is lost, its backup serves the VIP, and serves it on time;
then all goes back.
"""

import pytest

from harness import measures
from harness.clock import Window
from harness.cluster import Cluster
from harness.events import Arp
from harness.faults import (
    CrashVrrp,
    Fault,
    HangKeepalived,
    KillKeepalived,
    Mute,
    PowerOff,
    StopKeepalived,
    Unplug,
    Unprotected,
)
from harness.keepalived import timers
from harness.nodes import DirectorNode
from harness.scenario import topology
from topologies.director_pair import DirectorPair

pytestmark = [pytest.mark.failover, topology(DirectorPair)]

LOSSES = pytest.mark.parametrize(
    "loss",
    [PowerOff, Unplug, StopKeepalived, HangKeepalived, KillKeepalived, Mute],
    ids=lambda fault: fault.__name__,
)
NO_BACKUP = pytest.mark.control(
    "the backup hangs", fault=HangKeepalived, node="director2", caught="takes over"
)
STUCK = pytest.mark.control(
    "the backup hangs as soon as it is master",
    config={
        "director2": ("priority 90", 'priority 90\nnotify_master "/usr/bin/pkill -STOP keepalived"')
    },
    caught="resigns",
)


@NO_BACKUP
@LOSSES
def test_failover_to_the_backup_within_its_window(
    cluster: Cluster, loss: type[Fault[DirectorNode]]
) -> None:
    """A master that resigns costs the skew; one that vanishes costs the silence as well."""
    master, backup = cluster.settle()
    due = timers.takeover(backup.vrrp, announced=loss.announced)

    with cluster.client.load() as load, cluster.suffering(loss(master)) as struck:
        took = backup.takes(cluster.vip, since=struck, until=due.latest)  # label: takes over
        load.wait_answers(3, since=struck + took)

    assert took.within(due)
    longest = Window(0, due.latest + 2 * load.resolution)
    assert measures.outage(cluster.timeline) in cluster.within(longest)
    assert not measures.split_brain(cluster.timeline, backup.vrrp.vrid, since=struck)


@pytest.mark.control(
    "one gratuitous ARP instead of five",
    config={"director2": ("priority 90", "priority 90\ngarp_master_repeat 1")},
    caught="gratuitous ARP",
)
@LOSSES
def test_failover_is_announced_by_gratuitous_arp(
    cluster: Cluster, loss: type[Fault[DirectorNode]]
) -> None:
    """The client's ARP entry still points at the old master; five gratuitous ARPs at once
    correct it.
    """
    master, backup = cluster.settle()
    due = timers.takeover(backup.vrrp, announced=loss.announced)
    at_once = [after for after in timers.garp_schedule(backup.vrrp) if after == 0]
    cluster.client.fetch(1)
    assert cluster.client.neighbour(cluster.vip) == master.mac

    with cluster.suffering(loss(master)) as struck:
        took = backup.announces(cluster.vip, since=struck, until=due.latest)
        known = cluster.client.neighbour(cluster.vip)
    announced = cluster.timeline.events(
        Arp, node=backup.name, since=struck, until=struck + took + cluster.slack,
        sent=True, gratuitous=True, sender=cluster.vip, sender_mac=backup.mac,
    )  # fmt: skip

    assert known == backup.mac
    assert len(announced) == len(at_once)  # label: gratuitous ARP


@STUCK
@LOSSES
def test_failover_is_followed_by_failback(
    cluster: Cluster, loss: type[Fault[DirectorNode]]
) -> None:
    """The higher priority preempts: after its own wait if it starts anew, at its next word if
    it never left office.
    """
    master, backup = cluster.settle()
    due = (
        timers.after_split_brain(master.vrrp, backup.vrrp, overdue=loss is HangKeepalived)
        if loss.in_office
        else timers.failback(master.vrrp)
    )

    with cluster.suffering(loss(master)) as struck:
        backup.takes(
            cluster.vip,
            since=struck,
            until=timers.takeover(backup.vrrp, announced=loss.announced).latest,
        )
    healed = cluster.healed()
    returned = Window(healed, healed) if loss.in_office else master.candidate_since(since=healed)
    took = backup.resigns(cluster.vip, since=returned.latest, until=due.latest)  # label: resigns

    assert took.happened_within(returned + due)
    assert cluster.settle().master is master
    assert not measures.split_brain(cluster.timeline, master.vrrp.vrid, since=struck)


@pytest.mark.control(
    "ARP protection off", fault=Unprotected, node="web1", caught="who speaks for the VIP"
)
def test_failover_of_a_killed_keepalived_leaves_the_vip_behind(cluster: Cluster) -> None:
    """SIGKILL lets nobody remove the VIP: the kernel goes on answering ARP for it, until keepalived
    is started again and begins by removing what it finds (keepalived ``vrrp.c``,
    ``vrrp_restore_interface``).
    """
    master, backup = cluster.settle()
    due = timers.takeover(backup.vrrp, announced=False)

    with cluster.suffering(KillKeepalived(master)) as struck:
        took = backup.takes(cluster.vip, since=struck, until=due.latest)
        answers = cluster.client.ask_arp(cluster.vip, 1)
        assert cluster.owners() == [master.name, backup.name]
    healed = cluster.healed()
    cleaned = master.resigns(
        cluster.vip, since=healed, until=master.candidate_since(since=healed).latest - healed
    )

    assert took.within(due)
    assert {answer.node for answer in answers} == {
        master.name,
        backup.name,
    }  # label: who speaks for the VIP
    assert cleaned >= 0
    assert measures.reigns(cluster.timeline, backup.vrrp.vrid, since=struck)[0].node == backup.name


@NO_BACKUP
def test_failover_by_a_restart_goes_there_and_back(cluster: Cluster) -> None:
    """``systemctl restart keepalived``: the skew without a master, then a whole
    Master_Down_Interval on the backup.
    """
    master, backup = cluster.settle()
    due = timers.takeover(backup.vrrp, announced=True)

    with cluster.client.load() as load:
        with cluster.suffering(StopKeepalived(master), heal_at_once=True) as struck:
            pass
        took = backup.takes(cluster.vip, since=struck, until=due.latest)  # label: takes over
        candidate = master.candidate_since(since=cluster.healed())
        back = master.takes(
            cluster.vip, since=candidate.latest, until=timers.failback(master.vrrp).latest
        )
        load.wait_answers(3, since=candidate.latest + back)

    assert took.within(due)
    assert back.happened_within(candidate + timers.failback(master.vrrp))
    longest = Window(0, due.latest + 2 * load.resolution)
    assert measures.outage(cluster.timeline) in cluster.within(longest)


@pytest.mark.control(
    "the new VRRP process dawdles",
    config={"director1": ("router_id director1", "router_id director1\nvrrp_startup_delay 9")},
    caught="settles",
)
def test_failover_of_a_crashed_vrrp_process(cluster: Cluster) -> None:
    """The parent starts another VRRP process at once (keepalived ``core/main.c``), which removes
    the VIP and waits like any that starts; the backup's wait began with the last advertisement, so
    it comes first or a little later.
    """
    master, backup = cluster.settle()  # label: settles
    own, other = timers.failback(master.vrrp), timers.takeover(backup.vrrp, announced=False)

    with cluster.suffering(CrashVrrp(master)) as struck:
        candidate = master.candidate_since(since=struck)
        gone = master.resigns(cluster.vip, since=struck, until=candidate.latest - struck)
        cluster.timeline.let_pass(own.latest)
    tenures = measures.ownership(cluster.timeline, cluster.vip, master.vrrp.interface, since=struck)

    assert gone.happened_within(candidate)
    assert tenures[0].since - struck in cluster.within(
        Window(other.earliest, min(own.latest, other.latest))
    )
    assert cluster.settle().master is master


@NO_BACKUP
def test_failover_of_a_flapping_link_goes_once(cluster: Cluster) -> None:
    """Each time the carrier returns the higher priority waits anew for as long as
    Master_Down_Interval; a link that flaps faster than that keeps the VIP on the backup, which is
    what an operator wants.
    """
    master, backup = cluster.settle()
    due = timers.takeover(backup.vrrp, announced=False)
    strikes = []

    for _ in range(4):
        with cluster.suffering(Unplug(master), heal_at_once=True) as struck:
            strikes.append(struck)
            cluster.timeline.let_pass(master.vrrp.advert_int / 2)
        cluster.timeline.let_pass(timers.master_down_interval(master.vrrp) / 2)
    took = backup.takes(cluster.vip, since=strikes[0], until=due.latest)  # label: takes over
    back = master.takes(
        cluster.vip, since=cluster.healed(), until=timers.failback(master.vrrp).latest
    )

    assert took.within(due)
    assert back.within(timers.failback(master.vrrp))
    moves = [
        tenure.node
        for tenure in measures.ownership(cluster.timeline, cluster.vip, "eth0", since=strikes[0])
    ]
    assert moves == [backup.name, master.name]
