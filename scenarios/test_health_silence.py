"""Real servers that accept a connection and say nothing in it; and a checker that is left to
its own pace.
"""

import re
from itertools import pairwise

import pytest

from harness.clock import tick
from harness.cluster import Cluster
from harness.events import Log
from harness.faults import ChangePage, HalfOpen, HangHttpd, StopHttpd
from harness.keepalived import timers
from harness.scenario import topology
from scenarios.controls import IMPATIENT, RARELY
from topologies.health_checks import HTTP, SLOWLY, SLOWLY_BY_TLS, TLS, UNHURRIED, HealthChecks

pytestmark = pytest.mark.health

PAGE, TAKES = "x" * 4096, 1.8
"""A page, and how long it takes to come at the least, in seconds: longer than
``connect_timeout``.
"""


@RARELY
@IMPATIENT
@topology(HealthChecks, services=(HTTP,))
def test_health_silent_web_server_is_removed_and_returns(cluster: Cluster) -> None:
    """The kernel of a hung httpd accepts; the answer is waited for as long as the connection
    (``check_http.c``).
    """
    fault = HangHttpd(cluster.real_servers[0])

    left, back = cluster.survives(fault, HTTP)  # label: noticed

    assert left.within(timers.removal(HTTP, fault.symptom))  # label: removed in time
    assert back.within(timers.recovery(HTTP, fault.symptom))


@RARELY
@IMPATIENT
@topology(HealthChecks, services=(TLS,))
def test_health_silent_tls_server_is_removed_and_returns(cluster: Cluster) -> None:
    """The handshake has what is left of ``connect_timeout`` (keepalived ``check_http.c``,
    ``http_check_thread``).
    """
    fault = HangHttpd(cluster.real_servers[0])

    left, back = cluster.survives(fault, TLS)  # label: noticed

    assert left.within(timers.removal(TLS, fault.symptom))  # label: removed in time
    assert back.within(timers.recovery(TLS, fault.symptom))


@RARELY
@IMPATIENT
@topology(HealthChecks, services=(UNHURRIED,))
def test_health_own_defaults_of_http_get(cluster: Cluster) -> None:
    """Left alone, HTTP_GET tries again once, 3 s later, and waits for 5 s
    (``http_get_handler``; ``check_data.c``).
    """
    fault = StopHttpd(cluster.real_servers[0])

    left, back = cluster.survives(fault, UNHURRIED)  # label: noticed

    assert left.within(timers.removal(UNHURRIED, fault.symptom))  # label: removed in time
    assert back.within(timers.recovery(UNHURRIED, fault.symptom))


@RARELY
@IMPATIENT
@topology(HealthChecks, services=(HTTP,))
@pytest.mark.known_defect(
    "keepalived #2271",
    "closing a half-open connection stops all health checks for 5 s",
    present="<2.3.2",
)
def test_health_half_open_connection_stops_all_checks(cluster: Cluster) -> None:
    """SO_LINGER has ``close`` wait 5 s for the request to be acknowledged (``layer4.c``;
    kernel, ``tcp_close``).
    """
    fault = HalfOpen(cluster.real_servers[0])

    left, back = cluster.survives(fault, HTTP)  # label: noticed

    assert left.within(timers.removal(HTTP, fault.symptom, tick=tick()))  # label: removed in time
    assert back.within(timers.recovery(HTTP, fault.symptom, tick=tick()))
    said = cluster.timeline.events(Log, node="director1", since=cluster.timeline.mark)
    assert [
        event
        for event in said
        if re.search(r"A thread timer expired [45]\.\d+ seconds ago", event.line)
    ]


@topology(HealthChecks, services=(SLOWLY,))
@pytest.mark.known_defect(
    "keepalived #1822", "an answer that trickles in may take longer than connect_timeout"
)
@pytest.mark.control(
    "less patient than the gaps", topology={"connect_timeout": 0.15}, caught="both stay"
)
def test_health_trickling_answer_is_waited_for_without_end(cluster: Cluster) -> None:
    """Each read has ``connect_timeout`` anew: while something comes, the check goes on
    (``http_read_thread``).
    """
    director, server = cluster.settle().master, cluster.real_servers[0]

    with cluster.suffering(ChangePage(server, path="/trickle/page", text=PAGE)) as struck:
        cluster.timeline.let_pass(3 * timers.removal(SLOWLY, timers.Symptom.SILENT).latest)
        assert director.pool(SLOWLY) == {"web1": 1, "web2": 1}  # label: both stay
    (_, *asked) = director.checked(server, SLOWLY, since=struck)

    assert len(asked) > 1
    assert min(later - earlier for earlier, later in pairwise(asked)) > SLOWLY.delay_loop + TAKES


@RARELY
@IMPATIENT
@pytest.mark.needs("one connect_timeout for all of an answer by TLS", keepalived="2.2")
@topology(HealthChecks, services=(SLOWLY_BY_TLS,))
def test_health_trickling_answer_by_tls_is_given_up(cluster: Cluster) -> None:
    """By TLS all reads share one ``connect_timeout`` (keepalived ``check_ssl.c``,
    ``ssl_read_thread``).
    """
    director, fault = (
        cluster.settle().master,
        ChangePage(cluster.real_servers[0], path="/trickle/page", text=PAGE),
    )
    due = timers.removal(SLOWLY_BY_TLS, timers.Symptom.SILENT)

    with cluster.suffering(fault) as struck:
        took = director.removes(
            fault.node, service=SLOWLY_BY_TLS, since=struck, until=due.latest
        )  # label: noticed

    assert took.within(due)  # label: removed in time
