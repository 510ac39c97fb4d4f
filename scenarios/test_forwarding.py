"""Forwarding: DR, TUN and NAT, in IPv4 and IPv6, over TCP and UDP: what becomes of a packet on
its way and back.
"""

import pytest

from harness import measures
from harness.cluster import Cluster
from harness.daemons import ipvsadm
from harness.daemons.httpd import LARGE, LARGE_SIZE
from harness.faults import StopHttpd
from harness.scenario import topology
from topologies.forwarding import REAL_HTTP, VIPS, OneLan, TwoLans, service_of

pytestmark = pytest.mark.forwarding

ONE_LAN = topology(OneLan)
TWO_LANS = topology(TwoLans)
FAMILIES = pytest.mark.parametrize("family", [4, 6], ids=["IPv4", "IPv6"])
PROTOCOLS = pytest.mark.parametrize("protocol", ["TCP", "UDP"])
MTU = 1500


def without_vips(cluster: Cluster) -> None:
    """Take the VIPs from the real servers."""
    for server in cluster.real_servers:
        for device in ("lo", "tunl0", "ip6tnl0"):
            server.machine.run(["ip", "address", "flush", "dev", device, "scope", "global"])


def forwarding(flag: str):  # type: ignore[no-untyped-def]
    """Have the director forward everything in another way: ``-g`` (DR) or ``-i`` (TUN)."""

    def change(cluster: Cluster) -> None:
        director = cluster.settle().master
        for service in director.role.services:
            for destination in director.destinations(service):
                words = [*ipvsadm.service(service), "-r", destination.endpoint, flag, "-w", "1"]
                director.machine.run(["ipvsadm", "-e", *words])

    return change


def without_word_of_size(cluster: Cluster) -> None:
    """Have the director's firewall drop what tells a sender that a packet was too big."""
    run = cluster.settle().master.machine.run
    run(["iptables-legacy", "-A", "OUTPUT", "-p", "icmp", "-j", "DROP"])
    run(
        [
            "ip6tables-legacy",
            "-A",
            "OUTPUT",
            "-p",
            "icmpv6",
            "--icmpv6-type",
            "packet-too-big",
            "-j",
            "DROP",
        ]
    )


@ONE_LAN
@FAMILIES
@PROTOCOLS
@pytest.mark.control("TUN instead", sabotage=forwarding("-i"), caught="packet unchanged")
@pytest.mark.control("VIP missing on the real servers", sabotage=without_vips, caught="answers")
def test_forwarding_by_dr_changes_nothing_but_the_hop(
    cluster: Cluster, family: int, protocol: str
) -> None:
    """DR gives a packet another MAC and leaves the rest alone (kernel ``ip_vs_dr_xmit``) but for
    the TTL, which every hop lowers; the real server holds the VIP and answers as that, straight to
    the client.
    """
    master, service = cluster.settle().master, service_of("DR", family, protocol)
    (request,) = cluster.client.fetch(1, service)
    assert request.status == 200  # label: answers
    path, server = cluster.path_of(request), cluster.server_of(request)

    asked, forwarded = path.between(cluster.client, master), path.between(master, server)
    answers = path.between(server, cluster.client)

    assert [packet.unrouted for packet in forwarded] == [
        packet.unrouted for packet in asked
    ]  # label: packet unchanged
    assert [packet.ttl for packet in forwarded] == [packet.ttl - 1 for packet in asked]
    assert (
        {packet.destination for packet in forwarded}
        == {packet.source for packet in answers}
        == {service.vip}
    )
    assert not [packet for packet in path.at(master) if packet.source == service.vip], (
        "an answer passed the director"
    )
    assert all(packet.intact for packet in (*asked, *forwarded, *answers))


@ONE_LAN
@FAMILIES
@pytest.mark.control("VIP missing on the real servers", sabotage=without_vips, caught="itself")
def test_forwarding_by_dr_is_not_for_a_client_that_is_a_real_server(
    cluster: Cluster, family: int
) -> None:
    """A real server holds the VIP, so what it asks of the VIP it is asked itself: nothing leaves
    it, nobody balances, and where its own httpd is down, no other one helps.
    """
    cluster.settle()
    server, service = cluster.real_servers[0], service_of("DR", family, "TCP")
    requests = server.fetch(4, service)

    assert measures.distribution(requests) == {server.page: 4}  # label: itself
    assert not [packet for each in requests for packet in cluster.path_of(each).packets]
    with cluster.suffering(StopHttpd(server)):
        (refused,) = server.fetch(1, service)
    assert refused.error == "Connection refused"


@topology(TwoLans, method="DR", accepts_local=True)
@pytest.mark.control(
    "the director takes them for forged", topology={"accepts_local": False}, caught="answers"
)
def test_forwarding_by_dr_through_a_director_that_is_the_gateway(cluster: Cluster) -> None:
    """Answers come from the VIP, which the director holds itself: where it is their way to the
    client, its kernel takes them for forged (``fib_validate_source``), unless it accepts packets
    that have its own addresses for a source.
    """
    master = cluster.settle().master
    requests = cluster.client.fetch(4, service_of("DR", 4, "TCP"))

    assert [request.status for request in requests] == [200] * 4  # label: answers
    path, server = cluster.path_of(requests[0]), cluster.server_of(requests[0])
    came, passed_on = path.between(server, master), path.between(master, cluster.client)
    assert [packet.unrouted for packet in came] == [packet.unrouted for packet in passed_on]
    assert not path.between(server, cluster.client)


@ONE_LAN
@FAMILIES
@PROTOCOLS
@pytest.mark.control("DR instead", sabotage=forwarding("-g"), caught="carried whole")
@pytest.mark.control("VIP missing on the real servers", sabotage=without_vips, caught="answers")
def test_forwarding_by_tun_puts_the_packet_into_another(
    cluster: Cluster, family: int, protocol: str
) -> None:
    """TUN carries a packet to the real server in one of the director's own (RFC 2003, RFC 2473;
    kernel ``ip_vs_tunnel_xmit``), its TTL lowered and in both; the answer goes straight to the
    client as with DR.
    """
    master, service = cluster.settle().master, service_of("TUN", family, protocol)
    (request,) = cluster.client.fetch(1, service)
    assert request.status == 200  # label: answers
    path, server = cluster.path_of(request), cluster.server_of(request)

    asked, outer = path.between(cluster.client, master), path.between(master, server)
    answers = path.between(server, cluster.client)
    ends = tuple(node.plan.interface().address_of(family) for node in (master, server))

    carried = [packet.carried for packet in outer if packet.carried is not None]
    assert [packet.unrouted for packet in carried] == [
        packet.unrouted for packet in asked
    ]  # label: carried whole
    assert (
        [packet.ttl for packet in carried]
        == [packet.ttl - 1 for packet in asked]
        == [each.ttl for each in outer]
    )
    assert {(packet.source, packet.destination) for packet in outer} == {ends}
    assert not [packet for packet in path.at(master) if packet.source == service.vip], (
        "an answer passed the director"
    )
    assert all(packet.intact for packet in (*asked, *carried, *answers))


@TWO_LANS
@FAMILIES
@PROTOCOLS
@pytest.mark.control("director does not route", topology={"forwards": False}, caught="answers")
@pytest.mark.control(
    "real servers without a gateway", topology={"gateway": False}, caught="answers"
)
def test_forwarding_by_nat_rewrites_both_ways(cluster: Cluster, family: int, protocol: str) -> None:
    """NAT gives a packet the real server's address and port (kernel ``ip_vs_nat_xmit``) and the
    answer, which must come back through the director, those of the VIP (``handle_response``);
    checksums are right after that as well.
    """
    master, service = cluster.settle().master, service_of("NAT", family, protocol)
    (request,) = cluster.client.fetch(1, service)
    assert request.status == 200  # label: answers
    path, server = cluster.path_of(request), cluster.server_of(request)

    asked, forwarded = path.between(cluster.client, master), path.between(master, server)
    answers, returned = path.between(server, master), path.between(master, cluster.client)
    inside = (
        server.plan.interface().address_of(family),
        REAL_HTTP if protocol == "TCP" else service.port,
    )

    assert {(packet.destination, packet.ports[1]) for packet in forwarded} == {inside}
    assert {(packet.source, packet.ports[0]) for packet in returned} == {
        (service.vip, service.port)
    }
    assert [packet.content for packet in forwarded] == [packet.content for packet in asked]
    assert [packet.content for packet in returned] == [packet.content for packet in answers]
    assert [packet.ttl for packet in (*forwarded, *returned)] == [
        packet.ttl - 1 for packet in (*asked, *answers)
    ]
    assert all(packet.intact for packet in (*asked, *forwarded, *answers, *returned))


@ONE_LAN
@FAMILIES
@pytest.mark.parametrize("method", ["DR", "TUN"])
@pytest.mark.control("VIP missing on the real servers", sabotage=without_vips, caught="answers")
def test_forwarding_lets_large_answers_bypass_the_director(
    cluster: Cluster, method: str, family: int
) -> None:
    """What makes DR and TUN fast: of an answer of many full packets the director sees the
    acknowledgements alone.
    """
    master = cluster.settle().master
    (request,) = cluster.client.fetch(1, service_of(method, family, "TCP"), path=f"/{LARGE}")
    assert (request.status, request.length) == (200, LARGE_SIZE)  # label: answers
    path = cluster.path_of(request)

    sizes = [len(packet.ip) for packet in path.between(cluster.server_of(request), cluster.client)]

    assert max(sizes) == MTU
    assert sum(sizes) > LARGE_SIZE
    assert {packet.destination for packet in path.at(master) if not packet.frame.sent} == {
        VIPS[method, family]
    }


@TWO_LANS
@FAMILIES
@pytest.mark.control(
    "real servers without a gateway", topology={"gateway": False}, caught="answers"
)
def test_forwarding_by_nat_returns_large_answers(cluster: Cluster, family: int) -> None:
    """NAT's answers all pass the director, in packets as large as the link takes, each of them
    rewritten rightly.
    """
    master = cluster.settle().master
    (request,) = cluster.client.fetch(1, service_of("NAT", family, "TCP"), path=f"/{LARGE}")
    assert (request.status, request.length) == (200, LARGE_SIZE)  # label: answers
    path = cluster.path_of(request)

    answers, returned = (
        path.between(cluster.server_of(request), master),
        path.between(master, cluster.client),
    )

    assert max(len(packet.ip) for packet in returned) == MTU
    assert [packet.content for packet in returned] == [packet.content for packet in answers]
    assert all(packet.intact for packet in returned)


@ONE_LAN
@FAMILIES
@pytest.mark.control("TUN instead", sabotage=forwarding("-i"), caught="nothing too big")
def test_forwarding_by_dr_passes_full_packets_on(cluster: Cluster, family: int) -> None:
    """DR adds nothing to a packet, so one as large as the link takes goes through as it is."""
    master = cluster.settle().master
    (request,) = cluster.client.fetch(1, service_of("DR", family, "TCP"), padding=3000)
    assert request.status == 200
    path = cluster.path_of(request)

    assert not path.too_big  # label: nothing too big
    assert max(len(packet.ip) for packet in path.between(master, cluster.server_of(request))) == MTU


@ONE_LAN
@FAMILIES
@pytest.mark.control("firewall drops ICMP", sabotage=without_word_of_size, caught="answers")
@pytest.mark.control("DR instead", sabotage=forwarding("-g"), caught="who says what fits")
def test_forwarding_by_tun_tells_the_client_what_fits(cluster: Cluster, family: int) -> None:
    """A full packet does not fit into another: the director says so (``ensure_mtu_is_adequate`` in
    ip_vs_xmit.c; RFC 1191, RFC 8201), the client sends smaller ones, and the request is answered
    all the same.
    """
    master = cluster.settle().master
    cluster.client.forget_path_mtu()
    (request,) = cluster.client.fetch(1, service_of("TUN", family, "TCP"), padding=3000)
    assert request.status == 200  # label: answers
    path = cluster.path_of(request)

    assert {packet.frame.node for packet in path.too_big if packet.frame.sent} == {
        master.name
    }  # label: who says what fits
    assert max(len(packet.ip) for packet in path.between(cluster.client, master)) == MTU
    assert max(len(packet.ip) for packet in path.between(master, cluster.server_of(request))) == MTU


def persistent(cluster: Cluster) -> None:
    """Have the director give all of a client's connections to one real server."""
    service = service_of("DR", 4, "TCP")
    words = [*ipvsadm.service(service), *ipvsadm.scheduler(service), "-p", "60"]
    cluster.master.machine.run(["ipvsadm", "-E", *words])


def counters(cluster: Cluster) -> dict[tuple[str, str], int]:
    """What the master has counted so far, by whose counter it is and by its name."""
    return {(each.of, each.name): each.value for each in cluster.master.count()}


@ONE_LAN
@pytest.mark.control("one real server for all", sabotage=persistent, caught="shares")
def test_forwarding_by_dr_is_counted_on_the_way_in_alone(cluster: Cluster) -> None:
    """Answers go past the director, so that its counters (``ip_vs_out_stats``) know of none."""
    service = service_of("DR", 4, "TCP")
    cluster.settle()
    before = counters(cluster)
    cluster.client.fetch(4, service)
    after = counters(cluster)
    grown = {key: value - before[key] for key, value in after.items()}
    servers = [
        f"{service.name} -> {each.endpoint}" for each in cluster.master.destinations(service)
    ]

    assert [grown[server, "conns"] for server in servers] == [2, 2]  # label: shares
    assert grown[service.name, "conns"] == 4
    assert grown[service.name, "inpkts"] == sum(grown[server, "inpkts"] for server in servers) > 4
    assert grown[service.name, "outpkts"] == 0
