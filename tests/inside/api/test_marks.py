"""The marks that scenarios bear."""

from __future__ import annotations

import pytest

from harness.cluster import Cluster
from harness.events import Advertisement
from harness.faults import StopHttpd
from harness.scenario import topology
from tests.inside.api.shown import shows
from topologies.director_pair import DirectorPair

pytestmark = topology(DirectorPair)


@shows("mark needs")
@pytest.mark.needs("VRRP version 3", keepalived="2.0", program="ipvsadm")
def test_what_a_scenario_needs(cluster: Cluster) -> None:
    cluster.settle()


@shows("mark known_defect")
@pytest.mark.known_defect("commit 0123abc", "what it does wrong", present="<1.0")
def test_a_defect_that_all_versions_here_lack(cluster: Cluster) -> None:
    cluster.settle()


@shows("mark control")
@pytest.mark.control("a real server is down", fault=StopHttpd, node="web1", caught="settles")
def test_a_scenario_with_a_control(cluster: Cluster) -> None:
    cluster.settle()  # label: settles


@shows("mark regression")
@pytest.mark.regression("commit 0123abc", "what misbehaves", present="<1.0", caught="settles")
def test_a_bug_that_no_version_here_has(cluster: Cluster) -> None:
    cluster.settle()  # label: settles


@shows("mark core")
@pytest.mark.core
def test_what_runs_in_real_time_as_well(cluster: Cluster) -> None:
    cluster.settle()


@shows("mark diagnosis")
@topology(DirectorPair, edits={"director1": (("172.16.10.50/32", "172.16.10.50/16"),)})
@pytest.mark.diagnosis("VIP with the wrong prefix")
def test_a_cluster_that_is_misconfigured_on_purpose(cluster: Cluster) -> None:
    cluster.settle()
    assert [found.name for found in cluster.diagnoses()] == ["VIP with the wrong prefix"]


@shows("mark rule")
@pytest.mark.rule("RFC 3768 5.2.3 (MUST)", "one whose TTL is not 255 is discarded")
def test_what_a_failure_is_to_be_read_by(cluster: Cluster) -> None:
    cluster.settle()
    advertisement = cluster.timeline.events(Advertisement, node="director1", sent=True)[-1]
    assert advertisement.ttl == 255
