"""``use_vmac`` may be taken off a master that has unicast peers."""

import pytest

from harness.cluster import Cluster
from harness.events import AddressChanged
from harness.scenario import fresh_topology
from topologies.reported import VIP, Reported

VMAC = "    use_vmac\n"
CONFIG = f"""
vrrp_instance V1 {{ interface eth0
    virtual_router_id 51
{VMAC}    unicast_peer {{ 172.16.10.12 }}
    virtual_ipaddress {{ {VIP}/32 }} }}
"""


@pytest.mark.regression(
    "found by search",
    "the VIP goes with the VMAC that a reload removes, and nobody holds it",
    present=">=2.2",
    caught="held by the parent",
)
@fresh_topology(Reported, read=False, configs=(CONFIG,))
def test_vip_of_a_removed_vmac_is_held_by_its_parent(cluster: Cluster) -> None:
    """keepalived goes on as master, and advertises an address that it does not have.

    ``compare_ipaddress`` (``vrrp_ipaddress.c``) takes an address on the VMAC and one on the
    interface below it for the same, so ``clear_diff_vrrp`` (``vrrp.c``) counts the VIP as set. The
    kernel deletes it with the VMAC (``netlink_link_del_vmac``, ``vrrp_vmac.c``), and
    ``restore_vrrp_state`` adds only what is not set. It takes unicast, since otherwise an instance
    without a VMAC is another one (``vrrp_exist``), and becomes master anew.
    """
    (director,) = cluster.directors
    director.does(AddressChanged, action="added", address=VIP)

    director.reload((VMAC, ""))
    cluster.timeline.let_pass(1.0)

    changes = cluster.timeline.events(AddressChanged, node=director.name, address=VIP)
    last = changes[-1]
    assert (last.action, last.interface) == ("added", "eth0")  # label: held by the parent
