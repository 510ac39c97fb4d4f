"""What a master has to discard does not put its own advertisements off."""

from itertools import pairwise

import pytest

from harness.cluster import Cluster
from harness.events import Advertisement, StateChanged
from harness.scenario import fresh_topology
from topologies.reported import Reported

OTHERS = """
vrrp_instance V1 { interface eth0
    virtual_router_id 51
    priority 50
    advert_int 1
    version 3
    virtual_ipaddress { 172.16.10.60/32 } }
"""
CONFIG = OTHERS.replace("version 3", "version 2").replace("172.16.10.60", "172.16.10.50")


@pytest.mark.regression(
    "found by search",
    "a master that discards an advertisement waits anew for its own next one",
    present="",
    caught="each second",
)
@pytest.mark.diagnosis("foreign cluster with the same VRID")
@fresh_topology(Reported, read=False, configs=(OTHERS, CONFIG))
def test_a_master_keeps_its_pace_whatever_it_discards(cluster: Cluster) -> None:
    """Of what a router must discard (RFC 3768 section 7.1: here another version) its timers know
    nothing. keepalived sets the timer of a master anew after each advertisement of its number,
    taken or not (``vrrp_scheduler.c``, ``vrrp_dispatcher_read``), so that whoever sends some more
    often than once a second keeps it silent, and its backup takes over.
    """
    for director in cluster.directors:
        director.does(StateChanged, state="MASTER")
    began = cluster.timeline.now()
    cluster.timeline.let_pass(8.0)

    silent = []
    for director in cluster.directors:
        said = cluster.timeline.events(Advertisement, node=director.name, sent=True, since=began)
        times = [began, *(each.at for each in said), cluster.timeline.now()]
        silent += [later - earlier for earlier, later in pairwise(times)]
    assert max(silent) <= 1.0 + cluster.slack  # label: each second
