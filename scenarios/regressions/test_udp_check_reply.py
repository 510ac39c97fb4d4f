"""With ``require_reply`` a server that answers ``UDP_CHECK`` is taken in, and again after it
was silent.
"""

import pytest

from harness.cluster import Cluster
from harness.faults import StopDnsmasq
from harness.keepalived import timers
from harness.scenario import topology
from topologies.health_checks import REPLY, HealthChecks


@pytest.mark.regression(
    "found by trying",
    "a server whose reply UDP_CHECK requires is never taken in",
    present="<2.2",
    caught="taken in",
)
@topology(HealthChecks, services=(REPLY,))
def test_udp_check_takes_in_a_server_that_replies(cluster: Cluster) -> None:
    """It fails once, says "UDP connection success", and leaves it at that (keepalived
    ``check_udp.c``).
    """
    fault = StopDnsmasq(cluster.real_servers[0])

    _, back = cluster.survives(fault, REPLY)  # label: taken in

    assert back.within(timers.recovery(REPLY, fault.symptom))
