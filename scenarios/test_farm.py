"""A farm: what holds for two real servers holds for twenty and more."""

from contextlib import ExitStack

import pytest

from harness import measures
from harness.cluster import Cluster
from harness.faults import RemovePage
from harness.keepalived import timers
from harness.scenario import topology
from topologies.farm import Farm

REAL_SERVERS = 20
pytestmark = topology(Farm, real_servers=REAL_SERVERS)


@pytest.mark.scheduler
@pytest.mark.control("sh balances instead", topology={"scheduler": "sh"}, caught="distribution")
def test_scheduler_gives_every_server_of_a_farm_its_turn(cluster: Cluster) -> None:
    """rr goes through all real servers before it comes back to the first (``ip_vs_rr.c``)."""
    cluster.settle()
    sent = cluster.client.fetch(2 * REAL_SERVERS)

    assert measures.distribution(sent) == {
        server.page: 2 for server in cluster.real_servers
    }  # label: distribution


@pytest.mark.health
@pytest.mark.control(
    "checked once an hour",
    config=dict.fromkeys(("director1", "director2"), ("delay_loop 10", "delay_loop 3600")),
    caught="removed",
)
def test_health_every_failed_server_of_a_farm_leaves_both_tables_in_time(cluster: Cluster) -> None:
    """Checkers do not wait for each other: each of several failures is due when one alone would be,
    and the others stay (keepalived ``check_http.c``; its threads share one loop).
    """
    cluster.settle()
    failing = cluster.real_servers[::4]
    well = {server.name for server in cluster.real_servers if server not in failing}
    due = timers.removal(cluster.service)

    with ExitStack() as suffering:
        struck = {
            server: suffering.enter_context(cluster.suffering(RemovePage(server)))
            for server in failing
        }
        took = [
            director.removes(server, since=since, until=due.latest)
            for director in cluster.directors
            for server, since in struck.items()
        ]  # label: removed
        left = [director.pool() for director in cluster.directors]

    assert all(seconds.within(due) for seconds in took), took
    assert [set(pool) for pool in left] == [well, well]
