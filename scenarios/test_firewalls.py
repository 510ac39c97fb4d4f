"""Rules of firewalls that users of IPVS are told to set, and what happens without them."""

import pytest

from harness.cluster import Cluster
from harness.faults import PowerOff
from harness.keepalived import timers
from harness.lab.features import LOGS_OF_MACHINES
from harness.scenario import topology
from topologies.firewalls import LIMIT, LOGGED, MSS, OTHER_CLIENT, WITHIN, Firewalls, Nftables

pytestmark = pytest.mark.forwarding

IP_AND_TCP = 40


@topology(Firewalls, method="TUN", rules=("silence", "clamp"))
@pytest.mark.needs("TCPMSS in firewalls", kernel="CONFIG_NETFILTER_XT_TARGET_TCPMSS")
@pytest.mark.control("no clamp", topology={"rules": ("silence",)}, caught="answers")
def test_forwarding_by_tun_past_a_silent_firewall_needs_a_clamp(cluster: Cluster) -> None:
    """A full packet does not fit into another, and where the director may not say so, the client
    sends it again and again. The real server, whose answer does not pass the director, says in its
    SYN-ACK how much the client may send at once (RFC 9293, section 3.7.1): TCPMSS makes that less.
    """
    cluster.settle()
    (director,) = cluster.directors
    (request,) = cluster.client.fetch(1, padding=3000)
    path = cluster.path_of(request)

    assert request.status == 200  # label: answers
    sent = [len(packet.ip) for packet in path.between(cluster.client, director)]
    assert max(sent) == MSS + IP_AND_TCP
    assert not path.too_big


@topology(Firewalls, rules=("stateful", "notrack"))
@pytest.mark.needs("CT in firewalls", kernel="CONFIG_NETFILTER_XT_TARGET_CT")
@pytest.mark.control("tracked", topology={"rules": ("stateful",)}, caught="answers")
def test_forwarding_by_dr_through_a_stateful_firewall_needs_notrack(cluster: Cluster) -> None:
    """What IPVS forwards is no longer tracked (kernel ``ip_vs_notrack``), so to connection tracking
    the client's second packet is a new connection without SYN, which good firewalls drop. What is
    not tracked at all is not new either.
    """
    cluster.settle()
    requests = cluster.client.fetch(4)

    assert [request.status for request in requests] == [200] * 4  # label: answers
    assert {request.server for request in requests} == {"web1", "web2"}


@topology(Firewalls, rules=("limit",))
@pytest.mark.needs("recent in firewalls", kernel="CONFIG_NETFILTER_XT_MATCH_RECENT")
@pytest.mark.control("nobody counts", topology={"rules": ()}, caught="refused")
def test_forwarding_only_so_many_connections_of_a_client(cluster: Cluster) -> None:
    """A firewall sees packets in INPUT before IPVS does (``NF_IP_PRI_NAT_SRC - 2``), so what it
    refuses reaches no real server; it counts for each client by itself, and forgets.
    """
    cluster.settle()
    requests = cluster.client.fetch(LIMIT + 2)
    of_another = cluster.client.fetch(1, source=OTHER_CLIENT)
    cluster.timeline.let_pass(WITHIN + 1)
    later = cluster.client.fetch(1)

    assert [request.status for request in requests] == [200] * LIMIT + [0] * 2  # label: refused
    assert {request.error for request in requests[LIMIT:]} == {"Connection refused"}
    assert [request.status for request in (*of_another, *later)] == [200, 200]
    for server in cluster.real_servers:
        assert not cluster.path_of(requests[-1]).at(server)


def logs_nothing(cluster: Cluster) -> None:
    """Take the director's rules away."""
    cluster.directors[0].machine.run(["iptables-legacy", "-F"])


@topology(Firewalls, rules=("log",))
@pytest.mark.needs("the log of machines' firewalls", kernel=LOGS_OF_MACHINES)
@pytest.mark.control("no rule", sabotage=logs_nothing, caught="logged")
def test_forwarding_logs_each_new_connection_once(cluster: Cluster) -> None:
    """All machines have one kernel, and it has one log: the prefix says whose rule it was."""
    cluster.settle()
    requests = cluster.client.fetch(3)
    shown = cluster.directors[0].machine.run(["dmesg"]).stdout
    lines = [line for line in shown.splitlines() if LOGGED in line]

    for request in requests:
        own = [line for line in lines if f" SPT={request.port} " in line]
        assert len(own) == 1  # label: logged
        assert f" SRC={cluster.client.ip} DST={cluster.vip} " in own[0]


@pytest.mark.election
@topology(Nftables)
@pytest.mark.needs("nftables, as --image trixie+nftables has it", program="nft")
@pytest.mark.needs("nftables", kernel="CONFIG_NF_TABLES_IPV4")
@pytest.mark.control("VRRP is forgotten", topology={"rule": ""}, caught="one owner")
def test_election_behind_nftables_needs_a_rule_for_vrrp(cluster: Cluster) -> None:
    """VRRP is a protocol beside TCP and UDP, and nobody asks for it, so it is neither a port nor
    ``established``: a firewall that drops what it does not know has to let protocol 112 in, or
    every director is master.
    """
    master, backup = cluster.settle()
    due = timers.takeover(backup.vrrp, announced=False)
    cluster.timeline.let_pass(timers.master_down_interval(backup.vrrp))
    assert cluster.owners() == [master.name]  # label: one owner

    with cluster.suffering(PowerOff(master)) as struck:
        took = backup.takes(cluster.vip, since=struck, until=due.latest)

    assert took.within(due)
