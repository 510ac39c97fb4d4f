"""A checker that starts with ``alpha`` takes whoever does not answer out of the table."""

import pytest

from harness.cluster import Cluster
from harness.events import DestinationChanged
from harness.faults import KillKeepalived, StopHttpd
from harness.scenario import fresh_topology
from topologies.reported import Reported

SERVER = "172.16.10.21:80"
CONFIG = """
virtual_server 172.16.10.50 80 { lb_kind DR
    delay_loop 2
    protocol TCP
    alpha
    real_server 172.16.10.21 80 {
        TCP_CHECK { connect_timeout 1
            retry 0
            warmup 0 } } }
"""
CHECKED = 6.0
"""Seconds after which every check has been done twice."""


@pytest.mark.regression(
    "found by search",
    "with alpha, who is in the table already and does not answer is never taken out of it",
    present="",
    caught="left",
)
@fresh_topology(Reported, configs=(CONFIG,), real_servers=1)
def test_alpha_leaves_nobody_in_the_table_after_a_kill(cluster: Cluster) -> None:
    """A checker with ``alpha`` takes its real server for absent until the first check is good, and
    what a checker that was killed has left in the table is there all the same. A first check that
    fails changes nothing then (``ipwrapper.c``, ``init_service_rs`` and
    ``update_svr_checker_state``), so clients are sent to who does not answer until that has come
    back and failed again. ``lvs_flush`` in ``global_defs`` helps, at the price of all connections.
    """
    (director,), (server,) = cluster.directors, cluster.real_servers
    director.does(DestinationChanged, action="added", address=SERVER)
    cluster.inject(killed := KillKeepalived(director))
    cluster.inject(StopHttpd(server))
    cluster.heal(killed)
    cluster.timeline.let_pass(CHECKED)

    changes = cluster.timeline.events(DestinationChanged, node=director.name, address=SERVER)
    assert [each.action for each in changes] == ["added", "removed"]  # label: left
