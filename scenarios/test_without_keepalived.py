"""IPVS that ipvsadm or ldirectord has set up: the kernel's own cases, kube-proxy's, and another
health checker.
"""

import signal

import pytest

from harness import measures
from harness.clock import Window
from harness.cluster import Cluster
from harness.faults import HangProgram, StopHttpd, StopProgram
from harness.keepalived import timers
from harness.scenario import topology
from topologies.without_keepalived import PYTHON, IpvsSh, KubeProxy, Ldirectord, OwnChecker

pytestmark = pytest.mark.forwarding

BY_IPVS = pytest.mark.needs("ipvs in firewalls", kernel="CONFIG_NETFILTER_XT_MATCH_IPVS")
METHODS = [
    pytest.param(method, marks=topology(IpvsSh, method=method)) for method in ("DR", "NAT", "TUN")
]


def cleared(cluster: Cluster) -> None:
    """Take the director's table away."""
    cluster.directors[0].machine.run(["ipvsadm", "-C"])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.control("no table", sabotage=cleared, caught="answers")
def test_forwarding_to_a_vip_that_is_in_no_lan(cluster: Cluster, method: str) -> None:
    """The kernel's own test of IPVS (ipvs.sh): a route leads to the VIP, which is nobody's
    neighbour. The answer of a real server with a way of its own does not pass the director, but for
    NAT's, which has to.
    """
    cluster.settle()
    (director,) = cluster.directors
    (request,) = cluster.client.fetch(1)
    assert request.status == 200  # label: answers
    path, server = cluster.path_of(request), cluster.server_of(request)

    assert path.between(cluster.client, director)
    assert bool(path.between(server, director)) == (method == "NAT")
    assert bool(path.between(server, cluster.client)) == (method != "NAT")
    assert cluster.owners() == [director.name]


def remembers_for_hours(cluster: Cluster) -> None:
    """Have the director remember idle connections for four hours."""
    cluster.directors[0].machine.run(["ipvsadm", "--set", "14400", "120", "300"])


@topology(IpvsSh)
@pytest.mark.control("the director remembers longer", sabotage=remembers_for_hours, caught="reset")
def test_persistence_of_a_connection_that_is_idle_for_hours(cluster: Cluster) -> None:
    """IPVS forgets a connection in which nothing was said for 900 s (``ip_vs_proto_tcp.c``,
    ``tcp_timeouts``), and tells nobody. The client learns of it with its next request: the director
    knows no such connection, and resets it. So pools of connections to a database need keep-alive
    of less than 15 minutes, or a longer ``ipvsadm --set``. (After two hours the real server's own
    keep-alive would meet the same end.)
    """
    cluster.settle()
    with cluster.client.session() as session:
        first = session.fetch()
        cluster.timeline.let_pass(1.5 * 3600)
        assert session.is_open
        later = session.fetch()

    assert (first.status, first.error) == (200, None)
    assert (later.status, later.error) == (0, "Connection reset by peer")  # label: reset


@topology(KubeProxy)
@BY_IPVS
@pytest.mark.control("no masquerading", topology={"masquerade": False}, caught="answers")
@pytest.mark.diagnosis("real server's gateway wrong")
def test_forwarding_as_kube_proxy_does_needs_masquerading(cluster: Cluster) -> None:
    """Pods have no way back but the one to the node, so the node asks them in its own name (``-m
    ipvs`` in POSTROUTING, which wants ``net.ipv4.vs.conntrack``); the client sees the cluster
    address alone.
    """
    cluster.settle()
    (node,) = cluster.directors
    requests = cluster.client.fetch(4)
    assert [request.status for request in requests] == [200] * 4  # label: answers
    path, pod = cluster.path_of(requests[0]), cluster.server_of(requests[0])

    assert {packet.source for packet in path.between(cluster.client, node)} == {cluster.client.ip}
    assert {packet.source for packet in path.between(node, cluster.client)} == {cluster.vip}
    assert path.between(pod, node) or cluster.reached(requests)


@topology(KubeProxy)
@BY_IPVS
@pytest.mark.control("no masquerading", topology={"masquerade": False}, caught="answers")
@pytest.mark.diagnosis("real server's gateway wrong")
def test_forwarding_as_kube_proxy_does_for_a_pod_that_asks_its_own_service(
    cluster: Cluster,
) -> None:
    """A pod is a client, too, and IPVS may give it to the other pod or back to itself. Unless the
    node asks in its own name, the one would answer straight over the LAN, from an address that
    nobody has asked, and the other would be asked by itself.
    """
    cluster.settle()
    pod, other = cluster.real_servers
    requests = pod.fetch(4)
    assert [request.status for request in requests] == [200] * 4  # label: answers

    assert measures.distribution(requests) == {pod.page: 2, other.page: 2}
    for request in requests:
        assert not cluster.path_of(request).between(other, pod)


@pytest.mark.health
@topology(Ldirectord)
@pytest.mark.needs("ldirectord, which a topology has to ask for", program="ldirectord")
@pytest.mark.control(
    "ldirectord hangs",
    sabotage=lambda cluster: cluster.directors[0].signal_all(signal.SIGSTOP),
    caught="removed",
)
def test_health_checked_by_ldirectord(cluster: Cluster) -> None:
    """One process asks all real servers one after the other and then sleeps for its
    ``checkinterval``; the first failure counts (``failurecount``), and with ``quiescent=no`` the
    real server leaves the table (ldirectord(8)).
    """
    cluster.settle()
    (director,) = cluster.directors
    server = cluster.real_servers[0]
    due = Window(0, cluster.service.delay_loop)

    with cluster.suffering(StopHttpd(server)) as struck:
        left = director.removes(server, since=struck, until=due.latest)  # label: removed
    back = director.adds(server, since=cluster.healed(), until=due.latest)

    assert left.within(due)
    assert back.within(due)


@pytest.mark.health
@topology(OwnChecker)
@pytest.mark.needs("the Python that has pyroute2", program=PYTHON)
@pytest.mark.control(
    "the checker hangs",
    fault=lambda node: HangProgram(node, "checker"),
    node="director1",
    caught="removed",
)
def test_health_checked_by_a_program_of_ones_own(cluster: Cluster) -> None:
    """Whoever tells the kernel what the table is, by ipvsadm or by netlink as here, is judged by
    the table alone: a real server that refuses connections is out after the next check, and in
    again after one that it accepts.
    """
    cluster.settle()
    (director,) = cluster.directors
    server = cluster.real_servers[0]
    due = timers.removal(cluster.service, StopHttpd.symptom)

    with cluster.suffering(StopHttpd(server)) as struck:
        left = director.removes(server, since=struck, until=due.latest)  # label: removed
        answers = cluster.client.fetch(4)
    back = director.adds(server, since=cluster.healed(), until=due.latest)

    assert left.within(due)
    assert {answer.server for answer in answers} == {cluster.real_servers[1].name}
    assert back.within(due)


@pytest.mark.health
@topology(OwnChecker)
@pytest.mark.needs("the Python that has pyroute2", program=PYTHON)
@pytest.mark.control("the table goes with it", sabotage=cleared, caught="answers")
def test_health_without_its_checker_goes_on_as_it_was(cluster: Cluster) -> None:
    """The table is the kernel's: it stays when the program that made it is gone, and so does a real
    server in it that has ended since. Started again, the program makes the table anew.
    """
    cluster.settle()
    (director,) = cluster.directors
    gone, left = cluster.real_servers

    ended = cluster.suffering(StopProgram(director, "checker"))
    with ended, cluster.suffering(StopHttpd(gone), at_once=True):
        cluster.timeline.let_pass(10 * cluster.service.delay_loop)
        answers = cluster.client.fetch(4)
        assert sorted(answer.status for answer in answers) == [0, 0, 200, 200]  # label: answers
        assert director.pool() == {gone.name: 1, left.name: 1}

    cluster.settle()
    assert [answer.status for answer in cluster.client.fetch(2)] == [200, 200]
