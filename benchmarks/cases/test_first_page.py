"""From nothing to the first page."""

from harness.cluster import Cluster
from harness.scenario import topology
from topologies.director_pair import DirectorPair


@topology(DirectorPair)
def test_first_page(cluster: Cluster) -> None:
    """As soon as somebody holds the VIP and a real server is in the table."""
    cluster.settle()
    (page,) = cluster.client.fetch(1)
    assert page.status == 200
