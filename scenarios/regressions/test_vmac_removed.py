"""``use_vmac`` may be taken off a master that has a virtual route from its VIP."""

import pytest

from harness.cluster import Cluster
from harness.events import RouteChanged
from harness.scenario import fresh_topology
from topologies.reported import Reported

VMAC = "    use_vmac\n"
CONFIG = f"""
vrrp_instance V1 {{ interface eth0
    virtual_router_id 51
{VMAC}    unicast_peer {{ 172.16.10.12 }}
    virtual_ipaddress {{ 172.16.10.50/32 }}
    virtual_routes {{ 10.9.1.0/24 via 172.16.10.21 dev eth0 src 172.16.10.50 }} }}
"""


@pytest.mark.regression(
    "found by search",
    "the VRRP process dies of a route that goes with the VMAC's address during a reload",
    present=">=2.2",
    caught="nothing dies",
)
@fresh_topology(Reported, read=False, configs=(CONFIG,))
def test_vmac_of_a_master_can_be_removed_by_a_reload(cluster: Cluster) -> None:
    """The kernel deletes the route with the VIP that it comes from, and tells of it.

    ``clear_diff_vrrp`` (``vrrp.c``) has the VMAC deleted, ``netlink_link_del_vmac``
    (``vrrp_vmac.c``) reads what the kernel tells at once, and ``set_vrrp_backup``
    (``keepalived_netlink.c``) makes the new configuration's instance a backup, whose sockets are
    not there before ``vrrp_dispatcher_init`` (``vrrp_scheduler.c``, ``vrrp_thread_requeue_read``).
    It takes unicast, since otherwise an instance without a VMAC is another one, and is not kept.
    """
    (director,) = cluster.directors
    director.does(RouteChanged, action="added", destination="10.9.1.0/24")

    director.reload((VMAC, ""))
    cluster.timeline.let_pass(1.0)

    assert not director.crashes()  # label: nothing dies
