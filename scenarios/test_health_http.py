"""HTTP_GET and SSL_GET: what counts as an answer, how long a failure takes to be believed, and
a recovery.
"""

from collections.abc import Callable
from functools import partial

import pytest

from harness.cluster import Cluster
from harness.faults import (
    BlackHole,
    ChangePage,
    Fault,
    Impaired,
    RemovePage,
    ResetRequests,
    StopHttpd,
)
from harness.keepalived import timers
from harness.lab.impairment import Impairment
from harness.nodes import RealServerNode
from harness.scenario import topology
from harness.topology import VirtualService
from scenarios.controls import IMPATIENT, RARELY
from topologies.health_checks import (
    DIGEST,
    FAST,
    HTTP,
    STATUS,
    TLS,
    URLS,
    VIRTUALHOST,
    HealthChecks,
)

Failure = Callable[[RealServerNode], Fault[RealServerNode]]

pytestmark = [
    pytest.mark.health,
    topology(HealthChecks),
]

ALONE = topology(
    HealthChecks, services=(HTTP,)
)  # between two checks of one service there is time enough
FAILURES = [
    pytest.param(HTTP, StopHttpd, id="HTTP-refused"),
    pytest.param(HTTP, ResetRequests, id="HTTP-reset"),
    pytest.param(HTTP, BlackHole, id="HTTP-black-hole", marks=ALONE),
    pytest.param(HTTP, RemovePage, id="HTTP-status"),
    pytest.param(DIGEST, partial(ChangePage, path="/digest"), id="digest"),
    pytest.param(STATUS, partial(ChangePage, path="/status"), id="another-status"),
    pytest.param(VIRTUALHOST, partial(RemovePage, path="www.lvs.test/health"), id="virtualhost"),
    pytest.param(URLS, StopHttpd, id="several-URLs"),
    pytest.param(FAST, StopHttpd, id="fast_recovery"),
    pytest.param(TLS, StopHttpd, id="TLS-refused"),
    pytest.param(TLS, ResetRequests, id="TLS-reset"),
]


@RARELY
@IMPATIENT
@pytest.mark.parametrize(("service", "failure"), FAILURES)
def test_health_http_failure_removes_a_server_and_recovery_returns_it(
    cluster: Cluster, service: VirtualService, failure: Failure
) -> None:
    """Each of ``retry`` + 1 attempts must fail, and two good checks bring it back
    (``check_http.c``, ``epilog``).
    """
    fault = failure(cluster.real_servers[0])

    left, back = cluster.survives(fault, service)  # label: noticed

    assert left.within(timers.removal(service, fault.symptom))  # label: removed in time
    assert back.within(timers.recovery(service, fault.symptom))


@RARELY
def test_health_http_one_failing_url_of_several_is_found_in_its_turn(cluster: Cluster) -> None:
    """Of several URLs each is checked in its turn, ``delay_loop`` apart (keepalived
    ``check_http.c``, ``epilog``).
    """
    director, server = cluster.settle().master, cluster.real_servers[0]
    due = timers.removal(URLS, one_url=True)

    with cluster.suffering(RemovePage(server, path="/second")) as struck:
        took = director.removes(
            server, service=URLS, since=struck, until=due.latest
        )  # label: noticed

    assert took.within(due)


@pytest.mark.control(
    "the timeout is shorter", topology={"connect_timeout": 0.2}, caught="both stay"
)
def test_health_http_slow_server_stays(cluster: Cluster) -> None:
    """``connect_timeout`` is for each step, to connect as to answer: what is late by less is
    well.
    """
    director, server = cluster.settle().master, cluster.real_servers[0]
    late = Impairment(delay=0.5)

    with cluster.suffering(Impaired(server, late, arriving=False)):
        cluster.timeline.let_pass(timers.removal(HTTP, timers.Symptom.SILENT).latest)
        assert director.pool(HTTP) == {"web1": 1, "web2": 1}  # label: both stay


@RARELY
def test_health_http_server_slower_than_the_timeout_is_removed(cluster: Cluster) -> None:
    """An answer that comes after ``connect_timeout`` is none (keepalived ``layer4.c``,
    ``tcp_socket_state``). Not even a connection comes about, whose end would have to be
    acknowledged: it is as if nothing came back.
    """
    director, server = cluster.settle().master, cluster.real_servers[0]
    due = timers.removal(HTTP, timers.Symptom.BLACK_HOLE)

    with cluster.suffering(Impaired(server, Impairment(delay=1.2), arriving=False)) as struck:
        took = director.removes(
            server, service=HTTP, since=struck, until=due.latest
        )  # label: noticed

    assert took.within(due)
