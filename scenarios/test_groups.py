"""Services of several addresses and ports: by firewall mark they are one, by
virtual_server_group many of one kind.
"""

import pytest

from harness.cluster import Cluster
from harness.faults import RemovePage
from harness.keepalived import timers
from harness.scenario import topology
from topologies.grouped import Grouped, grouped, marked

pytestmark = [pytest.mark.forwarding, topology(Grouped)]


@pytest.mark.control("a group instead of a mark", topology={"fwmark": None}, caught="turns")
def test_forwarding_by_mark_takes_all_ports_in_one_turn(cluster: Cluster) -> None:
    """What bears the mark is one service whatever its port, so round robin goes on from port to
    port (ip_vs_ctl.c, ``ip_vs_service_find``); the real server is reached at the port that was
    asked for.
    """
    cluster.settle()
    names = {server.page for server in cluster.real_servers}

    turns = [
        cluster.client.fetch(1, marked(), port=port)[0].server for port in (80, 8080, 80, 8080)
    ]

    assert [turns[0] == turn for turn in turns] == [True, False, True, False]  # label: turns
    assert set(turns) == names


def unmark(cluster: Cluster) -> None:
    """Take the marks from the director's firewall."""
    cluster.settle().master.machine.run(["iptables-legacy", "-t", "mangle", "-F", "PREROUTING"])


@pytest.mark.control("no marks", sabotage=unmark, caught="answers")
def test_forwarding_by_mark_takes_nothing_else(cluster: Cluster) -> None:
    """The VIP's other ports bear no mark: there the director answers itself, and has nobody who
    listens.
    """
    cluster.settle()
    (served,) = cluster.client.fetch(1, marked())
    (other,) = cluster.client.fetch(1, marked(), port=81)

    assert served.status == 200  # label: answers
    assert other.error == "Connection refused"


@pytest.mark.control("a mark instead of a group", topology={"group_fwmark": 2}, caught="turns")
def test_forwarding_by_group_gives_every_member_turns_of_its_own(cluster: Cluster) -> None:
    """A group is one service of the kernel for each of its members, and round robin goes on in each
    by itself (keepalived ``ipvswrapper.c``, ``ipvs_group_cmd``).
    """
    cluster.settle()
    members = grouped().endpoints

    turns = [
        cluster.client.fetch(1, grouped(), address=vip, port=port)[0].server
        for vip, port in members * 2
    ]

    assert None not in turns
    assert turns[0] != turns[2] and turns[1] != turns[3], "not turns of its own"  # noqa: PT018  # label: turns


@pytest.mark.control("another page is checked", topology={"path": "/large"}, caught="removed")
def test_forwarding_by_group_loses_a_failed_server_in_every_member(cluster: Cluster) -> None:
    """The real servers of a group are checked once for all members, so all lose one at the same
    time.
    """
    director, server = cluster.settle().master, cluster.real_servers[0]
    removed, returned = timers.removal(grouped()), timers.recovery(grouped())

    with cluster.suffering(RemovePage(server)) as struck:
        took = director.removes(server, since=struck, until=removed.latest)  # label: removed
    healed = cluster.healed()
    back = director.adds(server, since=healed, until=returned.latest)

    assert took.within(removed)
    assert back.within(returned)
