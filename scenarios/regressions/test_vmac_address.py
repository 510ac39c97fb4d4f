"""With ``use_vmac`` the VIP is on the interface with the virtual hardware address, named by its
parent or not.
"""

import pytest

from harness.cluster import Cluster
from harness.events import AddressChanged
from harness.scenario import fresh_topology
from topologies.reported import Reported

CONFIG = """
vrrp_instance V1 { interface eth0
    use_vmac
    virtual_router_id 51
    virtual_ipaddress { 172.16.10.50/32 dev eth0 } }
"""


@pytest.mark.regression(
    "found by trying",
    "a VIP with the parent's name stays on the parent",
    present="<2.2",
    caught="on the VMAC",
)
@fresh_topology(Reported, read=False, configs=(CONFIG,))
def test_vmac_holds_the_vip_that_names_its_parent(cluster: Cluster) -> None:
    """On the parent it is answered for with the director's own address, and moves with the
    master (RFC 5798, 7.3).
    """
    (director,) = cluster.directors

    held = director.does(AddressChanged, action="added", address="172.16.10.50")

    assert held.interface == "vrrp.51"  # label: on the VMAC
