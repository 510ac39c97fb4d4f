"""A VIP that a reload gives to a master is announced a second time, as after a takeover."""

import pytest

from harness.cluster import Cluster
from harness.events import AddressChanged, Arp
from harness.scenario import fresh_topology
from topologies.reported import Reported

HERE = "    172.16.10.50/32\n"
LINE = "    172.16.10.51/32\n"
CONFIG = f"""
vrrp_instance V1 {{ interface eth0
    virtual_router_id 51
    garp_master_delay 2
    virtual_ipaddress {{
{HERE}    }} }}
"""
TWICE = 10
"""Five at once, and five ``garp_master_delay`` later (keepalived.conf(5))."""


@pytest.mark.regression(
    "commit 9646fcca",
    "a VIP that a reload adds is announced once, and not again after garp_master_delay",
    present="<2.3.3",
    caught="twice",
)
@fresh_topology(Reported, read=False, configs=(CONFIG,))
def test_a_vip_that_a_reload_adds_is_announced_twice(cluster: Cluster) -> None:
    """Who misses the first block of announcements goes on sending to whoever had the VIP before
    (``vrrp.c``, ``clear_diff_vrrp``).
    """
    (director,) = cluster.directors
    director.does(AddressChanged, action="added", address="172.16.10.50")
    cluster.timeline.let_pass(4.0)

    reloaded = director.reload((HERE, HERE + LINE))
    cluster.timeline.let_pass(4.0)

    announced = cluster.timeline.events(
        Arp, node=director.name, since=reloaded, sent=True, gratuitous=True, sender="172.16.10.51"
    )
    assert len(announced) >= TWICE  # label: twice
