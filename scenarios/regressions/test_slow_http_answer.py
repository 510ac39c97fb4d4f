"""``connect_timeout`` limits how long a real server may take to answer, however slowly it says
something.
"""

import pytest

from harness.cluster import Cluster
from harness.faults import ChangePage
from harness.keepalived import timers
from harness.scenario import topology
from topologies.health_checks import SLOWLY, HealthChecks


@pytest.mark.regression(
    "#1822",
    "a server that answers a byte at a time is never removed",
    present="",
    caught="removed",
)
@topology(HealthChecks, services=(SLOWLY,))
def test_slow_http_answer_is_given_up(cluster: Cluster) -> None:
    """Each read has ``connect_timeout`` anew (keepalived ``check_http.c``,
    ``http_read_thread``).
    """
    director, fault = (
        cluster.settle().master,
        ChangePage(cluster.real_servers[0], path="/trickle/page", text="." * 400),
    )
    due = timers.removal(SLOWLY, timers.Symptom.SILENT)

    with cluster.suffering(fault) as struck:
        director.removes(
            fault.node, service=SLOWLY, since=struck, until=due.latest
        )  # label: removed
