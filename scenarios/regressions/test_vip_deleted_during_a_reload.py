"""A VIP may be deleted while a reload makes a VMAC."""

import signal

import pytest

from harness.cluster import Cluster
from harness.events import AddressChanged
from harness.scenario import fresh_topology
from topologies.reported import Reported

VIP = "172.16.10.51"
NUMBER = "virtual_router_id 50"
CONFIG = f"""
vrrp_instance V1 {{ interface eth0
    {NUMBER}
    use_vmac
    virtual_ipaddress {{ 172.16.10.50/32 }} }}
vrrp_instance V2 {{ interface eth0
    virtual_router_id 51
    virtual_ipaddress {{ {VIP}/32 }} }}
"""
RESTS = 0.5
"""Seconds in which a new master sets its VIPs and reads what the kernel tells of them. What is told
later is read together with what it has not read yet.
"""
TOLD = 0.1
"""Seconds in which its parent tells the VRRP process to reload. That is stopped meanwhile, so it
hears of the reload first, and of the VIP while it reloads.
"""


@pytest.mark.regression(
    "found by search",
    "a master never sets a VIP again that is deleted while a reload makes the VMAC of another",
    present="",
    caught="set again",
)
@fresh_topology(Reported, read=False, configs=(CONFIG,))
def test_vip_may_be_deleted_while_a_vmac_is_made(cluster: Cluster) -> None:
    """``netlink_link_add_vmac`` (``vrrp_vmac.c``) reads what the kernel tells at once, while the
    instances of the new configuration are being completed. None of them is master before
    ``vrrp_complete_init`` (``vrrp.c``) has completed them all, so the VIP is nobody's
    (``address_is_ours``, ``keepalived_netlink.c``). In the old configuration it still counts as
    set, ``address_exist`` (``vrrp_ipaddress.c``) copies that, and ``restore_vrrp_state`` adds only
    what is not set. Where no VMAC is made, this is read after the reload, and the VIP is set again.
    """
    (director,) = cluster.directors
    director.does(AddressChanged, action="added", address=VIP)
    cluster.timeline.let_pass(RESTS)

    director.signal_vrrp(signal.SIGSTOP)
    director.reload((NUMBER, "virtual_router_id 60"))
    cluster.timeline.let_pass(TOLD)
    director.machine.run(["ip", "address", "del", f"{VIP}/32", "dev", "eth0"])
    director.signal_vrrp(signal.SIGCONT)
    cluster.timeline.let_pass(5.0)

    changes = cluster.timeline.events(AddressChanged, node=director.name, address=VIP)
    assert changes[-1].action == "added"  # label: set again
