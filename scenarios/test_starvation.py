"""Starvation: a machine whose host is too busy to let it run all the time, or its keepalived."""

import pytest

from harness.cluster import Cluster
from harness.events import AddressChanged
from harness.faults import HangKeepalived, Mute, Starve, StarveMachine
from harness.keepalived import timers
from harness.scenario import topology
from topologies.director_pair import DirectorPair

pytestmark = [pytest.mark.failover, topology(DirectorPair)]


@pytest.mark.control("the master is mute", fault=Mute, node="director1", caught="VIP stays")
def test_no_failover_while_a_starved_master_is_heard_in_time(cluster: Cluster) -> None:
    """A backup hears nothing for at most one advertisement interval more than the master stands
    still. It does not mind as long as that is less than its Master_Down_Interval (RFC 5798 section
    6.1).
    """
    master, backup = cluster.settle()
    longest = timers.master_down_interval(backup.vrrp) - master.vrrp.advert_int

    with cluster.suffering(Starve(master, stands=0.95 * longest, runs=0.1)) as struck:
        cluster.timeline.let_pass(10 * longest)

    assert not cluster.timeline.events(
        AddressChanged, since=struck, address=cluster.vip
    )  # label: VIP stays
    assert cluster.owners() == [master.name]


@pytest.mark.control(
    "the backup hangs", fault=HangKeepalived, node="director2", caught="takes over"
)
def test_failover_at_each_turn_of_a_master_that_is_starved_for_longer(cluster: Cluster) -> None:
    """The backup takes over each time that the master stands still for too long, and yields each
    time that it runs: as long as the host is busy, the VIP goes to and fro.
    """
    master, backup = cluster.settle()
    due = timers.takeover(backup.vrrp, announced=False)
    turns = 4

    with cluster.suffering(Starve(master, stands=1.1 * due.latest, runs=due.latest)) as struck:
        took = backup.takes(cluster.vip, since=struck, until=due.latest)  # label: takes over
        # The last takeover may come later in its turn than the first one did.
        cluster.timeline.let_pass((turns - 1) * 2.1 * due.latest + due.latest - due.earliest)
        moves = cluster.timeline.events(
            AddressChanged, node=backup.name, since=struck, address=cluster.vip
        )

    assert took.within(due)
    assert [move.action for move in moves[: 2 * turns - 1]] == ["added", "removed"] * (
        turns - 1
    ) + ["added"]


@pytest.mark.health
@pytest.mark.control(
    "checked too rarely",
    config={"director1": ("delay_loop 2", "delay_loop 200")},
    caught="removed",
)
def test_health_of_a_machine_that_stands_still_for_longer_than_its_checkers_wait(
    cluster: Cluster,
) -> None:
    """Its kernel accepts the checker's connection, and nobody answers in it: the real server is
    removed as one that is silent (``check_http.c``, ``http_read_thread``).
    """
    server, service = cluster.real_servers[0], cluster.service
    starved = StarveMachine(server, stands=60, runs=60)
    due = timers.removal(service, starved.symptom)

    with cluster.suffering(starved) as struck:
        took = cluster.master.removes(  # label: removed
            server, service=service, since=struck, until=due.latest
        )

    assert took.within(due)
