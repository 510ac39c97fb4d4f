"""A reload while a child of keepalived waits to be started again leaves one such child, and not
two.
"""

import signal

import pytest

from harness.cluster import Cluster
from harness.events import AddressChanged
from harness.scenario import fresh_topology
from topologies.reported import Reported

CONFIG = """
vrrp_instance V1 { interface eth0
    virtual_router_id 51
    virtual_ipaddress { 172.16.10.50/32 } }
virtual_server 172.16.10.50 80 { lb_kind DR
    protocol TCP
    real_server 172.16.10.21 80 { weight 1 } }
"""
DELAY = 1.0
"""Seconds until a child that has died twice is started again (``core/main.c``,
``calc_restart_delay``).
"""
RUNNING = 3
"""keepalived, and its children for VRRP and for checks."""


@pytest.mark.regression(
    "found by search",
    "a child that a reload starts is started again by its timer",
    present=">=2.1",
    caught="one child",
)
@pytest.mark.parametrize(
    ("child", "asked"),
    [("vrrp", signal.SIGHUP), ("checkers", signal.SIGHUP), ("checkers", signal.SIGUSR1)],
)
@fresh_topology(Reported, read=False, configs=(CONFIG,))
def test_a_child_that_waits_is_started_once(
    cluster: Cluster, child: str, asked: signal.Signals
) -> None:
    """A reload starts a child that is missing, and nothing cancels the timer that does so, too
    (``core/main.c``, ``propagate_signal``; ``vrrp_daemon.c``,
    ``delayed_restart_vrrp_child_thread``). Both speak for one router or write one table, and the
    parent knows one. Where checks are to run, the signal to dump data does the same.
    """
    (director,) = cluster.directors
    director.does(AddressChanged, action="added", address="172.16.10.50")
    for _ in range(2):
        director.machine.kill(int(director.machine.read(f"/run/{child}.pid")), signal.SIGKILL)
        cluster.timeline.let_pass(DELAY / 2)

    director.process().send_signal(asked)
    cluster.timeline.let_pass(2 * DELAY)

    running = [command for command in director.processes() if command.startswith("keepalived")]
    assert len(running) == RUNNING  # label: one child
