"""Persistence and draining: clients stay with their real server, until it is drained, fails, or
their time is over.
"""

import pytest

from harness.cluster import Cluster
from harness.faults import Drain, RemovePage
from harness.keepalived import timers
from harness.scenario import topology
from topologies.persistence import SOURCES, Persistence, by_mark, by_network, persistent

pytestmark = [pytest.mark.persistence, topology(Persistence)]

EXPIRING = topology(Persistence, expire_nodest_conn=True, expire_quiescent_template=True)


@pytest.mark.control("no persistence", topology={"timeout": None}, caught="same server")
def test_persistence_keeps_a_client_with_one_real_server(cluster: Cluster) -> None:
    """The first connection of a client is scheduled, the others follow it, whoever comes in between
    (ip_vs_core.c, ``ip_vs_sched_persist``).
    """
    cluster.settle()
    rounds = [
        [cluster.client.fetch(1, persistent(), source=source)[0].server for source in SOURCES[:3]]
        for _ in range(3)
    ]

    assert all(
        len(set(servers)) == 1 for servers in zip(*rounds, strict=True)
    )  # label: same server
    assert set(rounds[0]) == {server.page for server in cluster.real_servers}


@pytest.mark.control("half the time", topology={"timeout": 5}, caught="renewed")
@pytest.mark.control("three times the time", topology={"timeout": 30}, caught="it ends")
def test_persistence_lasts_from_the_last_connection_on(cluster: Cluster) -> None:
    """Every connection gives the client its whole time anew; once it is over, round robin has
    its turn again.
    """
    cluster.settle()
    due = timers.persistence(persistent())

    (first,) = cluster.client.fetch(1, persistent())
    cluster.timeline.let_pass(due.earliest - 2 * cluster.slack)
    (renewed,) = cluster.client.fetch(1, persistent())
    cluster.timeline.let_pass(due.earliest - 2 * cluster.slack)
    (again,) = cluster.client.fetch(1, persistent())
    cluster.timeline.let_pass(due.latest + 2 * cluster.slack)
    (over,) = cluster.client.fetch(1, persistent())

    assert first.server == renewed.server == again.server  # label: renewed
    assert over.server != first.server  # label: it ends


@pytest.mark.control("each client by itself", topology={"granularity": None}, caught="together")
def test_persistence_keeps_a_network_of_clients_together(cluster: Cluster) -> None:
    """With a ``persistence_granularity`` the template is that of a network, as for clients
    behind several proxies.
    """
    cluster.settle()
    *together, apart = [
        cluster.client.fetch(1, by_network(), source=source)[0].server for source in SOURCES
    ]

    assert len(set(together)) == 1  # label: together
    assert apart != together[0]


@pytest.mark.control("a group without a mark", topology={"marked": False}, caught="both ports meet")
def test_persistence_by_mark_has_both_ports_of_a_client_meet(cluster: Cluster) -> None:
    """A shop's basket, filled over HTTP, is paid for over HTTPS: by firewall mark both are one
    service, and the template has no port (``ip_vs_sched_persist``).
    """
    cluster.settle()
    http = {
        source: cluster.client.fetch(1, by_mark(), source=source)[0].server for source in SOURCES
    }
    https = {
        source: cluster.client.fetch(1, by_mark(), source=source, port=8443)[0].server
        for source in reversed(SOURCES)
    }

    meet = [source for source in SOURCES if http[source] == https[source]]
    assert meet == list(SOURCES)  # label: both ports meet
    assert len(set(http.values())) > 1


@pytest.mark.control(
    "a service with persistence", topology={"plain_timeout": 10}, caught="they finish"
)
def test_persistence_draining_lets_established_connections_finish(cluster: Cluster) -> None:
    """Weight 0: new connections go elsewhere, those there are go on, and when none is active
    the server can go.
    """
    director, (drained, other), service = (
        cluster.settle().master,
        cluster.real_servers,
        cluster.service,
    )

    with (
        cluster.client.holding(4, service) as held,
        cluster.suffering(Drain(director, service, drained)),
    ):
        new = [request.server for request in cluster.client.fetch(4, service)]
        before, _ = director.counted(service)
        finished = [connection.finish().server for connection in held]
        after, _ = director.counted(service)
    back = {request.server for request in cluster.client.fetch(2, service)}

    assert new == [other.page] * 4
    assert sorted(map(str, finished)) == [drained.page] * 2 + [other.page] * 2  # label: they finish
    assert (before.active, after.active) == (2, 0)
    assert back == {drained.page, other.page}


@pytest.mark.control(
    "expire_quiescent_template", topology={"expire_quiescent_template": True}, caught="stays"
)
def test_persistence_holds_on_to_a_drained_server(cluster: Cluster) -> None:
    """A persistent client comes back to a server of weight 0, so draining one takes as long as its
    clients come (Documentation/networking/ipvs-sysctl.rst, ``expire_quiescent_template``).
    """
    director = cluster.settle().master
    (first,) = cluster.client.fetch(1, persistent())

    with cluster.suffering(Drain(director, persistent(), cluster.server_of(first))):
        stayed = {request.server for request in cluster.client.fetch(3, persistent())}

    assert stayed == {first.server}  # label: stays


@EXPIRING
@pytest.mark.control(
    "no expire_quiescent_template", topology={"expire_quiescent_template": False}, caught="moves on"
)
def test_persistence_with_expire_quiescent_template_leaves_a_drained_server(
    cluster: Cluster,
) -> None:
    """With ``expire_quiescent_template`` weight 0 ends persistence at the next connection
    (ip_vs_conn.c, ``ip_vs_check_template``).
    """
    director = cluster.settle().master
    (first,) = cluster.client.fetch(1, persistent())
    server = cluster.server_of(first)
    (other,) = [each.page for each in cluster.real_servers if each is not server]

    with cluster.suffering(Drain(director, persistent(), server)):
        moved = {request.server for request in cluster.client.fetch(3, persistent())}

    assert moved == {other}  # label: moves on


@pytest.mark.control("expire_nodest_conn", topology={"expire_nodest_conn": True}, caught="answers")
def test_persistence_connection_of_a_removed_server_waits_for_its_return(cluster: Cluster) -> None:
    """Packets to a server that has left the table are dropped without a word, so that its
    connections go on when it comes back (ipvs-sysctl.rst, ``expire_nodest_conn``): TCP's
    retransmissions see to that.
    """
    director, server, service = cluster.settle().master, cluster.real_servers[0], cluster.service
    removed, returned = timers.removal(service), timers.recovery(service)

    with cluster.client.holding(2, service) as held:
        with cluster.suffering(RemovePage(server)) as struck:
            director.removes(server, since=struck, until=removed.latest)
            for connection in held:
                connection.complete(timeout=60)
        healed = cluster.healed()
        back = director.adds(server, since=healed, until=returned.latest)
        answers = {
            answer.server: answer for answer in (connection.outcome() for connection in held)
        }

    assert {answer.status for answer in answers.values()} == {200}  # label: answers
    assert answers[server.page].at + answers[server.page].latency >= healed + back


@EXPIRING
@pytest.mark.control(
    "no expire_nodest_conn", topology={"expire_nodest_conn": False}, caught="reset"
)
def test_persistence_with_expire_nodest_conn_resets_what_a_removed_server_had(
    cluster: Cluster,
) -> None:
    """With ``expire_nodest_conn`` the next packet ends the connection at once: the client is told
    and can try again (ip_vs_core.c, ``ip_vs_in_hook``).
    """
    director, server, service = cluster.settle().master, cluster.real_servers[0], cluster.service
    due = timers.removal(service)

    with (
        cluster.client.holding(2, service) as held,
        cluster.suffering(RemovePage(server)) as struck,
    ):
        director.removes(server, since=struck, until=due.latest)
        answers = [connection.finish() for connection in held]

    assert sorted(str(answer.error) for answer in answers) == [
        "Connection reset by peer",
        "None",
    ]  # label: reset
