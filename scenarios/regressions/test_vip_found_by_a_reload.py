"""An instance that a reload adds is a backup, and holds nothing that was left there."""

import pytest

from harness.cluster import Cluster
from harness.events import AddressChanged
from harness.scenario import fresh_topology
from topologies.reported import Reported

LEFT = "172.16.10.51"
FIRST = """
vrrp_instance V1 { interface eth0
    virtual_router_id 51
    virtual_ipaddress { 172.16.10.50/32 } }
"""
SECOND = f"""
vrrp_instance V2 {{ interface eth0
    virtual_router_id 52
    virtual_ipaddress {{ {LEFT}/32 }} }}
"""


@pytest.mark.regression(
    "found by search",
    "a VIP that is left over when a reload adds its instance stays, though that is a backup",
    present="<2.3.2",
    caught="not held",
)
@fresh_topology(Reported, read=False, configs=(FIRST,))
def test_a_reload_removes_the_vip_of_an_instance_that_it_adds(cluster: Cluster) -> None:
    """Such a VIP is left by a VRRP process that is killed, if the next one reads a file without the
    instance, or with another number for it, where it has a VMAC.

    ``vrrp_init_state`` (``vrrp_scheduler.c``) has a new backup give up only what it has set itself;
    since commit a205e87e it gives up everything. A start does so in any case.
    """
    (director,) = cluster.directors
    director.machine.run(["ip", "address", "add", f"{LEFT}/32", "dev", "eth0"])

    director.reload((FIRST, FIRST + SECOND))
    cluster.timeline.let_pass(1.0)

    changes = cluster.timeline.events(AddressChanged, node=director.name, address=LEFT)
    assert changes[-1].action == "removed"  # label: not held
