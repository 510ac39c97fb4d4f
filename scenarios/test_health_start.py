"""The first check: when it comes, and what a service holds until then."""

import pytest

from harness.cluster import Cluster
from harness.keepalived import timers
from harness.scenario import topology
from harness.topology import VirtualService
from topologies.health_checks import ALPHA, ALPHA_URLS, LEISURELY, STARTING, HealthChecks

pytestmark = [
    pytest.mark.health,
    topology(HealthChecks, services=STARTING),
]


@pytest.mark.control("alpha forgotten", topology={"alpha": False}, caught="added in time")
@pytest.mark.parametrize(
    "service",
    [
        pytest.param(ALPHA, id="no-warmup"),
        pytest.param(LEISURELY, id="warmup"),
        pytest.param(ALPHA_URLS, id="several-URLs"),
    ],
)
def test_health_alpha_service_is_empty_until_the_first_good_check(
    cluster: Cluster, service: VirtualService
) -> None:
    """Checks begin a second after the start, at random within ``warmup`` (``check_api.c``,
    BOOTSTRAP_DELAY).
    """
    director = cluster.settle().master
    began = director.checking_since()
    due = cluster.within(began + timers.first_check(service))

    for server in cluster.real_servers:
        added = director.adds(
            server, service=service, since=began.earliest, until=due.latest - began.earliest
        )
        assert began.earliest + added in due  # label: added in time
