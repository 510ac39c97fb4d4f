"""A master has its virtual routes, or it is no master."""

import pytest

from harness.cluster import Cluster
from harness.events import RouteChanged, StateChanged
from harness.faults import LoseAddress
from harness.scenario import fresh_topology
from topologies.reported import Reported

ROUTE = "10.9.0.0/24"
CONFIG = f"""
vrrp_instance V1 {{ interface eth0
    virtual_router_id 51
    virtual_ipaddress {{ fd00:10::50/128 }}
    virtual_routes {{ {ROUTE} via 172.16.10.100 dev eth0 }} }}
"""
LATER = 30.0


@pytest.mark.regression(
    "found by search",
    "a master of IPv6 addresses does not notice that its IPv4 route went with an IPv4 address",
    present="",
    caught="there or told",
)
@fresh_topology(Reported, read=False, configs=(CONFIG,), tells=True)
def test_a_route_that_goes_with_an_address_comes_back(cluster: Cluster) -> None:
    """keepalived.conf(5), ``no_track``: with that alone an instance stays master though its route
    has gone. The kernel drops the routes of an interface with its last IPv4 address, and says
    nothing (``fib_frontend.c``, ``fib_disable_ip``). Of the address keepalived is told, and looks
    only at the instances of its family (``keepalived_netlink.c``, ``netlink_if_address_filter``).
    A reload sets the route again (``vrrp.c``, ``restore_vrrp_state``).
    """
    (director,) = cluster.directors
    director.does(RouteChanged, action="added", destination=ROUTE)

    with cluster.suffering(LoseAddress(director)) as struck:
        cluster.timeline.let_pass(1.0)
    cluster.timeline.let_pass(LATER)

    resigned = cluster.timeline.events(StateChanged, node=director.name, since=struck)
    assert resigned or ROUTE in director.machine.run(["ip", "route"]).stdout  # label: there or told
