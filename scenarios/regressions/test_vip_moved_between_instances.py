"""A VIP that moves from one VRRP instance to another is not lost by the reload."""

import pytest

from harness.cluster import Cluster
from harness.events import AddressChanged
from harness.scenario import fresh_topology
from topologies.reported import Reported

LINE = "    172.16.10.52/32\n"
HERE = "    172.16.10.50/32\n"
CONFIG = f"""
vrrp_instance V1 {{ interface eth0
    virtual_router_id 51
    virtual_ipaddress {{
{HERE}    }} }}
vrrp_instance V2 {{ interface eth0
    virtual_router_id 52
    virtual_ipaddress {{
    172.16.10.51/32
{LINE}    }} }}
"""


@pytest.mark.regression(
    "found by search",
    "a VIP that moves to an earlier instance is added, and then removed as one of the later",
    present="",
    caught="held",
)
@fresh_topology(Reported, read=False, configs=(CONFIG,))
def test_a_vip_may_move_to_an_earlier_instance(cluster: Cluster) -> None:
    """The instances are compared one after the other, and each is given its new VIPs before those
    that the next one has no more are taken away (``vrrp.c``, ``clear_diff_vrrp``). The director
    advertises what it does not hold, so nobody does, until it resigns.
    """
    (director,) = cluster.directors
    director.does(AddressChanged, action="added", address="172.16.10.52")

    director.reload((LINE, ""), (HERE, HERE + LINE))
    cluster.timeline.let_pass(1.0)

    changes = cluster.timeline.events(AddressChanged, node=director.name, address="172.16.10.52")
    assert changes[-1].action == "added"  # label: held
