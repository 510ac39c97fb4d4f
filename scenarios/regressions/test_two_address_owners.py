"""Two routers that are both told to be the address owner: the one of the higher address stays
master.
"""

import pytest

from harness import measures
from harness.cluster import Cluster
from harness.faults import StopKeepalived
from harness.keepalived import timers
from harness.scenario import fresh_topology
from topologies.director_group import DirectorGroup


@pytest.mark.regression(
    "commit aaef636a",
    "an owner that hears another lowers itself to 254, and gives way to the other's 255",
    present="<2.3.3",
    caught=("one reign", "owner"),
)
@fresh_topology(DirectorGroup, priorities=(255, 255), states=("MASTER", "MASTER"))
def test_two_address_owners_leave_the_one_of_the_higher_address_in_office(cluster: Cluster) -> None:
    """Of two masters of one priority the one of the higher address goes on (RFC 3768 and RFC 9568
    section 6.4.3). An owner that starts anew says at once that it is master, and the other has to
    bear it.
    """
    lower, higher = cluster.directors
    cluster.timeline.let_pass(2 * higher.vrrp.advert_int)
    began = cluster.timeline.now()

    with cluster.suffering(StopKeepalived(lower), at_once=True):
        cluster.timeline.let_pass(higher.vrrp.advert_int)
    cluster.timeline.let_pass(2 * timers.master_down_interval(higher.vrrp))
    reigning = measures.reigns(cluster.timeline, higher.vrrp.vrid, since=began)

    assert [tenure.node for tenure in reigning].count(higher.name) == 1  # label: one reign
    assert cluster.owners() == [higher.name]  # label: owner
