"""TCP_CHECK, and what does not depend on the checker: retries, several checkers,
``inhibit_on_failure``.
"""

from dataclasses import replace

import pytest

from harness.cluster import Cluster
from harness.faults import BlackHole, DropTcp, Fault, HalfOpen, HangHttpd, RemovePage, StopHttpd
from harness.keepalived import timers
from harness.nodes import RealServerNode
from harness.scenario import topology
from harness.topology import HttpGet, VirtualService
from scenarios.controls import IMPATIENT, RARELY
from topologies.health_checks import BOTH, CONNECTIONS, EAGER, INHIBITED, PATIENT, TCP, HealthChecks

pytestmark = [
    pytest.mark.health,
    topology(HealthChecks, services=CONNECTIONS),
]

ALONE = topology(
    HealthChecks, services=(TCP,)
)  # between two checks of one service there is time enough
DEAD = pytest.mark.control("httpd is dead", fault=StopHttpd, node="web1", caught="settles")


@RARELY
@IMPATIENT
@pytest.mark.parametrize(
    ("service", "failure"),
    [
        pytest.param(TCP, StopHttpd, id="refused"),
        pytest.param(TCP, DropTcp, id="firewalled", marks=ALONE),
        pytest.param(TCP, BlackHole, id="black-hole", marks=ALONE),
        pytest.param(PATIENT, StopHttpd, id="four-retries"),
    ],
)
def test_health_tcp_failure_removes_a_server_and_recovery_returns_it(
    cluster: Cluster, service: VirtualService, failure: type[Fault[RealServerNode]]
) -> None:
    """Each of ``retry`` + 1 connections must fail, and a good one brings it back
    (``check_tcp.c``, ``tcp_epilog``).
    """
    fault = failure(cluster.real_servers[0])

    left, back = cluster.survives(fault, service)  # label: noticed

    assert left.within(timers.removal(service, fault.symptom))  # label: removed in time
    assert back.within(timers.recovery(service, fault.symptom))


@RARELY
@pytest.mark.control("tries again", topology={"retry": 3}, caught="noticed")
def test_health_without_retry_the_first_failure_removes(cluster: Cluster) -> None:
    """With ``retry 0`` a server leaves at the first connection that fails (keepalived
    ``check_tcp.c``).
    """
    left, _ = cluster.survives(StopHttpd(cluster.real_servers[0]), EAGER)  # label: noticed

    assert left.within(timers.removal(EAGER))


@DEAD
@pytest.mark.parametrize("failure", [HangHttpd, HalfOpen], ids=lambda fault: fault.__name__)
def test_health_tcp_is_content_with_a_connection(
    cluster: Cluster, failure: type[Fault[RealServerNode]]
) -> None:
    """The kernel accepts for a hung httpd: TCP_CHECK asks for no more, and the server stays
    (``check_tcp.c``).
    """
    director, server = cluster.settle().master, cluster.real_servers[0]  # label: settles

    with cluster.suffering(failure(server)):
        cluster.timeline.let_pass(timers.removal(TCP, timers.Symptom.BLACK_HOLE).latest)
        assert director.pool(TCP) == {"web1": 1, "web2": 1}


@RARELY
@pytest.mark.control(
    "no inhibit_on_failure", topology={"inhibit_on_failure": False}, caught="noticed"
)
def test_health_inhibited_server_stays_with_weight_0(cluster: Cluster) -> None:
    """``inhibit_on_failure``: no new connections, while those there are live on
    (``ipwrapper.c``; ``ip_vs_rr.c``).
    """
    director, server = cluster.settle().master, cluster.real_servers[0]
    removed, returned = timers.removal(INHIBITED), timers.recovery(INHIBITED)

    with cluster.suffering(StopHttpd(server)) as struck:
        left = director.weighs(
            server, 0, service=INHIBITED, since=struck, until=removed.latest
        )  # label: noticed
        assert {request.server for request in cluster.client.fetch(4, INHIBITED)} == {"web2"}
    healed = server.serves_again()
    back = director.weighs(server, 1, service=INHIBITED, since=healed, until=returned.latest)

    assert left.within(removed)
    assert back.within(returned)


@RARELY
def test_health_one_failing_checker_of_two_removes_a_server(cluster: Cluster) -> None:
    """A real server is alive while none of its checkers has failed (``check_api.c``,
    ``update_svr_checker_state``).
    """
    director, server = cluster.settle().master, cluster.real_servers[0]
    (page,) = (check for check in BOTH.checks if isinstance(check, HttpGet))
    alone = replace(BOTH, check=page)
    removed, returned = timers.removal(alone), timers.recovery(alone)

    with cluster.suffering(RemovePage(server, path="/both")) as struck:
        left = director.removes(
            server, service=BOTH, since=struck, until=removed.latest
        )  # label: noticed
    back = director.adds(server, service=BOTH, since=cluster.healed(), until=returned.latest)

    assert left.within(removed)
    assert back.within(returned)


@RARELY
def test_health_server_returns_when_the_last_of_its_checkers_is_content(cluster: Cluster) -> None:
    """Both fail; TCP_CHECK is content at once, and HTTP_GET, the slower, decides
    (``check_api.c``).
    """
    director, server = cluster.settle().master, cluster.real_servers[0]
    first, last = (replace(BOTH, check=check) for check in BOTH.checks)

    with cluster.suffering(StopHttpd(server)) as struck:
        director.removes(
            server, service=BOTH, since=struck, until=timers.removal(first).latest
        )  # label: noticed
        cluster.timeline.let_pass(timers.removal(last).latest)
    healed = server.serves_again()
    due = timers.recovery(last)
    back = director.adds(server, service=BOTH, since=healed, until=due.latest)

    assert back.within(due)
