"""A priority that changes leaves the timers of the other instances on its socket alone."""

from itertools import pairwise

import pytest

from harness.cluster import Cluster
from harness.events import Advertisement
from harness.faults import Unplug, WriteNumber
from harness.scenario import fresh_topology
from harness.topology import TrackedFile
from topologies.reported import Reported

FILE = TrackedFile(name="number", path="/run/number")
MASTER = """
vrrp_instance V1 { interface eth0
    virtual_router_id 51
    priority 250
    version 3
    advert_int 4
    virtual_ipaddress { 172.16.10.50/32 } }
"""
BACKUP = """
track_file number { file /run/number
    weight 1
    init_file 0 }
vrrp_instance V1 { interface eth0
    virtual_router_id 51
    priority 200
    version 3
    advert_int 4
    track_file { number }
    virtual_ipaddress { 172.16.10.50/32 } }
vrrp_instance V2 { interface eth0
    virtual_router_id 52
    advert_int 1
    virtual_ipaddress { 172.16.10.51/32 } }
"""
DUE = 3 * 4 + 4 * (256 - 200) / 256
"""Seconds after which the backup takes over; with a priority of 10, 3 s later."""
LEFT = 0.1


@pytest.mark.regression(
    "found by search",
    "a backup whose priority falls keeps the masters on its socket from advertising",
    present="",
    caught="each second",
)
@fresh_topology(Reported, configs=(MASTER, BACKUP))
def test_a_priority_that_falls_silences_no_other_instance(cluster: Cluster) -> None:
    """A new priority moves the timer of a backup, which stays where it was in the order of its
    socket's timers (keepalived ``vrrp_track.c``, ``vrrp_set_effective_priority``, which lacks the
    ``rb_move_cached`` of ``vrrp_init_instance_sands``). ``vrrp_compute_timer`` takes that of the
    first, so that a backup that was to be the next to act, and is not any more, holds up the rest.
    Until then, or until something is heard, a master is silent: here of V2, for nearly 3 s.
    """
    master, backup = cluster.settle()

    def times(sent: bool, vrid: int) -> list[float]:
        said = cluster.timeline.events(Advertisement, node=backup.name, sent=sent)
        return [each.at for each in said if each.vrid == vrid]

    with cluster.suffering(Unplug(master), at_once=True):
        due = times(sent=False, vrid=51)[-1] + DUE
        cluster.timeline.let_pass(due - LEFT - cluster.timeline.now())
        with cluster.suffering(WriteNumber(backup, FILE, -190), at_once=True):
            cluster.timeline.let_pass(5.0)

    silent = [later - earlier for earlier, later in pairwise(times(sent=True, vrid=52))]
    assert max(silent) <= 1.0 + cluster.slack  # label: each second
