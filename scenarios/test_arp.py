"""ARP suppression: of all that hold the VIP the owner alone answers for it, and the real servers never name it."""

import pytest

from harness.cluster import Cluster
from harness.faults import Unprotected
from topologies.director_pair import DirectorPair

pytestmark = [pytest.mark.arp, pytest.mark.topology.with_args(DirectorPair)]

UNPROTECTED = pytest.mark.control("ARP protection off", fault=Unprotected, node="web1", caught="answer.node|sender")

QUESTIONS = 5


@UNPROTECTED
def test_arp_only_the_owner_answers_for_the_vip(cluster: Cluster) -> None:
    """``arp_ignore=1``: an address on ``lo`` is no answer to what came in by ``eth0`` (kernel ``arp_ignore``)."""
    master = cluster.master

    answers = cluster.ask_arp(cluster.client, cluster.vip, QUESTIONS)

    assert {(answer.node, answer.sender_mac) for answer in answers} == {(master.name, master.mac)}
    assert len(answers) == QUESTIONS


@UNPROTECTED
def test_arp_real_server_that_talks_first_does_not_announce_the_vip(cluster: Cluster) -> None:
    """``arp_announce=2``: its own question names an address of the interface, though it speaks as the VIP."""
    assert cluster.master
    server = cluster.real_servers[0]
    asked = cluster.timeline.now()

    cluster.speak_first(server, source=cluster.vip, to=cluster.client)
    questions = cluster.timeline.events("arp", node=server.name, since=asked, sent=True, operation="request")

    assert {question.sender for question in questions} == {server.ip}


def test_arp_flux_is_seen_without_the_protection(cluster: Cluster) -> None:
    """A real server whose protection is stopped answers as well: the check above can fail."""
    master, server = cluster.master, cluster.real_servers[0]

    with cluster.suffering(Unprotected(server)):
        answers = cluster.ask_arp(cluster.client, cluster.vip, QUESTIONS)

    assert {answer.node for answer in answers} == {master.name, server.name}


def test_arp_unprotected_real_server_announces_the_vip(cluster: Cluster) -> None:
    """Without ``arp_announce`` the VIP, as the packet's source, is what its question names."""
    assert cluster.master
    server = cluster.real_servers[0]
    asked = cluster.timeline.now()

    with cluster.suffering(Unprotected(server)):
        cluster.speak_first(server, source=cluster.vip, to=cluster.client)
    questions = cluster.timeline.events("arp", node=server.name, since=asked, sent=True, operation="request")

    assert cluster.vip in {question.sender for question in questions}
