"""``unicast_src_ip`` may be missing as keepalived reads its configuration, and be there later."""

import pytest

from harness.cluster import Cluster
from harness.events import AddressChanged
from harness.faults import LoseAddress, StopKeepalived
from harness.scenario import fresh_topology
from topologies.reported import VIP, Reported

VIP6, SOURCE6 = "fd00:10::50", "fd00:10::11"
CONFIG = """
vrrp_instance V1 {{ interface eth0
    virtual_router_id 51
    unicast_src_ip {source}
    unicast_peer {{ {peer} }}
    virtual_ipaddress {{ {vip} }} }}
"""
CONFIG4 = CONFIG.format(source="172.16.10.11", peer="172.16.10.12", vip=f"{VIP}/32")
CONFIG6 = CONFIG.format(source=SOURCE6, peer="fd00:10::12", vip=f"{VIP6}/128")


@pytest.mark.regression(
    "#2502",
    "the VRRP process dies of a reload if it is master and its unicast_src_ip is gone",
    present="<2.3.3",
    caught="nothing dies",
)
@fresh_topology(Reported, read=False, configs=(CONFIG4,))
def test_a_master_without_its_source_address_may_reload(cluster: Cluster) -> None:
    """bind(2) fails, and ``open_sockpool_socket`` (``vrrp.c``) calls ``down_instance``, so that the
    master resigns: ``vrrp_send_pkt`` reads the instance's socket, which ``vrrp_set_fds``
    (``vrrp_scheduler.c``) sets only afterwards. The address may also go with the link while
    keepalived reads its configuration, if it is of IPv6. Commit ef63de22 sends nothing without a
    socket, and b48f005a lets bind(2) take an address that is not there.
    """
    (director,) = cluster.directors
    director.does(AddressChanged, action="added", address=VIP)

    with cluster.suffering(LoseAddress(director)):
        director.reload()
        cluster.timeline.let_pass(1.0)

    assert not director.crashes()  # label: nothing dies


@pytest.mark.regression(
    "found by search",
    "a unicast_src_ip that is missing as keepalived reads its configuration is missed for ever",
    present="<2.3.3",
    caught="master again",
)
@pytest.mark.parametrize("read", ["by a reload", "at a start"])
@fresh_topology(Reported, read=False, configs=(CONFIG6,))
def test_an_instance_leaves_fault_once_its_source_address_is_back(
    cluster: Cluster, read: str
) -> None:
    """The kernel forgets the IPv6 addresses of an interface that is set down. Its instance has one
    fault for the interface, and ``open_sockpool_socket`` (``vrrp.c``) counts a second one for
    bind(2). Nothing counts that back: for an address that comes, ``netlink_if_address_filter``
    (``keepalived_netlink.c``) looks for instances without one, and this has its configured one; and
    nothing opens the socket again, which ``update_added_interface`` (``vrrp_if.c``) does for a new
    interface. So it stays in fault until a reload. #1847 tells of such addresses; commit b48f005a
    mends it.
    """
    (director,) = cluster.directors
    come = ["ip", "address", "replace", f"{SOURCE6}/64", "dev", "eth0"]
    director.machine.run(come)
    director.reload()
    director.does(AddressChanged, action="added", address=VIP6)

    director.machine.run(["ip", "link", "set", "eth0", "down"])
    cluster.timeline.let_pass(1.0)
    if read == "by a reload":
        director.reload()
    else:
        with cluster.suffering(StopKeepalived(director), at_once=True):
            pass
    cluster.timeline.let_pass(3.0)
    director.machine.run(["ip", "link", "set", "eth0", "up"])
    director.machine.run(come)

    director.does(  # label: master again
        AddressChanged, since=cluster.timeline.now(), action="added", address=VIP6
    )
