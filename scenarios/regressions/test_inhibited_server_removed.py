"""A real server that ``inhibit_on_failure`` keeps in the table of a virtual server group goes once
a reload takes it out, and serves once another puts it back.
"""

import pytest

from harness import measures
from harness.cluster import Cluster
from harness.events import DestinationChanged
from harness.faults import StopHttpd
from harness.scenario import fresh_topology
from topologies.reported import Reported

SERVICE = "TCP 172.16.10.50:80"
INHIBIT = "inhibit_on_failure\n        "
SECOND = f"""real_server 172.16.10.22 80 {{ weight 1
        {INHIBIT}TCP_CHECK {{ connect_timeout 1
            retry 0
            warmup 0 }} }}
"""
CONFIG = f"""
virtual_server_group G {{ 172.16.10.50 80
    }}
virtual_server group G {{ lb_kind DR
    delay_loop 2
    protocol TCP
    real_server 172.16.10.21 80 {{ weight 1 }}
    {SECOND}}}
"""
CHECKED = 6.0
"""Seconds after which every check has been done twice."""


def _taken_out(cluster: Cluster) -> None:
    """A reload takes the second real server out while its check fails."""
    (director,) = cluster.directors
    director.does(DestinationChanged, action="added", address="172.16.10.22:80")
    with cluster.suffering(StopHttpd(cluster.real_servers[1])):
        director.does(DestinationChanged, address="172.16.10.22:80", weight=0)
        director.reload((SECOND, ""))
        cluster.timeline.let_pass(1.0)


@pytest.mark.regression(
    "found by search",
    "a reload leaves a real server of a group in the table that has failed and is inhibited",
    present="",
    caught="removed",
)
@fresh_topology(Reported, configs=(CONFIG,), real_servers=2)
def test_a_reload_removes_an_inhibited_server_of_a_group(cluster: Cluster) -> None:
    """``clear_service_rs`` (``ipwrapper.c``) removes who is in the table, and for a group
    ``ipvs_change_needed`` (``ipvswrapper.c``) lets only those be removed who are alive. Where there
    is no group, it goes (keepalived #492).
    """
    _taken_out(cluster)
    table = measures.pool(cluster.timeline, "director1", SERVICE)
    assert table == {"172.16.10.21:80": 1}  # label: removed


@pytest.mark.regression(
    "found by search",
    "a real server of a group that was taken out while it was inhibited comes back with weight 0",
    present="",
    caught="serves again",
)
@fresh_topology(Reported, configs=(CONFIG,), real_servers=2)
def test_an_inhibited_server_of_a_group_serves_once_it_is_back(cluster: Cluster) -> None:
    """It is new to the configuration, so taken for well, and added. "Destination already exists"
    counts as added (``ipvs_talk``), and weight 0 stays until it has failed once more.
    """
    _taken_out(cluster)
    (director,) = cluster.directors
    director.reload()
    cluster.timeline.let_pass(CHECKED)

    table = measures.pool(cluster.timeline, director.name, SERVICE)
    assert table == {"172.16.10.21:80": 1, "172.16.10.22:80": 1}  # label: serves again


@pytest.mark.regression(
    "6f62c222",
    "a reload that takes inhibit_on_failure out leaves a real server of a group with weight 0",
    present="<2.3",
    caught="serves as before",
)
@fresh_topology(Reported, configs=(CONFIG.replace(INHIBIT, ""),), real_servers=2)
def test_a_server_of_a_group_serves_once_its_inhibition_is_taken_out(cluster: Cluster) -> None:
    """It has failed, so ``ipvs_change_needed`` keeps ``clear_diff_rs`` (``ipwrapper.c``) from
    removing it, and it is there already when it is well again.
    """
    director, web = cluster.directors[0], cluster.real_servers[1]
    director.does(DestinationChanged, action="added", address="172.16.10.22:80")
    with cluster.suffering(StopHttpd(web)):
        director.does(DestinationChanged, action="removed", address="172.16.10.22:80")
        director.reload(("weight 1\n        TCP_CHECK", f"weight 1\n        {INHIBIT}TCP_CHECK"))
        cluster.timeline.let_pass(1.0)
        director.reload()
        cluster.timeline.let_pass(1.0)
    cluster.timeline.let_pass(CHECKED)

    table = measures.pool(cluster.timeline, director.name, SERVICE)
    assert table == {"172.16.10.21:80": 1, "172.16.10.22:80": 1}  # label: serves as before
