"""A script may be named by a path with symbolic links in it, as ``/bin`` is one in every
present distribution.
"""

import pytest

from harness.cluster import Cluster
from harness.events import AddressChanged
from harness.keepalived import timers
from harness.scenario import fresh_topology
from harness.topology import VrrpInstance
from topologies.reported import Reported

INSTANCE = VrrpInstance(vrid=51, vip="172.16.10.50")
CONFIG = """
vrrp_script chk { script "/bin/false"
    interval 1
    user root }
vrrp_instance V1 { interface eth0
    virtual_router_id 51
    virtual_ipaddress { 172.16.10.50/32 }
    track_script { chk } }
"""


@pytest.mark.regression(
    "found by trying",
    "a script below a symbolic link is not run",
    present=">2.2.7",
    caught="no VIP",
)
@fresh_topology(Reported, read=False, configs=(CONFIG,))
@pytest.mark.diagnosis("tracked script fails at rest")
def test_script_below_a_symbolic_link_is_run(cluster: Cluster) -> None:
    """It says "Wrong file type found in script path", and the instance is master whatever the
    script says.
    """
    cluster.let_pass(timers.cold_start(INSTANCE))

    assert not cluster.timeline.events(
        AddressChanged, action="added", address=INSTANCE.vips[0]
    )  # label: no VIP
