"""A script or a file without a weight takes its instance out, be that in a sync group or not."""

import pytest

from harness.cluster import Cluster
from harness.events import AddressChanged
from harness.keepalived import timers
from harness.scenario import fresh_topology
from harness.topology import VrrpScript
from topologies.reported import Reported

SCRIPT = VrrpScript(name="chk", script="/usr/bin/test ! -e /etc/keepalived/down")
VIPS = ("172.16.10.50", "172.16.10.51")
SCRIPTED = f"""
vrrp_script chk {{ script "{SCRIPT.script}"
    interval 1
    user root }}
"""
FILED = """
track_file claims { file /run/claims
    weight 0
    init_file 0 }
"""
GROUP = f"""
vrrp_sync_group G {{ group {{ V1
    V2 }} }}
vrrp_instance V1 {{ interface eth0
    virtual_router_id 51
    virtual_ipaddress {{ {VIPS[0]}/32 }}
    %s }}
vrrp_instance V2 {{ interface eth0
    virtual_router_id 52
    virtual_ipaddress {{ {VIPS[1]}/32 }} }}
"""


@pytest.mark.regression(
    "459fc2b9",
    "a sync group's member does not heed its script",
    present="<2.2",
    caught="VIP removed",
)
@fresh_topology(Reported, read=False, configs=(SCRIPTED + GROUP % "track_script { chk }",))
@pytest.mark.diagnosis("tracked script fails at rest")
def test_sync_group_member_goes_to_fault_with_its_script(cluster: Cluster) -> None:
    """It says "script chk is not used" instead (keepalived ``vrrp.c``, ``vrrp_complete_init``): the
    list of the scripts of whoever is in a sync group, or owns its addresses, is emptied once those
    with a weight are out of it (``vrrp_complete_instance``).
    """
    (director,) = cluster.directors
    director.does(AddressChanged, action="added", address=VIPS[0])

    director.open_maintenance()
    struck = cluster.timeline.now()
    until = struck + timers.script_failure(SCRIPT).latest + cluster.slack

    for vip in VIPS:
        cluster.timeline.wait_for(
            AddressChanged,
            node="director1",
            since=struck,
            until=until,
            action="removed",
            address=vip,
        )  # label: VIP removed


@pytest.mark.regression(
    "569e6833",
    "a sync group's member does not heed its tracked file",
    present="<2.2.2",
    caught="VIP of the file removed",
)
@fresh_topology(Reported, read=False, configs=(FILED + GROUP % "track_file { claims }",))
def test_sync_group_member_goes_to_fault_with_its_file(cluster: Cluster) -> None:
    """The lists of files, interfaces and BFD sessions are emptied in the same place, and were left
    so when that of the scripts was mended (keepalived ``vrrp.c``, ``vrrp_complete_instance``).
    """
    (director,) = cluster.directors
    director.does(AddressChanged, action="added", address=VIPS[0])

    director.machine.write("/run/claims", "1\n")
    struck = cluster.timeline.now()

    for vip in VIPS:
        director.does(  # label: VIP of the file removed
            AddressChanged, since=struck, action="removed", address=vip
        )
