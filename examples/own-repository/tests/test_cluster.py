"""What this cluster has to do: all that any has to, and one thing of its own."""

from harness.behaviours.conftest import configured, parts  # noqa: F401 - the fixtures of the scenarios below
from harness.behaviours.test_configuration import *  # noqa: F403
from harness.behaviours.test_election import *  # noqa: F403
from harness.behaviours.test_services import *  # noqa: F403
from harness.faults import StopKeepalived
from harness.keepalived import timers


def test_an_orderly_stop_costs_less_than_a_second(cluster):
    """Before an upgrade of lb1 its keepalived is stopped: lb2 has the VIP within a second."""
    master, backup = cluster.settle()
    due = timers.takeover(backup.vrrp, announced=True)

    with cluster.suffering(StopKeepalived(master)) as struck:
        took = backup.takes(cluster.vip, since=struck, until=due.latest)

    assert took < 1
