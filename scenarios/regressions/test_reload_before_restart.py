"""A reload while a child of keepalived waits to be started again leaves one such child, and not two."""

import pytest

from harness.cluster import Cluster
from harness.events import AddressChanged
from harness.faults import CrashVrrp
from harness.scenario import fresh_topology
from topologies.reported import Reported

CONFIG = """
vrrp_instance V1 { interface eth0
    virtual_router_id 51
    virtual_ipaddress { 172.16.10.50/32 } }
"""
DELAY = 1.0
"""Seconds until a child that has died twice is started again (``core/main.c``, ``calc_restart_delay``)."""


@pytest.mark.regression(
    "found by search", "a child that a reload starts is started again by its timer", present=">=2.1.3", caught="== 2"
)
@fresh_topology(Reported, configs=(CONFIG,))
def test_reload_before_a_delayed_restart_leaves_one_child(cluster: Cluster) -> None:
    """A reload starts a child that is missing (``core/main.c``, ``propagate_signal``), and nothing cancels the timer
    that does so, too (``delayed_restart_vrrp_child_thread``): both speak for one router, and its parent knows one.
    """
    (director,) = cluster.directors
    cluster.wait_done(director, AddressChanged, action="added", address="172.16.10.50")
    for _ in range(2):
        cluster.inject(CrashVrrp(director), at_once=True)
        cluster.timeline.let_pass(DELAY / 2)

    director.reload()
    cluster.timeline.let_pass(2 * DELAY)

    running = [command for command in cluster.processes(director) if "keepalived" in command]
    assert len(running) == 2
