"""A server that speaks first, behind IPVS: who greets, and what a health checker sees of it."""

import pytest

from harness.cluster import Cluster
from harness.faults import HangKeepalived, HangProgram, StopProgram
from harness.keepalived import timers
from harness.scenario import topology
from topologies.databases import DATABASE, GREETING, PORT, VIP, Databases

pytestmark = [pytest.mark.health, topology(Databases)]

GREET = f"read -r -t 1 line </dev/tcp/{VIP}/{PORT} && echo $line"


def greetings(cluster: Cluster, count: int) -> list[str]:
    """Who greets the client, connection by connection; "" for nobody within a second."""
    said = [
        cluster.client.machine.run(["bash", "-c", GREET], check=False).stdout for _ in range(count)
    ]
    return [text.strip().removeprefix(GREETING) if GREETING in text else "" for text in said]


@pytest.mark.control(
    "one hangs", fault=lambda node: HangProgram(node, DATABASE.name), node="db1", caught="turns"
)
def test_health_of_servers_that_speak_first(cluster: Cluster) -> None:
    """Nobody asks for the greeting: it follows the handshake, in which the real server has the last
    word, so IPVS has chosen it by then.
    """
    cluster.settle()

    assert sorted(greetings(cluster, 4)) == ["db1", "db1", "db2", "db2"]  # label: turns


@pytest.mark.control("the director hangs", fault=HangKeepalived, node="director1", caught="removed")
def test_health_of_a_database_that_ends(cluster: Cluster) -> None:
    """It refuses connections, so its next check removes it; nobody meets it from then on."""
    director, (first, second) = cluster.settle().master, cluster.real_servers
    due = timers.removal(cluster.service, StopProgram.symptom)

    with cluster.suffering(StopProgram(first, DATABASE.name)) as struck:
        left = director.removes(first, since=struck, until=due.latest)  # label: removed
        meanwhile = greetings(cluster, 3)

    assert left.within(due)
    assert meanwhile == [second.name] * 3


@pytest.mark.control(
    "it ends instead",
    fault=lambda node: StopProgram(node, DATABASE.name),
    node="db1",
    caught="settles",
)
def test_health_by_a_connection_alone_does_not_see_a_database_that_hangs(cluster: Cluster) -> None:
    """The kernel accepts connections for a process that does not run, and TCP_CHECK wants no more:
    every other client waits for a greeting in vain, for as long as the database hangs.
    """
    director, (first, second) = cluster.settle().master, cluster.real_servers  # label: settles
    due = timers.removal(cluster.service, HangProgram.symptom)

    with cluster.suffering(HangProgram(first, DATABASE.name)):
        cluster.let_pass(due)
        met = greetings(cluster, 4)
        pool = director.pool()

    assert sorted(met) == ["", "", second.name, second.name]
    assert pool == {first.name: 1, second.name: 1}
