"""One cluster over several LANs, and several clusters on one."""

import pytest

from harness import measures
from harness.cluster import Cluster
from harness.events import StateChanged
from harness.faults import PowerOff
from harness.keepalived import timers
from harness.scenario import topology
from topologies.neighbours import Neighbours
from topologies.several_lans import SeveralLans


@pytest.mark.forwarding
@topology(SeveralLans)
@pytest.mark.control(
    "DR, which does not pass a router", topology={"method": "DR"}, caught="distribution"
)
def test_forwarding_by_tun_reaches_real_servers_behind_a_router(cluster: Cluster) -> None:
    """A tunnel needs a route and no common LAN (kernel ``ip_vs_tunnel_xmit``); the answer does
    not come back by it.
    """
    master, router = cluster.settle().master, cluster.nodes["router"]
    sent = cluster.client.fetch(2 * len(cluster.real_servers))

    assert measures.distribution(sent) == {
        server.page: 2 for server in cluster.real_servers
    }  # label: distribution
    for request in sent:
        path, server = cluster.path_of(request), cluster.server_of(request)
        assert path.between(master, router), "the director sends it by the router"
        assert path.between(server, router), "the real server answers by the router"
        assert not path.between(router, master) or not path.between(server, master)


@pytest.mark.ownership
@topology(Neighbours, clusters=3)
@pytest.mark.control(
    "all with the same VRID", topology={"one_vrid": True}, caught="nothing diagnosed"
)
def test_ownership_is_each_clusters_own(cluster: Cluster) -> None:
    """Directors heed advertisements of their own VRID alone (RFC 5798 section 7.1): a neighbour's
    failover moves nothing else, and each VIP is served by its own real servers.
    """
    master, backup, *others = cluster.directors
    assert cluster.settle().master is master
    assert not cluster.diagnoses()  # label: nothing diagnosed
    owners = {vip: cluster.owners(vip) for vip in cluster.vips}
    due = timers.takeover(backup.vrrp, announced=False)

    with cluster.suffering(PowerOff(master)) as struck:
        took = backup.takes(cluster.vip, since=struck, until=due.latest)
        moved = [vip for vip in cluster.vips if cluster.owners(vip) != owners[vip]]
        served = {
            other: cluster.reached(cluster.client.fetch(2, other.role.services[0]))
            for other in others
        }

    assert took.within(due)
    assert moved == [cluster.vip]
    for other, reached in served.items():
        assert not cluster.timeline.events(StateChanged, node=other.name, since=struck)
        assert set(reached) == {own.address for own in other.destinations(other.role.services[0])}
