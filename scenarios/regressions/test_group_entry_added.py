"""An address added to a virtual server group is served after a reload, and nothing dies of it."""

import pytest

from harness.cluster import Cluster
from harness.events import DestinationChanged
from harness.scenario import fresh_topology
from topologies.reported import Reported

CONFIG = """
virtual_server_group G { 172.16.10.50 80
    172.16.10.51 80
    }
virtual_server group G { lb_kind DR
    protocol TCP
    real_server 172.16.10.21 80 { weight 1 } }
"""
SECOND = "    172.16.10.51 80\n"


@pytest.mark.regression(
    "found by trying",
    "the checker dies of an entry added to a group",
    present=">2.2.7",
    caught="nothing dies",
)
@fresh_topology(Reported, read=False, configs=(CONFIG.replace(SECOND, ""),), real_servers=1)
def test_group_entry_can_be_added_by_a_reload(cluster: Cluster) -> None:
    """The new entry's part is compared with an old one that is not there (``ipwrapper.c``)."""
    (director,) = cluster.directors
    director.does(DestinationChanged, action="added", address="172.16.10.21:80")

    director.reload(("172.16.10.50 80\n", f"172.16.10.50 80\n{SECOND}"))
    director.does(
        DestinationChanged, action="added", address="172.16.10.21:80", service="TCP 172.16.10.51:80"
    )

    assert not director.crashes()  # label: nothing dies
