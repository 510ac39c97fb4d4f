"""What is done to a cluster."""

from __future__ import annotations

from harness import measures
from harness.cluster import Cluster
from harness.events import DaemonChanged
from harness.faults import PowerOff, StopHttpd
from harness.ipvs.schedulers import Flow
from harness.nodes import ClientNode, DirectorNode, Node, PhantomNode
from harness.nodes.phantom import Advertise, Resign, Silence
from harness.scenario import topology
from tests.inside.api.shown import shows
from topologies.director_pair import DirectorPair
from topologies.phantom_pair import PhantomPair
from topologies.quorum_pool import QuorumPool

pytestmark = topology(DirectorPair)


@shows(Cluster.suffering)
def test_a_fault_for_a_while(cluster: Cluster) -> None:
    with cluster.suffering(PowerOff(cluster.master)) as struck:
        assert struck <= cluster.timeline.now()


@shows(Cluster.inject, Cluster.heal)
def test_a_fault_and_its_end(cluster: Cluster) -> None:
    fault = PowerOff(cluster.backup)
    assert cluster.inject(fault) < cluster.heal(fault)


@shows(Cluster.survives)
def test_a_real_server_that_fails_and_comes_back(cluster: Cluster) -> None:
    removed, returned = cluster.survives(StopHttpd(cluster.real_servers[0]))
    assert removed > 0 and returned > 0  # noqa: PT018


@topology(QuorumPool)
@shows(Cluster.failing)
def test_while_a_checker_fails(cluster: Cluster) -> None:
    with cluster.failing(cluster.service, "web1", "web2"):
        assert {request.server for request in cluster.client.fetch(3)} == {"web3"}


@shows(Node.target, Node.fetch)
def test_requests(cluster: Cluster) -> None:
    assert cluster.client.target(path="/health").address == cluster.vip
    assert [request.status for request in cluster.client.fetch(2)] == [200, 200]


@topology(PhantomPair)
@shows(PhantomNode.play, Advertise, Silence, Resign)
def test_a_speaker_by_script(cluster: Cluster) -> None:
    last = cluster.phantom.play(Advertise(times=3), Silence(0.5), Resign())
    assert last <= cluster.timeline.now()


@shows(DirectorNode.reload)
def test_a_reload(cluster: Cluster) -> None:
    began = cluster.backup.reload()
    assert cluster.timeline.events(DaemonChanged, since=began, action="reloaded")


@shows(ClientNode.load)
def test_requests_meanwhile(cluster: Cluster) -> None:
    with cluster.client.load(rate=20) as load:
        load.wait_answers(5, since=cluster.timeline.now())
    assert load.resolution == 0.05


@shows(ClientNode.holding)
def test_open_connections(cluster: Cluster) -> None:
    with cluster.client.holding(2) as held:
        assert held[0].finish().status == 200


@shows(ClientNode.session)
def test_many_requests_in_one_connection(cluster: Cluster) -> None:
    with cluster.client.session() as session:
        assert session.fetch().port == session.fetch().port


@shows(ClientNode.stream, measures.stall)
def test_a_long_answer(cluster: Cluster) -> None:
    began = cluster.timeline.now()
    with cluster.client.stream(4096) as stream:
        stream.ended.wait()
    assert stream.received >= 4096  # with the header
    assert measures.stall(cluster.timeline, stream.port, began, cluster.timeline.now()) < 0.3


@shows(ClientNode.connect)
def test_connections_of_given_clients(cluster: Cluster) -> None:
    requests = cluster.client.connect(cluster.service, [Flow(cluster.client.ip, cluster.vip)])
    assert requests[0].status == 200


@shows(DirectorNode.restart_scheduler)
def test_a_scheduler_that_begins_anew(cluster: Cluster) -> None:
    cluster.master.restart_scheduler(cluster.service)
    assert len({request.server for request in cluster.client.fetch(2)}) == 2


@shows(DirectorNode.count)
def test_what_a_director_has_counted(cluster: Cluster) -> None:
    cluster.client.fetch(2)
    counted = {(each.of, each.name): each.value for each in cluster.master.count()}
    assert counted[cluster.service.name, "conns"] >= 2
    assert counted["VI_1", "Became master"] == 1


@shows(Node.forget_path_mtu)
def test_a_machine_that_forgets_a_path_s_mtu(cluster: Cluster) -> None:
    cluster.client.forget_path_mtu()
    assert cluster.client.fetch(1)[0].status == 200


@shows(Node.ask_arp)
def test_who_answers_arp(cluster: Cluster) -> None:
    answers = cluster.client.ask_arp(cluster.vip, count=2)
    assert {answer.node for answer in answers} == {cluster.master.name}


@shows(Node.speak_to, Node.speak_first)
def test_a_machine_that_has_to_find_another(cluster: Cluster) -> None:
    cluster.client.speak_to(cluster.vip)
    assert cluster.client.neighbour(cluster.vip) == cluster.master.mac


@shows(ClientNode.saturate, measures.at_once)
def saturated_in_real_time(cluster: Cluster) -> None:
    totals = cluster.client.saturate(seconds=3, connections=4)
    assert totals.requests > 0
    assert measures.at_once(cluster.timeline) == totals.at_once == 4
