"""``sorry_server_inhibit`` keeps the sorry server in the table, and no longer than it is said."""

import pytest

from harness import measures
from harness.cluster import Cluster
from harness.scenario import fresh_topology
from topologies.reported import Reported

SORRY = "sorry_server 172.16.10.22 80"
TABLE = "TCP 172.16.10.50:80"
INHIBIT = "sorry_server_inhibit"
CONFIG = f"""
virtual_server 172.16.10.50 80 {{ lb_kind DR
    protocol TCP
    {SORRY}
    real_server 172.16.10.21 80 {{ TCP_CHECK {{ connect_timeout 1
        retry 0
        warmup 0 }} }} }}
"""


@pytest.mark.regression(
    "930fe989",
    "a sorry server stays when a reload takes sorry_server_inhibit out again",
    present="<2.3",
    caught="it is gone",
)
@fresh_topology(Reported, read=False, configs=(CONFIG,), real_servers=2)
def test_sorry_server_goes_with_its_inhibition(cluster: Cluster) -> None:
    """Whoever is inhibited is in the table with weight 0 while it does not serve
    (keepalived.conf(5)); who is not, is not (``ipwrapper.c``, ``clear_diff_s_srv``).
    """
    (director,) = cluster.directors
    cluster.timeline.let_pass(2.0)

    director.reload((SORRY, f"{SORRY}\n    {INHIBIT}"))
    cluster.timeline.let_pass(2.0)
    director.reload()
    cluster.timeline.let_pass(2.0)

    table = measures.pool(cluster.timeline, director.name, TABLE)
    assert table == {"172.16.10.21:80": 1}  # label: it is gone
