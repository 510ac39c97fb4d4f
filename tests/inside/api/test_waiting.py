"""What a cluster is waited for."""

from __future__ import annotations

import pytest

from harness.clock import Window
from harness.cluster import Cluster
from harness.cluster.settling import Settled
from harness.due import Took
from harness.errors import HarnessError
from harness.events import AddressChanged, StateChanged
from harness.faults import Drain, HangKeepalived, PowerOff, StopHttpd
from harness.keepalived import timers
from harness.nodes import DirectorNode, RealServerNode
from harness.observers.client import Load
from harness.scenario import topology
from harness.timeline import TooLate
from tests.inside.api.shown import shows
from topologies.director_pair import DirectorPair

pytestmark = topology(DirectorPair)


@shows(Cluster.settle, Settled.master, Settled.backup)
def test_waiting_for_an_election(cluster: Cluster) -> None:
    cluster.settle(tables=False)  # every VIP has the owner that it should
    master, backup = cluster.settle()  # every director's table is whole as well
    assert cluster.settle().master is master
    assert cluster.settle().backup is backup


@topology(DirectorPair, notifications=True)
def test_waiting_for_what_keepalived_tells(cluster: Cluster) -> None:
    settled = cluster.settle(notified=True).at
    assert cluster.master.notifications("fifo")
    assert settled <= cluster.timeline.now()


@shows(Cluster.master, Cluster.backup)
def test_master_and_backup(cluster: Cluster) -> None:
    assert cluster.master.vrrp.priority > cluster.backup.vrrp.priority
    with (
        cluster.suffering(PowerOff(cluster.master)),
        pytest.raises(HarnessError, match=f"{cluster.vip} is held by nobody"),
    ):
        assert cluster.master  # it does not wait until the backup has taken over


def test_a_cluster_that_does_not_settle_says_what_it_suffers_from(cluster: Cluster) -> None:
    cause = "while director1 suffers from PowerOff: settle before a fault"
    with cluster.suffering(PowerOff(cluster.directors[0])), pytest.raises(TooLate, match=cause):
        cluster.settle()


@shows(DirectorNode.takes, timers.takeover)
def test_waiting_for_a_takeover(cluster: Cluster) -> None:
    backup, due = cluster.backup, timers.takeover(cluster.backup.vrrp, announced=False)
    with cluster.suffering(PowerOff(cluster.master)) as struck:
        took = backup.takes(cluster.vip, since=struck, until=due.latest)
    assert took.within(due)


@shows(DirectorNode.announces)
def test_waiting_until_others_have_heard_of_a_takeover(cluster: Cluster) -> None:
    backup, due = cluster.backup, timers.takeover(cluster.backup.vrrp, announced=False)
    with cluster.suffering(PowerOff(cluster.master)) as struck:
        backup.announces(cluster.vip, since=struck, until=due.latest)
        assert cluster.client.neighbour(cluster.vip) in (None, backup.mac)


@shows(Cluster.let_pass)
def test_letting_what_is_due_happen(cluster: Cluster) -> None:
    cluster.let_pass(timers.failback(cluster.master.vrrp))
    assert len(cluster.owners()) == 1


@shows(DirectorNode.resigns)
def test_waiting_for_a_resignation(cluster: Cluster) -> None:
    master, due = cluster.master, timers.failback(cluster.master.vrrp)
    with cluster.suffering(PowerOff(master)):
        cluster.timeline.let_pass(
            timers.takeover(cluster.directors[1].vrrp, announced=False).latest
        )
    cluster.directors[1].resigns(cluster.vip, since=cluster.healed(), until=due.latest + 1)


@shows(DirectorNode.removes, DirectorNode.adds, timers.removal)
def test_waiting_for_a_removal(cluster: Cluster) -> None:
    master, server = cluster.master, cluster.real_servers[0]
    until = timers.removal(cluster.service).latest
    with cluster.suffering(StopHttpd(server)) as struck:
        master.removes(server, since=struck, until=until)


@shows(DirectorNode.weighs, Drain)
def test_waiting_for_a_weight(cluster: Cluster) -> None:
    service, server = cluster.service, cluster.real_servers[0]
    with cluster.suffering(Drain(cluster.master, service, server)) as struck:
        cluster.master.weighs(server, 0, since=struck, until=1, service=service)


@shows(DirectorNode.does)
def test_waiting_for_what_a_reload_brings(cluster: Cluster) -> None:
    began = cluster.timeline.now()
    cluster.master.reload(("172.16.10.50/32", "172.16.10.60/32"))
    cluster.directors[0].does(AddressChanged, since=began, address="172.16.10.60")


@shows(Load.wait_answers)
def test_waiting_for_answers(cluster: Cluster) -> None:
    with cluster.client.load(rate=10) as load:
        assert len(load.wait_answers(3, since=cluster.timeline.now())) == 3


@shows(DirectorNode.candidate_since, timers.cold_start)
def test_when_a_director_stood_for_election(cluster: Cluster) -> None:
    candidate = cluster.directors[0].candidate_since()
    states = cluster.timeline.events(StateChanged, node="director1", state="MASTER")
    assert (
        states[0].at >= candidate.earliest + timers.cold_start(cluster.directors[0].vrrp).earliest
    )


@shows(DirectorNode.checking_since, timers.first_check)
def test_when_a_director_began_to_check(cluster: Cluster) -> None:
    began = cluster.master.checking_since()
    assert cluster.master.checked(cluster.real_servers[0], cluster.service)[0] > began.earliest


@shows(Cluster.healed, RealServerNode.serves_again)
def test_when_a_real_server_serves_again(cluster: Cluster) -> None:
    with cluster.suffering(StopHttpd(cluster.real_servers[0])):
        pass
    assert cluster.real_servers[0].serves_again() >= cluster.healed()


@shows(Cluster.wait_between_checks)
def test_waiting_for_a_pause_between_checks(cluster: Cluster) -> None:
    cluster.wait_between_checks(cluster.real_servers[0])


@shows(Took.within, Took.happened_within)
def test_what_a_wait_returns(cluster: Cluster) -> None:
    backup, due = cluster.backup, timers.takeover(cluster.backup.vrrp, announced=False)
    with cluster.suffering(PowerOff(cluster.master)) as struck:
        took = backup.takes(cluster.vip, since=struck, until=due.latest)
    assert took.within(due)
    assert took.happened_within(Window(struck, struck) + due)


@shows(Cluster.within, Window.with_slack)
def test_what_is_within_a_window(cluster: Cluster) -> None:
    assert 1.0 in cluster.within(Window(0.9, 1.1))
    assert 1.15 in Window(0.9, 1.1).with_slack(0.1)


@shows(Cluster.on_time)
def test_a_series_that_is_on_time(cluster: Cluster) -> None:
    assert cluster.on_time([0.0, 1.0, 2.0], expected=[0.0, 1.0, 2.0])


@shows(DirectorNode.checks)
def test_waiting_for_the_next_check_of_a_real_server(cluster: Cluster) -> None:
    director, web1 = cluster.master, cluster.real_servers[0]
    first, second = (director.checks(web1) for _ in range(2))
    assert second - first in cluster.within(Window(2, 2))  # the service's delay_loop


def test_a_check_that_does_not_come_is_told(cluster: Cluster) -> None:
    director, web1 = cluster.master, cluster.real_servers[0]
    with (
        cluster.suffering(HangKeepalived(director)),
        pytest.raises(TooLate, match="has not checked web1 within"),
    ):
        director.checks(web1)
