"""What a cluster is, and what can be seen of it."""

from __future__ import annotations

from harness.cluster import Cluster
from harness.faults import PowerOff
from harness.nodes import DirectorNode, Node
from harness.scenario import topology
from tests.inside.api.shown import shows
from topologies.director_pair import VIP, DirectorPair
from topologies.phantom_pair import PhantomPair

pytestmark = topology(DirectorPair)


@shows(Cluster.directors, Cluster.real_servers)
def test_the_machines_in_the_topology_s_order(cluster: Cluster) -> None:
    assert [director.name for director in cluster.directors] == ["director1", "director2"]
    assert [server.name for server in cluster.real_servers] == ["web1", "web2"]


@shows(Cluster.client)
def test_the_client(cluster: Cluster) -> None:
    client = cluster.client
    assert client.machine.run(["hostname"]).stdout == "client\n"


@topology(PhantomPair)
@shows(Cluster.phantom)
def test_the_phantom_router(cluster: Cluster) -> None:
    phantom = cluster.phantom
    assert phantom.role.vrrp.vrid == cluster.directors[0].vrrp.vrid


@shows(Cluster.vip, Cluster.vips, Cluster.service)
def test_what_the_cluster_serves(cluster: Cluster) -> None:
    assert cluster.vip == VIP and cluster.vips == [VIP]  # noqa: PT018
    assert cluster.service.name == f"TCP {VIP}:80"


def test_a_failed_assertion_shows_how_the_cluster_stands(cluster: Cluster) -> None:
    cluster.inject(PowerOff(cluster.directors[1]))
    stands = f"director1 (holds {VIP}), director2 (off), web1, web2, client"
    assert repr(cluster) == f"<cluster of {stands}>"
    cluster.heal(PowerOff(cluster.directors[1]))


@shows(Cluster.owners)
def test_who_holds_the_vip(cluster: Cluster) -> None:
    assert cluster.owners() == ["director1"]
    assert cluster.owners("172.16.10.99") == []


@shows(Cluster.unsettled)
def test_what_is_amiss(cluster: Cluster) -> None:
    with cluster.suffering(PowerOff(cluster.real_servers[0])):
        assert cluster.unsettled() == "httpd does not run on web1"


@shows(DirectorNode.pool, DirectorNode.ipvsadm)
def test_a_director_s_table(cluster: Cluster) -> None:
    assert cluster.master.pool() == {"web1": 1, "web2": 1}
    assert list(cluster.master.ipvsadm()) == ["172.16.10.21:80", "172.16.10.22:80"]


@shows(DirectorNode.counted)
def test_connections_by_real_server(cluster: Cluster) -> None:
    cluster.client.fetch(2)
    servers = cluster.master.counted(cluster.service)
    assert [server.weight for server in servers] == [1, 1]


@shows(DirectorNode.statistics)
def test_keepalived_s_own_counters(cluster: Cluster) -> None:
    counters = cluster.master.statistics()
    assert counters["Became master"] == 1


@shows(DirectorNode.raw_drops)
def test_packets_that_the_kernel_kept_from_keepalived(cluster: Cluster) -> None:
    assert cluster.backup.raw_drops() == 0


@shows(Cluster.reached, Cluster.server_of)
def test_who_answered(cluster: Cluster) -> None:
    requests = cluster.client.fetch(2)
    assert sorted(map(str, cluster.reached(requests))) == ["172.16.10.21", "172.16.10.22"]
    assert cluster.server_of(requests[0]) in cluster.real_servers


@shows(DirectorNode.connections, DirectorNode.connection_table)
def test_connections_in_the_director_s_table(cluster: Cluster) -> None:
    (request,) = cluster.client.fetch(1)
    assert request.port in cluster.master.connections()
    assert request.port in {entry.client[1] for entry in cluster.master.connection_table()}


@shows(Node.neighbour)
def test_which_hardware_address_a_machine_knows(cluster: Cluster) -> None:
    cluster.client.fetch(1)
    assert cluster.client.neighbour(cluster.vip) == cluster.master.mac


@shows(Cluster.diagnoses)
def test_misconfigurations_by_name(cluster: Cluster) -> None:
    cluster.client.fetch(1)
    assert cluster.diagnoses(since=cluster.timeline.mark) == []


@shows(Node.said)
def test_what_a_daemon_said(cluster: Cluster) -> None:
    began = cluster.master.reload()
    assert cluster.master.said("Reloading", since=began)


@shows(Node.processes)
def test_what_runs_on_a_machine(cluster: Cluster) -> None:
    commands = cluster.master.processes()
    assert any("keepalived" in command for command in commands)


@shows(Node.martians)
def test_packets_with_an_impossible_source(cluster: Cluster) -> None:
    before = cluster.client.martians()
    cluster.client.fetch(1)
    assert cluster.client.martians() == before


@topology(DirectorPair, notifications=True)
@shows(DirectorNode.notifications)
def test_what_keepalived_tells(cluster: Cluster) -> None:
    cluster.settle(notified=True)
    assert 'INSTANCE "VI_1" MASTER 100' in cluster.master.notifications("fifo")[-1]


@shows(Cluster.path_of)
def test_the_packets_of_a_request(cluster: Cluster) -> None:
    (request,) = cluster.client.fetch(1)
    path = cluster.path_of(request)
    assert [hop.frame.node for hop in path.at(cluster.master)]


@shows(DirectorNode.checked)
def test_when_a_real_server_was_checked(cluster: Cluster) -> None:
    began = cluster.timeline.now()
    cluster.timeline.let_pass(2 * cluster.service.delay_loop)
    assert cluster.master.checked(cluster.real_servers[0], cluster.service, since=began)


@shows(DirectorNode.crashes)
def test_crashes_of_keepalived(cluster: Cluster) -> None:
    assert not cluster.master.crashes()
