"""A reload leaves the weight of a real server as it is whose script says that it is well."""

import pytest

from harness.cluster import Cluster
from harness.events import DestinationChanged
from harness.scenario import fresh_topology
from topologies.reported import Reported

SERVER = "172.16.10.21:80"
CONFIG = """
virtual_server 172.16.10.50 80 { lb_kind DR
    delay_loop 2
    protocol TCP
    real_server 172.16.10.21 80 {
        weight 3
        MISC_CHECK { misc_path "/usr/bin/true"
            misc_dynamic
            warmup 0 } } }
"""


@pytest.mark.regression(
    "found by search",
    "a reload gives weight 0 to real servers whose misc_dynamic script ends with 0",
    present=">=2.2",
    caught="keeps its weight",
)
@fresh_topology(Reported, configs=(CONFIG,), real_servers=1)
def test_a_reload_keeps_the_weight_that_a_script_left_alone(cluster: Cluster) -> None:
    """With ``misc_dynamic`` exit status 0 leaves the configured weight (keepalived.conf(5)). At a
    reload ``check_misc.c``, ``migrate_misc_check`` takes that off instead, and no later check puts
    it back, since its status is the same as before. Every such virtual server is without a weight,
    and answers nobody.
    """
    (director,) = cluster.directors
    director.does(DestinationChanged, action="added", address=SERVER)
    cluster.timeline.let_pass(4.0)  # until its script has run twice

    director.reload()
    cluster.timeline.let_pass(6.0)

    (weight,) = director.pool().values()
    assert weight == 3  # label: keeps its weight
