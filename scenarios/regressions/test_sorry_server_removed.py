"""A sorry server may be taken out of the configuration while it is all that serves."""

import pytest

from harness.cluster import Cluster
from harness.events import DestinationChanged
from harness.faults import StopHttpd
from harness.keepalived import timers
from harness.scenario import fresh_topology
from topologies.reported import Reported
from topologies.searched import Searched

SORRY = "sorry_server 172.16.10.22 80"
CONFIG = f"""
virtual_server 172.16.10.50 80 {{ lb_kind DR
    protocol TCP
    {SORRY}
    real_server 172.16.10.21 81 {{ TCP_CHECK {{ connect_timeout 1
        retry 0
        warmup 0 }} }} }}
"""


@pytest.mark.regression(
    "7cfb502b",
    "the checker dies of the removal of an active sorry server",
    present="==2.3.3",
    caught="nothing dies",
)
@pytest.mark.diagnosis("health check fails at rest")
@fresh_topology(Reported, read=False, configs=(CONFIG,), real_servers=2)
def test_sorry_server_in_use_can_be_removed_by_a_reload(cluster: Cluster) -> None:
    """The old configuration's sorry server is freed before it is taken out of the table."""
    (director,) = cluster.directors
    director.does(DestinationChanged, action="added", address="172.16.10.22:80")

    director.reload((SORRY, ""))
    director.does(DestinationChanged, action="removed", address="172.16.10.22:80")

    assert not director.crashes()  # label: nothing dies


@pytest.mark.regression(
    "764d7734",
    "who is well does not serve when a reload takes out the sorry server that serves instead",
    present="<2.3",
    caught="who is well serves",
)
@fresh_topology(Searched, quorum=3, sorry=True)
def test_who_is_well_serves_without_a_sorry_server(cluster: Cluster) -> None:
    """Without a sorry server the quorum keeps nobody from serving (keepalived ``ipwrapper.c``,
    ``update_quorum_state``).
    """
    director = cluster.settle().master
    apology = f"{cluster.nodes['sorry'].ip}:80"

    with cluster.suffering(StopHttpd(cluster.real_servers[0])):
        director.does(DestinationChanged, action="added", address=apology)
        director.reload((f"sorry_server {apology.replace(':', ' ')}", ""))
        director.does(DestinationChanged, action="removed", address=apology)
        # A checker that dies of that, as that of 2.3.3 does, has checked anew by then.
        cluster.timeline.let_pass(1.0 + timers.removal(director.service).latest)
        assert director.pool() == {"web2": 1, "web3": 1}  # label: who is well serves
