"""Large farms: all real servers healthy, and each serves."""

from harness import measures
from harness.cluster import Cluster
from harness.scenario import topology
from topologies.farm import Farm


def _serves(cluster: Cluster) -> None:
    cluster.settle()
    sent = cluster.client.fetch(len(cluster.real_servers))
    assert measures.distribution(sent) == {server.page: 1 for server in cluster.real_servers}
    assert not cluster.recorder.dropped


@topology(Farm, real_servers=200)
def test_farm_of_200(cluster: Cluster) -> None:
    """Every one in its turn."""
    _serves(cluster)


@topology(Farm, real_servers=500)
def test_farm_of_500(cluster: Cluster) -> None:
    """Every one in its turn."""
    _serves(cluster)
