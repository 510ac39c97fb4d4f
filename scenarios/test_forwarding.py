"""DR forwarding: the director passes the client's packets on unchanged, and the answer never comes back through it."""

import pytest

from harness import measures
from harness.cluster import Cluster
from topologies.director_pair import DirectorPair

pytestmark = [pytest.mark.forwarding, pytest.mark.topology.with_args(DirectorPair)]


def test_forwarding_sends_the_packet_on_unchanged(cluster: Cluster) -> None:
    """DR gives the packet a new destination MAC and leaves the rest alone (kernel ``ip_vs_dr_xmit``), but for the TTL
    that every hop lowers: the real server holds the VIP itself.
    """
    master = cluster.master
    (request,) = cluster.fetch(1)
    path, server = cluster.path_of(request), cluster.server_of(request)

    arrived = path.between(cluster.client, master)
    forwarded = path.between(master, server)

    assert arrived
    assert [packet.unrouted for packet in forwarded] == [packet.unrouted for packet in arrived]
    assert [packet.ttl for packet in forwarded] == [packet.ttl - 1 for packet in arrived]
    assert {(packet.source, packet.destination) for packet in forwarded} == {(cluster.client.ip, cluster.vip)}


def test_forwarding_lets_the_answer_bypass_the_director(cluster: Cluster) -> None:
    """The real server answers with the VIP as its source, straight to the client: the director sees requests only."""
    assert cluster.master
    (request,) = cluster.fetch(1)
    path, server = cluster.path_of(request), cluster.server_of(request)

    answers = path.between(server, cluster.client)

    assert answers
    assert {(packet.source, packet.destination) for packet in answers} == {(cluster.vip, cluster.client.ip)}
    for director in cluster.directors:
        assert not [packet for packet in path.at(director) if packet.source == cluster.vip]


def test_forwarding_alternates_between_the_real_servers(cluster: Cluster) -> None:
    """Round robin takes each real server in turn, one connection each (kernel ``ip_vs_rr_schedule``)."""
    names = [server.page for server in cluster.real_servers]
    assert cluster.master.role.services[0].scheduler == "rr"

    answered = [request.server for request in cluster.fetch(6)]

    assert sorted(answered[:2]) == names
    assert answered == answered[:2] * 3
    assert measures.distribution(measures.requests(cluster.timeline)) == dict.fromkeys(names, 3)
