"""A virtual server of a group that a reload takes out is served no longer, also where
``lvs_flush_on_stop`` has keepalived remove nothing by itself as it ends.
"""

import pytest

from harness.cluster import Cluster
from harness.events import DestinationChanged, ServiceChanged
from harness.scenario import fresh_topology
from topologies.reported import Reported

SERVED = """virtual_server group G { lb_kind DR
    protocol TCP
    real_server 172.16.10.21 80 { weight 1 } }
"""
CONFIG = f"""
global_defs {{ lvs_flush_on_stop }}
virtual_server_group G {{ 172.16.10.50 80
    }}
{SERVED}"""


@pytest.mark.regression(
    "found by search",
    "with lvs_flush_on_stop a group's virtual server that a reload takes out stays, and serves",
    present=">=2.2",
    caught="service removed",
)
@fresh_topology(Reported, read=False, configs=(CONFIG,), real_servers=1)
def test_a_reload_removes_a_group_that_is_flushed_at_the_end(cluster: Cluster) -> None:
    """``clear_service_vs`` (``ipwrapper.c``) leaves real servers to the flush that comes at the
    end, at a reload too, and counts them off the group with ``lvs_flush_on_stop VS`` alone. So the
    entries of the group look used by another virtual server (``ipvswrapper.c``, ``is_vsge_alive``),
    and the service is not deleted.
    """
    (director,) = cluster.directors
    director.does(DestinationChanged, action="added", address="172.16.10.21:80")

    director.reload((SERVED, ""))
    cluster.timeline.let_pass(1.0)

    changes = cluster.timeline.events(ServiceChanged, node=director.name)
    assert changes[-1].action == "removed"  # label: service removed
