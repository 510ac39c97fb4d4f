"""An address removed from a virtual server group is no longer a virtual service after a reload."""

import pytest

from harness.cluster import Cluster
from harness.events import DestinationChanged, ServiceChanged
from harness.scenario import fresh_topology
from scenarios.regressions.test_group_entry_added import CONFIG, SECOND
from topologies.reported import Reported


@pytest.mark.regression(
    "found by trying",
    "a removed entry stays, a service without servers",
    present="<=2.2.7",
    caught="service removed",
)
@fresh_topology(Reported, read=False, configs=(CONFIG,), real_servers=1)
def test_group_entry_can_be_removed_by_a_reload(cluster: Cluster) -> None:
    """Its destinations go and the service stays, refusing what comes for it (``ipwrapper.c``,
    ``clear_diff_vsge``).
    """
    (director,) = cluster.directors
    director.does(
        DestinationChanged, action="added", address="172.16.10.21:80", service="TCP 172.16.10.51:80"
    )

    reloaded = cluster.timeline.now()
    director.reload((SECOND, ""))

    director.does(
        DestinationChanged,
        action="removed",
        address="172.16.10.21:80",
        service="TCP 172.16.10.51:80",
    )
    cluster.timeline.wait_for(
        ServiceChanged,
        node="director1",
        since=reloaded,
        until=cluster.timeline.now() + cluster.slack,
        action="removed",
        service="TCP 172.16.10.51:80",
    )  # label: service removed
