"""A sorry server that is in the table when the checker starts leaves it again."""

import pytest

from harness.cluster import Cluster
from harness.events import DestinationChanged
from harness.faults import KillKeepalived, StopHttpd
from harness.scenario import fresh_topology
from topologies.reported import Reported

SERVER, SORRY = "172.16.10.21:80", "172.16.10.22:80"
CONFIG = """
virtual_server 172.16.10.50 80 { lb_kind DR
    delay_loop 2
    protocol TCP
    sorry_server 172.16.10.22 80
    real_server 172.16.10.21 80 {
        TCP_CHECK { connect_timeout 1
            retry 0
            warmup 0 } } }
"""
CHECKED = 6.0
"""Seconds after which every check has been done twice."""


@pytest.mark.regression(
    "found by search",
    "a sorry server that is in the table already is never taken out of it",
    present="",
    caught="left",
)
@fresh_topology(Reported, configs=(CONFIG,), real_servers=2)
def test_a_sorry_server_leaves_the_table_after_a_kill(cluster: Cluster) -> None:
    """A checker that starts takes the real servers for well and the sorry server for absent; what
    does not count as alive is not deleted (``ipwrapper.c``, ``update_quorum_state``). It has its
    share of the requests then, until the last real server fails and comes back. ``lvs_flush`` in
    ``global_defs`` helps, at the price of all connections.
    """
    (director,), (server, _) = cluster.directors, cluster.real_servers
    director.does(DestinationChanged, action="added", address=SERVER)
    with cluster.suffering(StopHttpd(server)):
        director.does(DestinationChanged, action="added", address=SORRY)
        cluster.inject(killed := KillKeepalived(director))
    cluster.heal(killed)
    cluster.timeline.let_pass(CHECKED)

    changes = cluster.timeline.events(DestinationChanged, node=director.name, address=SORRY)
    assert [each.action for each in changes] == ["added", "removed"]  # label: left
