"""From nothing to the first page."""

import pytest

from harness.cluster import Cluster
from topologies.director_pair import DirectorPair


@pytest.mark.topology.with_args(DirectorPair)
def test_first_page(cluster: Cluster) -> None:
    """As soon as somebody holds the VIP and a real server is in the table."""
    cluster.wait_settled()
    (page,) = cluster.fetch(1)
    assert page.status == 200
