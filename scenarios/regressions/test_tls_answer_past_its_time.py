"""An answer by TLS has no longer than ``connect_timeout``, whenever its pieces come."""

import pytest

from harness.clock import Window
from harness.cluster import Cluster
from harness.faults import ChangePage, HangKeepalived
from harness.scenario import topology
from topologies.health_checks import SLOWLY_BY_TLS, HealthChecks

PAGE = "x" * 8192  # which takes 3.6 s to come
PACE = SLOWLY_BY_TLS.checks[0].pace(SLOWLY_BY_TLS.delay_loop)
UNTIL = PACE.timeout + 0.2
"""When a busy keepalived looks again, in seconds after it has connected: its time is up, and
another piece is there.
"""


@pytest.mark.regression(
    "found by trying",
    "an answer by TLS that comes as its time is up is waited for without end",
    present="",
    caught="checked again",
)
@pytest.mark.needs("one connect_timeout for all of an answer by TLS", keepalived="2.2")
@topology(HealthChecks, services=(SLOWLY_BY_TLS,))
def test_tls_answer_in_pieces_is_given_up_by_a_busy_keepalived(cluster: Cluster) -> None:
    """A piece that has come is read first, and what is left of the time is negative then, in an
    unsigned number (keepalived ``check_ssl.c``, ``ssl_read_thread``).
    """
    director, server = cluster.settle().master, cluster.real_servers[0]
    cluster.wait_between_checks(server)

    with cluster.suffering(
        ChangePage(server, path="/trickle/page", text=PAGE), at_once=True
    ) as struck:
        cluster.timeline.let_pass(SLOWLY_BY_TLS.delay_loop / 2 + PACE.timeout - 0.2)
        with cluster.suffering(HangKeepalived(director), heal_at_once=True):
            cluster.timeline.let_pass(0.4)
        cluster.timeline.let_pass(3.6)
    first, *again = director.checked(server, SLOWLY_BY_TLS, since=struck)

    assert again  # label: checked again
    assert again[0] - first in cluster.within(Window(0, UNTIL + PACE.delay_before_retry))
