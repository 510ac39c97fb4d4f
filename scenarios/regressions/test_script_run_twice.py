"""A tracked script that still runs is not run once more."""

import pytest

from harness.cluster import Cluster
from harness.scenario import fresh_topology
from topologies.reported import Reported

CONFIG = """
global_defs { script_user root }
vrrp_script chk { script "/usr/bin/sleep 60"
    interval 1
    timeout 30 }
vrrp_instance V1 { interface eth0
    virtual_router_id 51
    track_script { chk }
    virtual_ipaddress { 172.16.10.50/32 } }
"""


@pytest.mark.regression(
    "commit 94d40e3b",
    "a tracked script that is still running is run once more each interval",
    present="<2.3.3",
    caught="one at a time",
)
@fresh_topology(Reported, read=False, configs=(CONFIG,))
def test_a_script_that_still_runs_is_not_run_once_more(cluster: Cluster) -> None:
    """The log has "expect idle - skipping run", and the function goes on (``vrrp_scheduler.c``,
    ``vrrp_script_thread``). On a slow machine the runs pile up, and the end of one counts for
    another.
    """
    (director,) = cluster.directors
    cluster.timeline.let_pass(4.0)

    running = director.machine.run(["pidof", "sleep"]).stdout.split()
    assert len(running) == 1  # label: one at a time
