"""A link may come back before keepalived has opened its sockets."""

import signal

import pytest

from harness.cluster import Cluster
from harness.events import AddressChanged, Log
from harness.faults import StopKeepalived, Unplug
from harness.scenario import fresh_topology
from topologies.reported import Reported

VIP = "172.16.10.51"
VMAC = """
vrrp_instance V1 { interface eth0
    virtual_router_id 51
    use_vmac
    virtual_ipaddress { 172.16.10.50/32 } }
"""
KEPT = f"""
vrrp_instance V2 {{ interface eth0
    virtual_router_id 52
    virtual_ipaddress {{ {VIP}/32 }} }}
"""
TOLD = 0.1
"""Seconds in which its parent tells the VRRP process to reload. That is stopped meanwhile, so it
hears of the reload first, and of the link while it reloads.
"""
READ = "Assigned address"
"""It has read what state the interfaces are in, and makes its VMACs next."""


@pytest.mark.regression(
    "#2693",
    "the VRRP process dies of a link that comes back while a reload removes a VMAC",
    present=">=2.2",
    caught="nothing dies",
)
@fresh_topology(Reported, read=False, configs=(VMAC + KEPT,))
def test_link_may_come_back_while_a_vmac_is_removed(cluster: Cluster) -> None:
    """``clear_diff_vrrp`` (``vrrp.c``) has the VMAC deleted, and ``netlink_link_del_vmac``
    (``vrrp_vmac.c``) reads what the kernel tells at once. ``try_up_instance``
    (``vrrp_scheduler.c``) then brings up the instances of the new configuration on that link, and
    ``vrrp_thread_requeue_read`` reads their sockets, which are not there before
    ``vrrp_dispatcher_init``. That is also where ``test_vmac_removed.py`` ends.
    """
    (director,) = cluster.directors
    director.does(AddressChanged, action="added", address=VIP)

    with cluster.suffering(Unplug(director), at_once=True):
        cluster.timeline.let_pass(1.0)
        director.signal_vrrp(signal.SIGSTOP)
        director.reload((VMAC, ""))
        cluster.timeline.let_pass(TOLD)
    director.signal_vrrp(signal.SIGCONT)
    cluster.timeline.let_pass(1.0)

    assert not director.crashes()  # label: nothing dies


@pytest.mark.regression(
    "found by search",
    "the VRRP process dies of a link that comes back while it starts and makes a VMAC",
    present=">=2.3.3",
    caught="nothing dies as it starts",
)
@fresh_topology(Reported, read=False, configs=(VMAC,))
def test_link_may_come_back_while_a_vmac_is_made(cluster: Cluster) -> None:
    """``netlink_link_add_vmac`` reads it as well, and nothing has set down by then which instances
    are in fault (``vrrp_complete_instance``). Until commit a0e88035 such an instance was left with
    one fault less than none, so it did not come up there. A build without nftables waits for
    nothing before it makes its VMAC, and the link then comes too late.
    """
    (director,) = cluster.directors
    director.does(AddressChanged, action="added", address="172.16.10.50")

    with cluster.suffering(Unplug(director), at_once=True):
        with cluster.suffering(StopKeepalived(director), at_once=True):
            pass
        started = director.last_started()

        def has_read() -> bool | None:
            said = cluster.timeline.events(Log, node=director.name, since=started)
            return any(READ in event.line for event in said) or None

        cluster.timeline.wait_until(has_read, started + 3.0, READ)
    cluster.timeline.let_pass(1.0)

    assert not director.crashes()  # label: nothing dies as it starts
