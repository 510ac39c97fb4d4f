"""Cuts between two given machines: each hears everybody else, so no two of the cluster see the
same failure.
"""

import pytest

from harness import measures
from harness.clock import Window
from harness.cluster import Cluster
from harness.events import AddressChanged, DestinationChanged
from harness.faults import Cut, HangKeepalived
from harness.keepalived import timers
from harness.scenario import topology
from topologies.director_pair import DirectorPair

pytestmark = [pytest.mark.recovery, topology(DirectorPair)]


@pytest.mark.control(
    "the backup hangs", fault=HangKeepalived, node="director2", caught="takes over"
)
def test_recovery_from_a_cut_between_the_directors_alone(cluster: Cluster) -> None:
    """Only the link between the directors is gone: both are master and both serve, so the client
    notices nothing while it lasts, and the lower priority yields when it is over (RFC 5798 section
    6.4.3).
    """
    master, backup = cluster.settle()
    due = timers.takeover(backup.vrrp, announced=False)

    with cluster.client.load() as load, cluster.suffering(Cut(master, backup)) as struck:
        took = backup.takes(cluster.vip, since=struck, until=due.latest)  # label: takes over
        cluster.timeline.let_pass(3 * master.vrrp.advert_int)
        assert cluster.owners() == [master.name, backup.name]
    healed = cluster.healed()
    after_split_brain = timers.after_split_brain(master.vrrp, backup.vrrp)
    yielded = backup.resigns(cluster.vip, since=healed, until=after_split_brain.latest)

    assert took.within(due)
    assert yielded.within(after_split_brain)
    assert measures.split_brain(cluster.timeline, master.vrrp.vrid, since=struck)
    assert measures.outage(cluster.timeline, since=struck) in cluster.within(
        Window(0, 2 * load.resolution)
    )


@pytest.mark.control("the master hangs", fault=HangKeepalived, node="director1", caught="VIP stays")
def test_recovery_is_not_needed_where_only_the_backup_is_not_heard(cluster: Cluster) -> None:
    """A backup has nothing to say, so a cut of its way to the master changes nothing; nor does one
    for other protocols, or one that ends at the client.
    """
    master, backup = cluster.settle()
    quiet = timers.master_down_interval(backup.vrrp) + cluster.slack
    cuts = (
        Cut(backup, master, both=False),
        Cut(master, backup, protocol="UDP"),
        Cut(master, backup, protocol="ARP"),
    )

    began = cluster.timeline.now()
    with cluster.suffering(cuts[0]), cluster.suffering(cuts[1]), cluster.suffering(cuts[2]):
        cluster.timeline.let_pass(quiet)

    assert not cluster.timeline.events(
        AddressChanged, since=began, address=cluster.vip
    )  # label: VIP stays
    assert cluster.owners() == [master.name]


@pytest.mark.control(
    "the master looks once a minute",
    config={"director1": ("delay_loop 2", "delay_loop 60")},
    caught="removed",
)
def test_recovery_of_a_real_server_that_one_director_alone_cannot_reach(cluster: Cluster) -> None:
    """Each director judges by what it sees itself: the master removes the real server that the
    backup keeps.
    """
    master, backup = cluster.settle()
    lost = cluster.real_servers[0]
    due = timers.removal(cluster.service, Cut.symptom)

    with cluster.suffering(Cut(lost, master)) as struck:
        left = master.removes(lost, since=struck, until=due.latest)  # label: removed
        assert lost.name in backup.pool()
        answers = [request.server for request in cluster.client.fetch(4)]
    healed = cluster.healed()
    recovery = timers.recovery(cluster.service, Cut.symptom)
    back = master.adds(lost, since=healed, until=recovery.latest)

    assert left.within(due)
    assert set(answers) == {"web2"}
    assert back.within(recovery)


@pytest.mark.control(
    "one real server for one client", topology={"scheduler": "sh"}, caught="answers"
)
def test_recovery_is_not_begun_for_what_no_checker_sees(cluster: Cluster) -> None:
    """With DR the answer does not pass the director. Where a real server cannot reach the client,
    checks go on succeeding, the real server stays in the pool, and every second request is lost: a
    check is no client.
    """
    master, server = cluster.settle().master, cluster.real_servers[1]
    began = cluster.timeline.now()

    with cluster.suffering(Cut(server, cluster.client, both=False, protocol="TCP", port=80)):
        cluster.timeline.let_pass(timers.removal(cluster.service).latest + cluster.slack)
        answers = [request.status for request in cluster.client.fetch(4)]
        kept = master.pool()

    assert set(kept) == {"web1", "web2"}
    assert sorted(answers) == [0, 0, 200, 200]  # label: answers
    assert not cluster.timeline.events(DestinationChanged, since=began)
