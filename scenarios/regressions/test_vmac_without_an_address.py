"""``use_vmac`` with IPv6 takes an interface that is down, and has no address, as it finds it."""

import pytest

from harness.cluster import Cluster
from harness.events import AddressChanged
from harness.faults import StopKeepalived
from harness.scenario import fresh_topology
from topologies.reported import Reported

VIP = "fd00:10::50"
CONFIG = f"""
vrrp_instance V1 {{ interface eth0
    use_vmac
    virtual_router_id 51
    virtual_ipaddress {{ {VIP}/128 }} }}
"""


@pytest.mark.regression(
    "#2275",
    "an IPv6 address that is missing as keepalived reads its configuration is missed for ever",
    present=">=2.2.3,<2.3.3",
    caught="master again",
)
@pytest.mark.parametrize("read", ["by a reload", "at a start"])
@fresh_topology(Reported, read=False, configs=(CONFIG,))
def test_an_instance_leaves_fault_once_its_interface_is_up(cluster: Cluster, read: str) -> None:
    """The kernel forgets the IPv6 addresses of an interface that is set down, so its instance is in
    fault for want of one (``vrrp_track.c``, ``initialise_vrrp_tracking_priorities``). When the
    address is back, ``netlink_if_address_filter`` (``keepalived_netlink.c``) copies it to the
    instance and to its VMAC, and does not call ``try_up_instance`` for it; when it is told of the
    one of the VMAC, the instance has one already. So it stays in fault, until it reads its
    configuration again. Without a VMAC the function does call it; IPv4 addresses stay, and all do
    where only the cable is pulled. Commit 4c7a94a4 brought it, and f7c08052 mended it.
    """
    (director,) = cluster.directors
    director.does(AddressChanged, action="added", address=VIP)

    director.machine.run(["ip", "link", "set", "eth0", "down"])
    if read == "by a reload":
        director.reload()
    else:
        with cluster.suffering(StopKeepalived(director), at_once=True):
            pass
    cluster.timeline.let_pass(3.0)
    director.machine.run(["ip", "link", "set", "eth0", "up"])

    director.does(  # label: master again
        AddressChanged, since=cluster.timeline.now(), action="added", address=VIP
    )
