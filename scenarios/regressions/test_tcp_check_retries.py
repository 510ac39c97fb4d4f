"""A real server that is out already is checked every ``delay_loop``, and not retried each time
as if it were in.
"""

from itertools import pairwise

import pytest

from harness.cluster import Cluster
from harness.keepalived import timers
from harness.scenario import fresh_topology
from harness.topology import TcpCheck, VirtualService
from topologies.health_checks import HealthChecks

WEB = VirtualService(
    "172.16.10.50", 87, delay_loop=6, check=TcpCheck(retry=3, delay_before_retry=1, warmup=0)
)
LATEST = timers.first_check(WEB).latest + timers.removal(WEB).latest


@pytest.mark.regression(
    "77dad708",
    "TCP_CHECK retries a server that is down already",
    present="<2.3.3",
    caught="every delay_loop",
)
@fresh_topology(HealthChecks, services=(WEB,))
def test_tcp_check_of_a_removed_server_keeps_to_the_delay_loop(cluster: Cluster) -> None:
    """``retry`` is for a server that seems well (keepalived ``check_tcp.c``, ``tcp_epilog``)."""
    director, server = cluster.directors[0], cluster.real_servers[0]
    server.stop()
    removed = director.removes(server, since=cluster.timeline.mark, until=LATEST, service=WEB)
    since = cluster.timeline.mark + removed
    cluster.timeline.let_pass(4 * WEB.delay_loop)

    gaps = [
        later - earlier for earlier, later in pairwise(director.checked(server, WEB, since=since))
    ]

    assert len(gaps) >= 3
    assert cluster.on_time(gaps, [WEB.delay_loop] * len(gaps))  # label: every delay_loop
