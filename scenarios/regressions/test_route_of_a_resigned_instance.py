"""A backup has none of its virtual routes, however soon after it was given them it has resigned."""

import pytest

from harness.cluster import Cluster
from harness.events import RouteChanged, StateChanged
from harness.scenario import fresh_topology
from topologies.reported import Reported

ROUTE = "10.9.0.0/24"
ONE, OTHER, NONE = "virtual_router_id 51", "virtual_router_id 52", "virtual_router_id 53"
CONFIG = f"""
vrrp_instance V1 {{ interface eth0
    {ONE}
    use_vmac vrrp.51
    virtual_ipaddress {{ fd00:10::50/128 }}
    virtual_routes {{ {ROUTE} via 172.16.10.100 dev eth0 }} }}
vrrp_instance V2 {{ interface eth0
    {OTHER}
    use_vmac vrrp.52
    virtual_ipaddress {{ fd00:10::51/128 }} }}
"""
SOON = 0.3
"""Seconds, less than its Skew_Time, after which it takes over again."""


@pytest.mark.regression(
    "found by search",
    "an instance that resigns before the kernel has told of its route leaves the route there",
    present=">=2.3.2",
    caught="gone",
)
@fresh_topology(Reported, read=False, configs=(CONFIG,), tells=True)
def test_an_instance_that_resigns_at_once_takes_its_route_away(cluster: Cluster) -> None:
    """Each instance has the other's number from a reload on. It takes the VIP of V1 away as one of
    51, and sets VIP and route anew as those of 52. Then keepalived hears of the VIP that went, and
    V1 resigns. A route is taken away that is known to be there (``vrrp_iproute.c``,
    ``netlink_rtlist``), and that keepalived hears only afterwards (``keepalived_netlink.c``,
    ``netlink_route_filter``).
    """
    (director,) = cluster.directors
    director.does(RouteChanged, action="added", destination=ROUTE)
    director.does(StateChanged, instance="V2", state="MASTER")
    cluster.timeline.let_pass(1.0)

    director.reload((ONE, NONE), (OTHER, ONE), (NONE, OTHER))
    cluster.timeline.let_pass(SOON)

    said = cluster.timeline.events(StateChanged, node=director.name, instance="V1")[-1].state
    routed = ROUTE in director.machine.run(["ip", "route"]).stdout
    assert routed == (said == "MASTER")  # label: gone
