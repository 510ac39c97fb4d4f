"""Misconfigurations that show in packets or in the kernel's own counters, made on real machines:
each is found by its name, and is not before it is made.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.cluster import Cluster
from harness.nodes import Node
from harness.scenario import fresh_topology
from topologies.director_pair import DirectorPair
from topologies.forwarding import OneLan, TwoLans, service_of

LIMIT = Path("/proc/sys/net/netfilter/nf_conntrack_max")


def found(cluster: Cluster) -> list[tuple[str, tuple[str, ...]]]:
    return [(each.name, each.nodes) for each in cluster.diagnoses(since=cluster.timeline.mark)]


def set_rp_filter(node: Node, value: int) -> None:
    for name in ("all", "tunl0"):
        node.machine.write(f"/proc/sys/net/ipv4/conf/{name}/rp_filter", str(value))


@fresh_topology(OneLan)
def test_rp_filter_on_a_real_server_of_tun(cluster: Cluster) -> None:
    """What comes out of the tunnel would be answered by eth0."""
    service = service_of("TUN", 4, "TCP")
    cluster.settle()
    assert [request.status for request in cluster.client.fetch(2, service)] == [200, 200]
    assert found(cluster) == []

    set_rp_filter(cluster.real_servers[0], 1)

    assert sorted(request.status for request in cluster.client.fetch(2, service)) == [0, 200]
    assert found(cluster) == [("rp_filter drops packets", ("web1",))]


@fresh_topology(OneLan)
def test_a_tunnel_whose_director_may_not_say_what_fits(cluster: Cluster) -> None:
    """A full packet and its outer header are more than 1500 bytes, and the word of that is
    dropped.
    """
    service, director = service_of("TUN", 4, "TCP"), cluster.directors[0]
    cluster.settle()
    cluster.client.forget_path_mtu()
    assert [request.status for request in cluster.client.fetch(1, service, padding=3000)] == [200]
    assert found(cluster) == []

    director.machine.run(["iptables-legacy", "-A", "OUTPUT", "-p", "icmp", "-j", "DROP"])
    cluster.client.forget_path_mtu()

    assert [request.status for request in cluster.client.fetch(1, service, padding=3000)] == [0]
    assert found(cluster) == [("tunnel too narrow", (director.name,))]


@fresh_topology(DirectorPair)
def test_connection_tracking_that_is_full(cluster: Cluster) -> None:
    """A stateful firewall on a real server, whose table takes fewer connections than there are."""
    server = cluster.real_servers[0]
    cluster.settle()
    server.machine.run(
        ["iptables-legacy", "-A", "INPUT", "-m", "conntrack", "--ctstate", "INVALID", "-j", "DROP"]
    )
    cluster.client.fetch(2)
    assert found(cluster) == []

    before = LIMIT.read_text()
    LIMIT.write_text("1")
    try:
        cluster.client.fetch(4)
        assert found(cluster) == [("connection tracking full", (server.name,))]
    finally:
        LIMIT.write_text(before)


class NobodysGateway(TwoLans):
    """The real servers answer by a gateway that there is not."""

    def build(self, *given: Any, **named: Any) -> None:
        super().build(*given, **named)
        for number in (1, 2):
            self.nodeInfo(f"web{number}")["defaultRoute"] = "via 172.16.11.99"


@fresh_topology(NobodysGateway)
def test_a_gateway_that_nobody_has(cluster: Cluster) -> None:
    """The kernel asks for it three times, a second apart, before it gives up."""
    cluster.settle()
    wrong = [("real server's gateway wrong", (server.name,)) for server in cluster.real_servers]
    assert found(cluster) == wrong

    assert [request.status for request in cluster.client.fetch(2)] == [0, 0]
    cluster.timeline.let_pass(3)

    silent = [("gateway that does not answer", (server.name,)) for server in cluster.real_servers]
    assert found(cluster) == wrong + silent


def second_owner(cluster: Cluster) -> None:
    cluster.real_servers[1].machine.run(["ip", "address", "add", "172.16.10.21/24", "dev", "eth0"])
    cluster.client.ask_arp("172.16.10.21", 1)


def question(cluster: Cluster) -> None:
    server = cluster.real_servers[0]
    server.machine.write("/proc/sys/net/ipv4/conf/all/arp_announce", "0")
    server.machine.write("/proc/sys/net/ipv4/conf/eth0/arp_announce", "0")
    server.machine.run(
        ["ping", "-c", "1", "-W", "1", "-I", cluster.vip, "172.16.10.99"], check=False
    )


@pytest.mark.parametrize(
    ("mistake", "expected"),
    [
        (second_owner, ("duplicate address", ("web1", "web2"))),
        (question, ("no ARP protection", ("web1",))),
    ],
)
@fresh_topology(DirectorPair)
def test_what_arp_says(
    cluster: Cluster, mistake: Callable[[Cluster], None], expected: tuple[str, tuple[str, ...]]
) -> None:
    cluster.settle()
    cluster.client.ask_arp("172.16.10.21", 1)
    assert found(cluster) == []

    mistake(cluster)

    assert found(cluster) == [expected]
