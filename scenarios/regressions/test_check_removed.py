"""A real server whose check is taken out of the configuration is well from then on, and the quorum
counts all real servers.
"""

import pytest

from harness import measures
from harness.cluster import Cluster
from harness.events import DestinationChanged
from harness.faults import StopHttpd
from harness.scenario import fresh_topology
from topologies.reported import Reported

CHECK = "TCP_CHECK { connect_timeout 1\nretry 0\nwarmup 0 }"
ADDRESSES = [f"172.16.10.{number}" for number in (21, 22, 23)]


def _config(quorum: int, checked: int, more: str = "") -> str:
    """Three real servers, of which one is checked, and a sorry server."""
    servers = "\n".join(
        f"real_server {ip} 80 {{ weight 1\n{CHECK if number == checked else ''} }}"
        for number, ip in enumerate(ADDRESSES)
    )
    return f"""virtual_server 172.16.10.50 80 {{ lb_kind DR
        delay_loop 2
        protocol TCP
        quorum {quorum}
        {more}
        sorry_server 172.16.10.24 80
        {servers} }}"""


def _without_its_check(cluster: Cluster, number: int) -> dict[str, int]:
    """The table after a reload takes out the check of a real server that has failed."""
    (director,), failed = cluster.directors, f"{ADDRESSES[number]}:80"
    director.does(DestinationChanged, action="added", address=failed)
    with cluster.suffering(StopHttpd(cluster.real_servers[number])):
        director.does(DestinationChanged, action="removed", address=failed)
        director.reload((CHECK, ""))
    cluster.timeline.let_pass(4.0)
    return measures.pool(cluster.timeline, director.name, "TCP 172.16.10.50:80")


@pytest.mark.regression(
    "found by search",
    "a reload counts only the real servers that it has come to, and brings the sorry server in",
    present="",
    caught="the quorum stays",
)
@fresh_topology(Reported, configs=(_config(quorum=2, checked=0),), real_servers=4)
def test_a_quorum_is_not_lost_when_a_failed_check_is_taken_out(cluster: Cluster) -> None:
    """``ipwrapper.c``, ``clear_diff_rs`` gives one real server after another its old state, and
    ``migrate_checkers`` computes the quorum while the others have none. That the sorry server has
    come ``clear_diff_s_srv`` then overwrites, so that it stays, and who was put out for it as well.
    """
    table = _without_its_check(cluster, 0)
    assert table == {f"{ip}:80": 1 for ip in ADDRESSES}  # label: the quorum stays


@pytest.mark.regression(
    "found by search",
    "a quorum that is gained in the middle of a reload leaves the sorry server in the table",
    present="",
    caught="the sorry server goes",
)
@fresh_topology(Reported, configs=(_config(quorum=3, checked=2),), real_servers=4)
def test_the_sorry_server_goes_when_a_failed_check_is_taken_out(cluster: Cluster) -> None:
    """When ``migrate_checkers`` gains the quorum, the sorry server of the new configuration is not
    known to serve: ``clear_diff_s_srv`` comes later. Those who were put out for it stay out. Where
    no quorum is gained, the real server serves beside it (keepalived #2428).
    """
    table = _without_its_check(cluster, 2)
    assert table == {f"{ip}:80": 1 for ip in ADDRESSES}  # label: the sorry server goes


@pytest.mark.regression(
    "found by search",
    "a reload that takes alpha out before the first check leaves the sorry server in the table",
    present="",
    caught="the sorry server goes at once",
)
@fresh_topology(Reported, read=False, configs=(_config(3, 2, "alpha"),), real_servers=4)
def test_the_sorry_server_goes_when_alpha_is_taken_out(cluster: Cluster) -> None:
    """All real servers are well from then on, and the same code gains the quorum."""
    (director,) = cluster.directors
    director.reload(("alpha\n", "\n"))
    cluster.timeline.let_pass(4.0)

    table = measures.pool(cluster.timeline, director.name, "TCP 172.16.10.50:80")
    assert table == {f"{ip}:80": 1 for ip in ADDRESSES}  # label: the sorry server goes at once
