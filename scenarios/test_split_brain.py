"""Split brain: directors that do not hear each other are both master, and when they do again
the lower one yields.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from harness import measures
from harness.cluster import Cluster
from harness.events import AddressChanged, Advertisement
from harness.faults import (
    BlackHole,
    Deaf,
    DropAdvertisements,
    DropArp,
    Fault,
    HangKeepalived,
    PowerOff,
)
from harness.keepalived import timers
from harness.nodes import DirectorNode
from harness.scenario import topology
from topologies.director_pair import DirectorPair

pytestmark = [pytest.mark.recovery, topology(DirectorPair)]

RIFTS = pytest.mark.parametrize(
    "rift", [BlackHole, Deaf, DropAdvertisements], ids=lambda fault: f"backup-{fault.__name__}"
)
STUCK = pytest.mark.control(
    "the backup hangs as soon as it is master",
    config={
        "director2": ("priority 90", 'priority 90\nnotify_master "/usr/bin/pkill -STOP keepalived"')
    },
    caught="one split brain",
)


@STUCK
@pytest.mark.control(
    "the backup hangs", fault=HangKeepalived, node="director2", caught="takes over"
)
@RIFTS
def test_recovery_from_split_brain_leaves_the_higher_priority(
    cluster: Cluster, rift: type[Fault[Any]]
) -> None:
    """A backup that hears nothing cannot know that its master lives. Whoever speaks first once they
    hear each other again, the lower priority yields (RFC 3768 and RFC 5798 section 6.4.3).
    """
    master, backup = cluster.settle()
    due = timers.takeover(backup.vrrp, announced=False)

    with cluster.suffering(rift(backup)) as struck:
        took = backup.takes(cluster.vip, since=struck, until=due.latest)  # label: takes over
        cluster.timeline.let_pass(3 * master.vrrp.advert_int)
        assert cluster.owners() == [master.name, backup.name]
    ((first, second),) = measures.split_brain(
        cluster.timeline, master.vrrp.vrid, since=struck
    )  # label: one split brain
    healed = cluster.healed()
    yielded = backup.resigns(
        cluster.vip, since=healed, until=timers.after_split_brain(master.vrrp, backup.vrrp).latest
    )

    assert took.within(due)
    assert {first.node, second.node} == {master.name, backup.name}
    assert yielded.within(timers.after_split_brain(master.vrrp, backup.vrrp))
    assert cluster.owners() == [master.name]


@contextmanager
def both_masters_until(cluster: Cluster, speaker: DirectorNode) -> Iterator[None]:
    """Advertisements are lost both ways until the backup is master too and ``speaker`` has just
    advertised in vain: the other is the first to be heard. A Skew_Time, more than half a second,
    lies between the two.
    """
    master, backup = cluster.settle()
    with (
        cluster.suffering(DropAdvertisements(master), heal_at_once=True),
        cluster.suffering(DropAdvertisements(backup), heal_at_once=True) as struck,
    ):
        took = backup.takes(
            cluster.vip, since=struck, until=timers.takeover(backup.vrrp, announced=False).latest
        )
        since = struck + took + cluster.slack
        until = since + speaker.vrrp.advert_int + cluster.slack
        cluster.timeline.wait_for(
            Advertisement, node=speaker.name, since=since, until=until, sent=True
        )
        yield


@pytest.mark.control(
    "the master does not announce itself again",
    config={"director1": ("priority 100", "priority 100\ngarp_lower_prio_repeat 0")},
    caught="the client's ARP entry",
)
def test_recovery_from_split_brain_corrects_the_client(cluster: Cluster) -> None:
    """The backup's gratuitous ARP has drawn the client away; a master that hears of a lower one
    announces itself anew (keepalived ``vrrp.c``, ``vrrp_state_master_rx``,
    ``garp_lower_prio_repeat``).
    """
    master, backup = cluster.settle()
    cluster.client.fetch(1)

    with both_masters_until(cluster, master):
        assert cluster.client.neighbour(cluster.vip) == backup.mac
    healed = cluster.healed()
    yielded = backup.resigns(
        cluster.vip, since=healed, until=timers.after_split_brain(master.vrrp, backup.vrrp).latest
    )
    cluster.timeline.let_pass(cluster.slack)
    known = cluster.client.neighbour(cluster.vip)

    assert known == master.mac  # label: the client's ARP entry
    assert yielded.within(timers.after_split_brain(master.vrrp, backup.vrrp))
    assert cluster.client.fetch(1)[0].status == 200


@pytest.mark.control(
    "the master refreshes its announcement",
    config={"director1": ("priority 100", "priority 100\ngarp_master_refresh 1")},
    caught="the client's ARP entry",
)
def test_recovery_from_split_brain_leaves_the_client_astray(cluster: Cluster) -> None:
    """A master that is heard before it hears never learns that there was another: the lower one
    yields in silence, and whoever its gratuitous ARP has drawn away still sends to it.
    ``garp_master_refresh`` is the remedy.
    """
    master, backup = cluster.settle()
    cluster.client.fetch(1)

    with both_masters_until(cluster, backup):
        pass
    healed = cluster.healed()
    yielded = backup.resigns(
        cluster.vip, since=healed, until=timers.after_split_brain(master.vrrp, backup.vrrp).latest
    )
    cluster.timeline.let_pass(2 * master.vrrp.advert_int)
    known = cluster.client.neighbour(cluster.vip)

    assert known == backup.mac  # label: the client's ARP entry
    assert yielded.within(timers.after_split_brain(master.vrrp, backup.vrrp))
    assert cluster.owners() == [master.name]


@pytest.mark.control("the backup is deaf as well", fault=Deaf, node="director2", caught="VIP stays")
def test_recovery_needs_one_direction_only(cluster: Cluster) -> None:
    """A master that is deaf but heard keeps its office: its backup hears it, and has nothing to
    say.
    """
    master, backup = cluster.settle()
    quiet = timers.master_down_interval(backup.vrrp)

    with cluster.suffering(DropAdvertisements(master)) as struck:
        cluster.timeline.let_pass(quiet + cluster.slack)

    assert not cluster.timeline.events(
        AddressChanged, since=struck, address=cluster.vip
    )  # label: VIP stays
    assert not measures.split_brain(cluster.timeline, master.vrrp.vrid, since=struck)


@pytest.mark.control("the client hears no ARP", fault=DropArp, node="client", caught="answers")
def test_recovery_after_both_have_lost_power(cluster: Cluster) -> None:
    """Nobody knows anything of before: both begin as backups and with empty tables, and elect
    as on the first day.
    """
    master, backup = cluster.settle()
    due = timers.cold_start(master.vrrp, backup.vrrp)

    with cluster.suffering(PowerOff(backup)), cluster.suffering(PowerOff(master)):
        assert cluster.owners() == []
    candidate = master.candidate_since()
    took = master.announces(cluster.vip, since=candidate.latest, until=due.latest)

    assert took.happened_within(candidate + due)
    assert cluster.settle().master is master
    assert [request.status for request in cluster.client.fetch(2)] == [200, 200]  # label: answers
