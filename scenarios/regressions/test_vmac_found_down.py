"""``use_vmac`` takes an interface that an earlier run has left, be that up or down."""

import pytest

from harness.cluster import Cluster
from harness.events import AddressChanged
from harness.faults import KillKeepalived
from harness.scenario import fresh_topology
from topologies.reported import Reported

VIP = "172.16.10.50"
CONFIG = f"""
vrrp_instance V1 {{ interface eth0
    use_vmac
    virtual_router_id 51
    virtual_ipaddress {{ {VIP}/32 }} }}
"""


@pytest.mark.regression(
    "found by search",
    "an interface of use_vmac that is left over and down is never set up, and means FAULT",
    present="",
    caught="master again",
)
@fresh_topology(Reported, read=False, configs=(CONFIG,))
def test_a_vmac_that_is_left_over_is_set_up(cluster: Cluster) -> None:
    """A VRRP process creates its interface, and sets it up only afterwards (``vrrp_vmac.c``,
    ``netlink_link_add_vmac``), so one that is killed as it starts leaves it down. The next one
    finds it and marks it as up without a look at its flags, for which that function is not called
    again (``vrrp.c``, ``vrrp_complete_instance``, ``VRRP_VMAC_UP_BIT``). A reload does not help;
    ``ip link set vrrp.51 up`` does.
    """
    (director,) = cluster.directors
    director.does(AddressChanged, action="added", address=VIP)

    with cluster.suffering(KillKeepalived(director)):
        director.machine.run(["ip", "link", "set", "vrrp.51", "down"])
    cluster.timeline.let_pass(10.0)

    addresses = director.machine.run(["ip", "address", "show", "up"]).stdout
    assert f" {VIP}/32 " in addresses  # label: master again
