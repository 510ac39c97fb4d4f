"""Machines that are director and real server at once: the loop of two that balance, and what
cures it.
"""

import pytest

from harness.cluster import Cluster
from harness.faults import HangKeepalived, PowerOff
from harness.keepalived import timers
from harness.scenario import topology
from topologies.two_nodes import TwoNodes

pytestmark = pytest.mark.forwarding

BY_MAC = pytest.mark.needs("mac in firewalls", kernel="CONFIG_NETFILTER_XT_MATCH_MAC")
CURES = [
    pytest.param("mac", marks=[topology(TwoNodes, cure="mac"), BY_MAC]),
    pytest.param("backup_only", marks=topology(TwoNodes, cure="backup_only")),
]
TTL = 64


@topology(TwoNodes)
@pytest.mark.diagnosis("director loop")
@pytest.mark.control("the backup does not balance", topology={"cure": "mac"}, caught="loops")
def test_forwarding_loops_where_both_machines_balance(cluster: Cluster) -> None:
    """The backup has the table as well, and its IPVS sees first what the master forwards to it.
    Where its own scheduler chooses the master, that one knows the connection and sends it back: the
    packet goes to and fro until its TTL, which each forwarding lowers, is used up (kernel
    ``ip_vs_dr_xmit``), and the client is told that there is no way.
    """
    master, backup = cluster.settle()
    requests = cluster.client.fetch(8)
    lost = [request for request in requests if request.status == 0]
    good = [request for request in requests if request.status == 200]

    assert lost  # label: loops
    assert good
    assert {request.error for request in lost} == {"No route to host"}
    path = cluster.path_of(lost[0])
    to_and_fro = [*path.between(master, backup), *path.between(backup, master)]
    assert sorted(packet.ttl for packet in to_and_fro) == list(range(1, TTL))
    assert not [
        packet for request in good for packet in cluster.path_of(request).between(backup, master)
    ]
    assert [each.name for each in cluster.diagnoses()] == ["director loop"]


@pytest.mark.parametrize("cure", CURES)
@pytest.mark.control("no cure", topology={"cure": None}, caught="answers")
@pytest.mark.control("the backup hangs", fault=HangKeepalived, node="node2", caught="takes over")
def test_forwarding_does_not_loop_with_a_cure(cluster: Cluster, cure: str) -> None:
    """``mac``: the backup's IPVS does not know what has no firewall mark, and what comes from the
    other machine is given none. ``backup_only``: it is silent while the sync daemon is a backup's.
    Either way the new master balances.
    """
    master, backup = cluster.settle()
    requests = cluster.client.fetch(8)
    assert [request.status for request in requests] == [200] * 8  # label: answers
    assert {request.server for request in requests} == {master.name, backup.name}
    for request in requests:
        assert not cluster.path_of(request).between(backup, master)
    assert not cluster.diagnoses()

    with cluster.suffering(PowerOff(master)) as struck:
        takeover = timers.takeover(backup.vrrp, announced=False)
        backup.takes(cluster.vip, since=struck, until=takeover.latest)  # label: takes over
        answers = {request.server for request in cluster.client.fetch(2)}
    assert answers - {None} == {backup.name}


@topology(TwoNodes, cure="backup_only")
@pytest.mark.control(
    "one machine for one client", topology={"scheduler": "sh"}, caught="both serve"
)
def test_forwarding_to_itself_sends_nothing(cluster: Cluster) -> None:
    """What IPVS gives to the machine it runs on goes to the local httpd (``ip_vs_null_xmit``): no
    packet of it is on any other machine's wire, and the other machine's share is what passes
    between the two.
    """
    master, backup = cluster.settle()
    requests = cluster.client.fetch(4)
    own = [request for request in requests if request.server == master.name]
    others = [request for request in requests if request.server == backup.name]

    assert len(own) == len(others) == 2  # label: both serve
    assert not [packet for request in own for packet in cluster.path_of(request).at(backup)]
    assert all(cluster.path_of(request).between(master, backup) for request in others)
