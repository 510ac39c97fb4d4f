"""A script without a weight takes its instance out, be that in a sync group or not."""

import pytest

from harness.cluster import Cluster
from harness.events import AddressChanged
from harness.keepalived import timers
from harness.scenario import fresh_topology
from harness.topology import VrrpScript
from topologies.reported import Reported

SCRIPT = VrrpScript(name="chk", script="/usr/bin/test ! -e /etc/keepalived/down")
CONFIG = f"""
vrrp_script chk {{ script "{SCRIPT.script}"
    interval 1
    user root }}
vrrp_sync_group G {{ group {{ V1
    V2 }} }}
vrrp_instance V1 {{ interface eth0
    virtual_router_id 51
    virtual_ipaddress {{ 172.16.10.50/32 }}
    track_script {{ chk }} }}
vrrp_instance V2 {{ interface eth0
    virtual_router_id 52
    virtual_ipaddress {{ 172.16.10.51/32 }} }}
"""


@pytest.mark.regression(
    "459fc2b9",
    "a sync group's member does not heed its script",
    present="<2.2",
    caught="VIP removed",
)
@fresh_topology(Reported, read=False, configs=(CONFIG,))
@pytest.mark.diagnosis("tracked script fails at rest")
def test_sync_group_member_goes_to_fault_with_its_script(cluster: Cluster) -> None:
    """It says "script chk is not used" instead (keepalived ``vrrp.c``, ``vrrp_complete_init``)."""
    (director,) = cluster.directors
    director.does(AddressChanged, action="added", address="172.16.10.50")

    director.open_maintenance()
    struck = cluster.timeline.now()
    until = struck + timers.script_failure(SCRIPT).latest + cluster.slack

    for vip in ("172.16.10.50", "172.16.10.51"):
        cluster.timeline.wait_for(
            AddressChanged,
            node="director1",
            since=struck,
            until=until,
            action="removed",
            address=vip,
        )  # label: VIP removed
