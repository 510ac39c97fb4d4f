"""What a cluster is waited for."""

from __future__ import annotations

import pytest

from harness.clock import Window
from harness.cluster import Cluster
from harness.cluster.due import Took
from harness.events import AddressChanged, StateChanged
from harness.faults import Drain, HangKeepalived, PowerOff, StopHttpd
from harness.keepalived import timers
from harness.scenario import topology
from harness.timeline import TooLate
from tests.inside.api.shown import shows
from topologies.director_pair import DirectorPair

pytestmark = topology(DirectorPair)


@shows(Cluster.settle, Cluster.wait_elected)
def test_waiting_for_an_election(cluster: Cluster) -> None:
    cluster.wait_elected()  # every VIP has the owner that it should
    cluster.settle()  # every director's table is whole as well


@topology(DirectorPair, notifications=True)
@shows(Cluster.wait_told)
def test_waiting_for_what_keepalived_tells(cluster: Cluster) -> None:
    settled = cluster.wait_told()
    assert cluster.notifications(cluster.master, "fifo")
    assert settled <= cluster.timeline.now()


@shows(Cluster.master, Cluster.backup)
def test_master_and_backup(cluster: Cluster) -> None:
    master, backup = cluster.master, cluster.backup
    assert master.vrrp.priority > backup.vrrp.priority


@shows(Cluster.wait_master, timers.takeover)
def test_waiting_for_a_takeover(cluster: Cluster) -> None:
    backup, due = cluster.backup, timers.takeover(cluster.backup.vrrp, announced=False)
    with cluster.suffering(PowerOff(cluster.master)) as struck:
        took = cluster.wait_master(backup, since=struck, until=due.latest)
    assert took.within(due)


@shows(Cluster.wait_announced)
def test_waiting_until_others_have_heard_of_a_takeover(cluster: Cluster) -> None:
    backup, due = cluster.backup, timers.takeover(cluster.backup.vrrp, announced=False)
    with cluster.suffering(PowerOff(cluster.master)) as struck:
        cluster.wait_announced(backup, since=struck, until=due.latest)
        assert cluster.neighbour(cluster.client, cluster.vip) in (None, backup.mac)


@shows(Cluster.let_pass)
def test_letting_what_is_due_happen(cluster: Cluster) -> None:
    cluster.let_pass(timers.failback(cluster.master.vrrp))
    assert len(cluster.owners()) == 1


@shows(Cluster.wait_resigned)
def test_waiting_for_a_resignation(cluster: Cluster) -> None:
    master, due = cluster.master, timers.failback(cluster.master.vrrp)
    with cluster.suffering(PowerOff(master)):
        cluster.timeline.let_pass(
            timers.takeover(cluster.directors[1].vrrp, announced=False).latest
        )
    cluster.wait_resigned(cluster.directors[1], since=cluster.healed(), until=due.latest + 1)


@shows(Cluster.wait_pool, timers.removal)
def test_waiting_for_a_removal(cluster: Cluster) -> None:
    master, server = cluster.master, cluster.real_servers[0]
    until = timers.removal(cluster.service).latest
    with cluster.suffering(StopHttpd(server)) as struck:
        cluster.wait_pool(master, server, present=False, since=struck, until=until)


@shows(Cluster.wait_weight, Drain)
def test_waiting_for_a_weight(cluster: Cluster) -> None:
    service, server = cluster.service, cluster.real_servers[0]
    with cluster.suffering(Drain(cluster.master, service, server)) as struck:
        cluster.wait_weight(cluster.master, server, 0, since=struck, until=1, service=service)


@shows(Cluster.wait_done)
def test_waiting_for_what_a_reload_brings(cluster: Cluster) -> None:
    began = cluster.timeline.now()
    cluster.reload(cluster.master, ("172.16.10.50/32", "172.16.10.60/32"))
    cluster.wait_done(cluster.directors[0], AddressChanged, since=began, address="172.16.10.60")


@shows(Cluster.wait_answers)
def test_waiting_for_answers(cluster: Cluster) -> None:
    with cluster.load(rate=10) as load:
        assert len(cluster.wait_answers(load, 3, since=cluster.timeline.now())) == 3


@shows(Cluster.candidate_since, timers.cold_start)
def test_when_a_director_stood_for_election(cluster: Cluster) -> None:
    candidate = cluster.candidate_since(cluster.directors[0])
    states = cluster.timeline.events(StateChanged, node="director1", state="MASTER")
    assert (
        states[0].at >= candidate.earliest + timers.cold_start(cluster.directors[0].vrrp).earliest
    )


@shows(Cluster.checking, timers.first_check)
def test_when_a_director_began_to_check(cluster: Cluster) -> None:
    began = cluster.checking(cluster.master)
    assert (
        cluster.checked(cluster.master, cluster.real_servers[0], cluster.service)[0]
        > began.earliest
    )


@shows(Cluster.healed, Cluster.serves_again)
def test_when_a_real_server_serves_again(cluster: Cluster) -> None:
    with cluster.suffering(StopHttpd(cluster.real_servers[0])):
        pass
    assert cluster.serves_again(cluster.real_servers[0]) >= cluster.healed()


@shows(Cluster.wait_moment)
def test_waiting_for_the_moment_that_the_seed_gives(cluster: Cluster) -> None:
    fault = PowerOff(cluster.master)
    cluster.wait_moment(fault)
    struck = cluster.inject(fault, at_once=True)
    assert cluster.heal(fault) >= struck


@shows(Cluster.wait_between_checks)
def test_waiting_for_a_pause_between_checks(cluster: Cluster) -> None:
    cluster.wait_between_checks(cluster.real_servers[0])


@shows(Took.within, Took.happened_within)
def test_what_a_wait_returns(cluster: Cluster) -> None:
    backup, due = cluster.backup, timers.takeover(cluster.backup.vrrp, announced=False)
    with cluster.suffering(PowerOff(cluster.master)) as struck:
        took = cluster.wait_master(backup, since=struck, until=due.latest)
    assert took.within(due)
    assert took.happened_within(Window(struck, struck) + due)


@shows(Cluster.within, Window.with_slack)
def test_what_is_within_a_window(cluster: Cluster) -> None:
    assert 1.0 in cluster.within(Window(0.9, 1.1))
    assert 1.15 in Window(0.9, 1.1).with_slack(0.1)


@shows(Cluster.on_time)
def test_a_series_that_is_on_time(cluster: Cluster) -> None:
    assert cluster.on_time([0.0, 1.0, 2.0], expected=[0.0, 1.0, 2.0])


@shows(Cluster.wait_check)
def test_waiting_for_the_next_check_of_a_real_server(cluster: Cluster) -> None:
    director, web1 = cluster.master, cluster.real_servers[0]
    first, second = (cluster.wait_check(director, web1) for _ in range(2))
    assert second - first in cluster.within(Window(2, 2))  # the service's delay_loop


def test_a_check_that_does_not_come_is_told(cluster: Cluster) -> None:
    director, web1 = cluster.master, cluster.real_servers[0]
    with (
        cluster.suffering(HangKeepalived(director)),
        pytest.raises(TooLate, match="has not checked web1 within"),
    ):
        cluster.wait_check(director, web1)
