"""A backup has no virtual routes, also if it was master when it was killed."""

import pytest

from harness.cluster import Cluster
from harness.events import RouteChanged, StateChanged
from harness.faults import KillKeepalived
from harness.scenario import fresh_topology
from topologies.reported import Reported

ROUTE = "10.9.0.0/24"
CONFIG = f"""
vrrp_instance V1 {{ interface eth0
    virtual_router_id 51
    nopreempt
    virtual_ipaddress {{ 172.16.10.50/32 }}
    virtual_routes {{ {ROUTE} via 172.16.10.100 dev eth0 }} }}
"""


@pytest.mark.regression(
    "commit a205e87e",
    "a master that is killed and comes back as a backup keeps its virtual routes",
    present="<2.3.2",
    caught="no route",
)
@fresh_topology(Reported, configs=(CONFIG, CONFIG))
def test_a_master_that_was_killed_gives_its_routes_up(cluster: Cluster) -> None:
    """keepalived takes the VIPs away that it finds when it starts, but of the routes only those
    that it knows to have set (``vrrp.c``, ``vrrp_restore_interface``, which passes ``false`` on as
    ``force``; ``vrrp_iproute.c``, ``netlink_rtlist``).
    """
    master = cluster.settle().master
    other = cluster.backup

    with cluster.suffering(KillKeepalived(master)) as struck:
        other.does(RouteChanged, since=struck, action="added", destination=ROUTE)
    master.does(StateChanged, since=struck, state="BACKUP")
    cluster.timeline.let_pass(1.0)

    assert ROUTE not in master.machine.run(["ip", "route"]).stdout  # label: no route
