"""Health checks: a real server that fails its check leaves both tables in time, and comes back
when it is well.
"""

import pytest

from harness import measures
from harness.cluster import Cluster
from harness.faults import BlackHole, Fault, RemovePage, StopHttpd
from harness.keepalived import timers
from harness.nodes import RealServerNode
from harness.scenario import topology
from topologies.director_pair import DirectorPair

RARELY = pytest.mark.control(
    "checked once an hour",
    config=dict.fromkeys(("director1", "director2"), ("delay_loop 2", "delay_loop 3600")),
    caught="removed",
)

pytestmark = [pytest.mark.health, topology(DirectorPair), RARELY]

FAILURES = pytest.mark.parametrize(
    "failure", [StopHttpd, RemovePage, BlackHole], ids=lambda fault: fault.__name__
)


@FAILURES
def test_health_failed_server_leaves_both_tables_in_time(
    cluster: Cluster, failure: type[Fault[RealServerNode]]
) -> None:
    """The next check is up to ``delay_loop`` away, and every retry must fail (keepalived
    ``check_http.c``).
    """
    cluster.settle()
    server = cluster.real_servers[0]
    due = timers.removal(cluster.service, failure.symptom)

    with cluster.suffering(failure(server)) as struck:
        took = [
            director.removes(server, since=struck, until=due.latest)
            for director in cluster.directors
        ]  # label: removed

    assert all(seconds.within(due) for seconds in took), took


@FAILURES
def test_health_removed_server_gets_no_request(
    cluster: Cluster, failure: type[Fault[RealServerNode]]
) -> None:
    """Once it is out of the master's table, every request is the other one's, and is answered."""
    master = cluster.settle().master
    server, other = cluster.real_servers
    due = timers.removal(cluster.service, failure.symptom)

    with cluster.client.load() as load, cluster.suffering(failure(server)) as struck:
        took = master.removes(server, since=struck, until=due.latest)  # label: removed
        answered = load.wait_answers(10, since=struck + took)
        sent = measures.requests(cluster.timeline, since=struck + took, until=answered[-1].at)

    assert measures.distribution(sent) == {other.page: 10}


@FAILURES
def test_health_recovered_server_returns_to_both_tables(
    cluster: Cluster, failure: type[Fault[RealServerNode]]
) -> None:
    """The first good check clears the failure, the second brings the server back (keepalived
    ``check_http.c``).
    """
    cluster.settle()
    server = cluster.real_servers[0]
    removed = timers.removal(cluster.service, failure.symptom)
    due = timers.recovery(cluster.service, failure.symptom)

    with cluster.suffering(failure(server)) as struck:
        for director in cluster.directors:
            director.removes(server, since=struck, until=removed.latest)  # label: removed
    healed = server.serves_again()
    took = [director.adds(server, since=healed, until=due.latest) for director in cluster.directors]

    assert all(seconds.within(due) for seconds in took), took
    assert {request.server for request in cluster.client.fetch(4)} == {
        real_server.page for real_server in cluster.real_servers
    }
