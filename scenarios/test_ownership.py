"""VIP ownership: one director owns the VIP, the one with the higher priority, from the first
election on.
"""

from itertools import pairwise

import pytest

from harness import measures
from harness.clock import Window
from harness.cluster import Cluster
from harness.faults import StopHttpd
from harness.keepalived import timers
from harness.scenario import fresh_topology, topology
from topologies.director_pair import DirectorPair

pytestmark = [pytest.mark.ownership, topology(DirectorPair)]


@pytest.mark.control(
    "the other has the higher priority", topology={"priorities": (90, 100)}, caught="becomes master"
)
@fresh_topology(DirectorPair)
def test_ownership_goes_to_the_higher_priority(cluster: Cluster) -> None:
    """Both start as backups (RFC 3768 section 6.4.1); the shorter skew of the higher priority
    ends its wait first.
    """
    first, second = cluster.directors
    due = timers.cold_start(first.vrrp, second.vrrp)

    candidate = first.candidate_since()
    took = first.announces(
        cluster.vip, since=candidate.latest, until=due.latest
    )  # label: becomes master

    assert took.happened_within(candidate + due)
    assert not measures.split_brain(cluster.timeline, first.vrrp.vrid)


@pytest.mark.control(
    "two VRIDs", config={"director2": ("router_id 51", "router_id 52")}, caught="one master"
)
@fresh_topology(DirectorPair, priorities=(200, 50))  # whose skews differ by more than their starts
def test_ownership_is_never_shared_from_the_first_election_on(cluster: Cluster) -> None:
    """The backup hears the master's advertisements and stays silent.

    Had the lower priority been started first, by more than the difference of the skews, it would
    own the VIP until the higher one preempts it; but never are there two owners, or none.
    """
    assert cluster.settle().master is cluster.directors[0]
    cluster.timeline.let_pass(timers.master_down_interval(cluster.backup.vrrp))

    tenures = measures.ownership(
        cluster.timeline, cluster.vip, cluster.settle().master.vrrp.interface
    )  # label: one master

    assert tenures[-1].node == cluster.master.name
    assert tenures[-1].until is None
    for earlier, later in pairwise(tenures):
        assert earlier.until is not None
        assert later.since in cluster.within(Window.exactly(earlier.until))
    assert not measures.split_brain(cluster.timeline, cluster.master.vrrp.vrid)


@pytest.mark.control("a real server is down", fault=StopHttpd, node="web1", caught="settles")
def test_ownership_means_both_tables_hold_both_real_servers(cluster: Cluster) -> None:
    """A backup that had to fill its table first would serve nobody after a takeover."""
    assert cluster.settle().master is cluster.directors[0]  # label: settles
    wanted = {f"{server.ip}:{cluster.service.port}": 1 for server in cluster.real_servers}

    for director in cluster.directors:
        assert measures.pool(cluster.timeline, director.name, cluster.service.name) == wanted
        assert director.ipvsadm() == wanted
