"""A real server of weight 0 is in the table with weight 0, so that it gets nothing new."""

import pytest

from harness.cluster import Cluster
from harness.events import DestinationChanged
from harness.scenario import fresh_topology
from topologies.reported import Reported

CONFIG = """
virtual_server 172.16.10.50 80 { lb_kind DR
    protocol TCP
    real_server 172.16.10.21 80 { weight 0 } }
"""


@pytest.mark.regression("#1757", "weight 0 becomes weight 1", present="<2.2", caught="weight")
@fresh_topology(Reported, read=False, configs=(CONFIG,), real_servers=1)
def test_weight_zero_is_weight_zero(cluster: Cluster) -> None:
    """Weight 0 is for draining (ipvsadm(8), ``--weight``)."""
    (director,) = cluster.directors

    added = director.does(DestinationChanged, action="added", address="172.16.10.21:80")

    assert added.weight == 0  # label: weight
