"""Two puzzles of operators: VRRP and VIP on the loopback interface, and a director that cannot
fetch its own VIP.
"""

from typing import Any

import pytest

from harness import measures
from harness.cluster import Cluster
from harness.events import AddressChanged, Advertisement, Arp, DaemonChanged, Log
from harness.faults import AcceptLocal, BlackHole, HintSource, Maintenance, PowerOff
from harness.keepalived import timers
from harness.nodes.context import STARTING
from harness.observers.paths import SYN, SYN_ACK
from harness.scenario import fresh_topology, topology
from topologies.director_pair import DirectorPair

pytestmark = [pytest.mark.open_problem, topology(DirectorPair)]

DIRECTORS = ("director1", "director2")
ON_ETH0: dict[str, Any] = {"edits": {}}


def on_both(old: str, new: str) -> dict[str, Any]:
    """The same edit for either director."""
    return dict.fromkeys(DIRECTORS, ((old, new),))


def clear_tables(cluster: Cluster) -> None:
    """No director balances anything."""
    for director in cluster.directors:
        director.machine.run(["ipvsadm", "--clear"])


def forget_the_vip(cluster: Cluster) -> None:
    """The VIP is missing on the real servers."""
    for server in cluster.real_servers:
        server.machine.run(["ip", "address", "del", f"{cluster.vip}/32", "dev", "lo"])


# -- loopback --------------------------------------------------------------------------------------


@pytest.mark.control("VRRP on eth0", topology=ON_ETH0, caught="refused")
@topology(DirectorPair, edits=on_both("interface eth0", "interface lo"))
@pytest.mark.diagnosis("VRRP on a loopback interface")
def test_open_problem_vrrp_on_lo_is_refused(cluster: Cluster) -> None:
    """A loopback interface carries no multicast to anybody. Since 1.3.6 keepalived says so, and its
    VRRP process ends with a configuration error, and with it the parent and the health checks: no
    VIP, no advertisement, no IPVS rule.
    """
    for director in cluster.directors:
        cluster.timeline.wait_for(
            DaemonChanged, node=director.name, until=STARTING, action="ended"
        )  # label: refused
        said = [event.line for event in cluster.timeline.events(Log, node=director.name)]
        assert any("cannot use a loopback interface (lo) for vrrp" in line for line in said)
    cluster.let_pass(
        timers.cold_start(cluster.directors[0].vrrp)
    )  # the health checks end after the parent

    assert not any(director.ipvsadm() for director in cluster.directors)
    assert not cluster.timeline.events(Advertisement)
    assert measures.owners(cluster.timeline, cluster.vip, "eth0") == []


@pytest.mark.control("VIP on eth0", topology=ON_ETH0, caught="VIP on lo")
@topology(DirectorPair, edits=on_both("/32 dev eth0", "/32 dev lo"))
def test_open_problem_vip_on_lo_is_never_announced(cluster: Cluster) -> None:
    """The near miss: elections work, since the advertisements go by eth0, but gratuitous ARP leaves
    by the interface of the address, and so not at all: whoever knew the old owner goes on sending
    to it.
    """
    first, second = cluster.directors
    cluster.timeline.wait_for(
        AddressChanged,
        node=first.name,
        until=STARTING,
        action="added",
        address=cluster.vip,
        interface="lo",
    )  # label: VIP on lo
    cluster.timeline.let_pass(
        cluster.slack
    )  # the kernel tells of an address before it answers for it
    assert cluster.client.fetch(1)[0].status == 200

    with cluster.suffering(PowerOff(first)) as struck:
        until = struck + timers.takeover(second.vrrp, announced=False).latest + cluster.slack
        cluster.timeline.wait_for(
            AddressChanged,
            node=second.name,
            since=struck,
            until=until,
            action="added",
            address=cluster.vip,
            interface="lo",
        )
        cluster.timeline.let_pass(timers.garp_schedule(second.vrrp)[-1] + cluster.slack)
        known, lost = cluster.client.neighbour(cluster.vip), cluster.client.fetch(1)

    reigns = [reign.node for reign in measures.reigns(cluster.timeline, first.vrrp.vrid)]
    assert reigns[-2:] == [
        first.name,
        second.name,
    ]  # on a busy machine the other may have been a candidate first
    assert not cluster.timeline.events(Arp, gratuitous=True)
    assert (known, lost[0].status) == (first.mac, 0)


# -- the director's own requests -------------------------------------------------------------------


@pytest.mark.control("no IPVS rules", sabotage=clear_tables, caught="times out")
@pytest.mark.diagnosis("martian source")
@pytest.mark.parametrize("swapped", [False, True], ids=["before-a-swap", "after-a-swap"])
def test_open_problem_holder_cannot_fetch_its_vip(cluster: Cluster, swapped: bool) -> None:
    """To a local address the kernel speaks from that address: the SYN goes from VIP to VIP, and
    IPVS sends it to a real server (LOCAL_OUT hook), to which its own address comes from outside: a
    martian, dropped. The other director forwards by its own table, from its DIP, and never asks the
    holder. It is so before and after they change places.
    """
    holder, other = cluster.settle()
    if swapped:
        holder, other = other, holder
        script = other.vrrp.track_scripts[0]
        sick = cluster.inject(Maintenance(other))
        holder.takes(
            cluster.vip, since=sick, until=timers.switch(other.vrrp, holder.vrrp, script).latest
        )
    cluster.timeline.let_pass(cluster.slack)
    refused, since = holder.martians(), cluster.timeline.now()

    (failed,) = holder.fetch(1)
    (answered,) = other.fetch(1)
    refused = holder.martians() - refused
    announced = cluster.timeline.events(
        Arp, node=holder.name, since=since, sent=True, gratuitous=True
    )
    if swapped:
        cluster.heal(Maintenance(other))

    assert (failed.status, failed.error, answered.status) == (
        0,
        "timed out",
        200,
    )  # label: times out
    sent = [packet for packet in cluster.path_of(failed).packets if packet.frame.sent]
    assert {(packet.frame.node, packet.source, packet.destination) for packet in sent} == {
        (holder.name, cluster.vip, cluster.vip)
    }
    assert {packet.flags for packet in sent} == {SYN}
    # to a real server the owner's gratuitous ARPs are martians as well
    assert refused == len(sent) + len(announced) * len(cluster.real_servers)
    assert cluster.path_of(answered).at(holder) == []
    assert {each.name for each in cluster.diagnoses(since)} == {"martian source"}


@pytest.mark.diagnosis("martian source")
@pytest.mark.control(
    "the director accepts local sources", fault=AcceptLocal, node="director1", caught="times out"
)
def test_open_problem_dip_as_source_moves_the_drop(cluster: Cluster) -> None:
    """Bound to the DIP the SYN is answered, and the answer comes from the VIP, which on the holder
    is a local address: now it is the holder that drops it.
    """
    master = cluster.settle().master

    (request,) = master.fetch(1, source=master.ip)

    assert (request.status, request.error) == (0, "timed out")  # label: times out
    seen = cluster.path_of(request).at(master)
    assert {packet.flags for packet in seen if packet.frame.sent} == {SYN}
    assert {packet.flags for packet in seen if not packet.frame.sent} == {SYN_ACK}


@pytest.mark.control(
    "the VIP is missing on the real servers", sabotage=forget_the_vip, caught="cured"
)
def test_open_problem_is_cured_by_a_source_hint_and_accept_local(cluster: Cluster) -> None:
    """For programs that bind to nothing the kernel chooses the source: the one that the route
    to the VIP names.
    """
    master = cluster.settle().master

    with cluster.suffering(AcceptLocal(master)), cluster.suffering(HintSource(master)):
        (cured,) = master.fetch(1)

    assert cured.status == 200  # label: cured
    assert {packet.source for packet in cluster.path_of(cured).at(master) if packet.frame.sent} == {
        master.ip
    }


@pytest.mark.control(
    "the VIP is missing on the real servers", sabotage=forget_the_vip, caught="cured"
)
def test_open_problem_is_cured_by_dip_and_accept_local(cluster: Cluster) -> None:
    """``accept_local=1`` on the director lets that answer in; without the DIP it would not help,
    since the SYN from VIP to VIP still dies at the real server.
    """
    master = cluster.settle().master

    with cluster.suffering(AcceptLocal(master)):
        (cured,) = master.fetch(1, source=master.ip)
        (still,) = master.fetch(1)

    assert (cured.status, still.status) == (200, 0)  # label: cured


@pytest.mark.control(
    "the master is unreachable", fault=BlackHole, node="director1", caught="answers"
)
@fresh_topology(DirectorPair)
def test_open_problem_backup_without_a_table_asks_the_holder(cluster: Cluster) -> None:
    """What the backup's success rests on: with its IPVS rules gone the VIP is anybody's
    address, found by ARP.
    """
    master, backup = cluster.settle()
    backup.machine.run(["ipvsadm", "--clear"])

    (request,) = backup.fetch(1)

    assert request.status == 200  # label: answers
    assert cluster.path_of(request).between(backup, master)
