"""A real server that is in the table when the checker starts gets the weight that it is to have."""

import signal

import pytest

from harness.cluster import Cluster
from harness.events import DestinationChanged
from harness.faults import KillKeepalived, StopHttpd
from harness.nodes import DirectorNode
from harness.scenario import fresh_topology
from topologies.reported import Reported

SERVER = "172.16.10.21:80"
CONFIG = """
virtual_server 172.16.10.50 80 { lb_kind DR
    delay_loop 2
    protocol TCP
    real_server 172.16.10.21 80 {
        weight 1
        inhibit_on_failure
        TCP_CHECK { connect_timeout 1
            retry 0
            warmup 0 } } }
"""
CHECKED = 6.0
"""Seconds after which every check has been done twice."""


def _weight(cluster: Cluster, director: DirectorNode) -> int | None:
    """What the server weighs in the table now."""
    changes = cluster.timeline.events(DestinationChanged, node=director.name, address=SERVER)
    return changes[-1].weight


@pytest.mark.regression(
    "found by search",
    "a real server that is in the table already is believed to have the configured weight",
    present="",
    caught="weight",
)
@fresh_topology(Reported, configs=(CONFIG,), real_servers=1)
def test_a_weight_that_changed_while_keepalived_was_dead_is_set(cluster: Cluster) -> None:
    """keepalived adds what is there already, and "Destination already exists" counts as added
    (``ipvswrapper.c``, ``ipvs_talk``), with whatever weight. ``lvs_flush`` in ``global_defs``
    helps, at the price of all connections.
    """
    (director,) = cluster.directors
    director.does(DestinationChanged, action="added", address=SERVER)
    heavier = director.config_text().replace(b"weight 1", b"weight 3")

    with cluster.suffering(KillKeepalived(director)):
        director.machine.replace(director.config_file, heavier)
    cluster.timeline.let_pass(CHECKED)

    assert _weight(cluster, director) == 3  # label: weight


@pytest.mark.regression(
    "found by search",
    "a real server that comes back while the checker is started anew gets nothing any more",
    present="",
    caught="weight",
)
@fresh_topology(Reported, configs=(CONFIG,), real_servers=1)
def test_a_checker_that_starts_anew_takes_an_inhibited_server_in(cluster: Cluster) -> None:
    """``inhibit_on_failure`` leaves weight 0. The new checker takes the server for well and its
    weight for set, and no check that succeeds changes that.
    """
    (director,), (server,) = cluster.directors, cluster.real_servers
    director.does(DestinationChanged, action="added", address=SERVER)
    with cluster.suffering(StopHttpd(server)):
        director.does(DestinationChanged, address=SERVER, weight=0)
    checker = int(director.machine.read("/run/checkers.pid"))

    director.machine.kill(checker, signal.SIGKILL)
    cluster.timeline.let_pass(CHECKED)

    assert _weight(cluster, director) == 1  # label: weight
