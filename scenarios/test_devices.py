"""Interfaces that are no bare wires: the election, and the way to the real servers, are what
they are elsewhere.
"""

from collections.abc import Iterable
from typing import Any

import pytest

from harness import measures
from harness.cluster import Cluster
from harness.daemons import ipvsadm
from harness.events import AddressChanged, Advertisement
from harness.faults import HangKeepalived, PowerOff, Unplug
from harness.keepalived import timers
from harness.scenario import topology
from topologies.devices import BALANCING, KINDS, TAGGED, Devices

pytestmark = pytest.mark.election

VLAN_10 = bytes.fromhex("8100000a")

OPTIONS = {
    "bond": ("CONFIG_BONDING",),
    "lacp": ("CONFIG_BONDING",),
    "vlan": ("CONFIG_VLAN_8021Q",),
    "vlan on bond": ("CONFIG_BONDING", "CONFIG_VLAN_8021Q"),
    "bridge": ("CONFIG_BRIDGE",),
    "macvlan": ("CONFIG_MACVLAN",),
    "ipvlan": ("CONFIG_IPVLAN",),
    "dummy": ("CONFIG_DUMMY",),
    "vrf": ("CONFIG_NET_VRF",),
    "vxlan": ("CONFIG_VXLAN",),
}
"""What a kernel has each kind by."""


def each(kinds: Iterable[str]) -> list[Any]:
    """The parameters of a scenario that runs on each kind that there is here."""
    params = []
    for kind in kinds:
        needs = [pytest.mark.needs(f"a {kind}", kernel=option) for option in OPTIONS[kind]]
        params.append(pytest.param(kind, marks=[topology(Devices, kind=kind), *needs]))
    return params


@pytest.mark.parametrize("kind", each(KINDS))
@pytest.mark.control(
    "the backup hangs", fault=HangKeepalived, node="director2", caught="takes over"
)
def test_election_is_the_same_on_every_kind_of_interface(cluster: Cluster, kind: str) -> None:
    """keepalived knows an interface by its name, and sends by that; what it is made of changes
    no timer.
    """
    master, backup = cluster.settle()
    due = timers.takeover(backup.vrrp, announced=False)

    with cluster.suffering(PowerOff(master)) as struck:
        took = backup.takes(cluster.vip, since=struck, until=due.latest)  # label: takes over
        assert cluster.owners() == [backup.name]

    assert took.within(due)
    assert [
        tenure.node for tenure in measures.ownership(cluster.timeline, cluster.vip, since=struck)
    ] == [backup.name]


def tunnelled(cluster: Cluster) -> None:
    """Have the master put packets into others."""
    director, service = cluster.settle().master, cluster.service
    for destination in director.destinations(service):
        words = [*ipvsadm.service(service), "-r", destination.endpoint, "-i", "-w", "1"]
        director.machine.run(["ipvsadm", "-e", *words])


@pytest.mark.forwarding
@pytest.mark.parametrize("kind", each(BALANCING))
@pytest.mark.control("TUN instead", sabotage=tunnelled, caught="answers")
def test_forwarding_is_the_same_on_every_kind_of_interface(cluster: Cluster, kind: str) -> None:
    """DR gives a packet the hardware address of a real server, whatever interface that is reached
    by, and the answer goes straight back.
    """
    master = cluster.settle().master
    requests = cluster.client.fetch(4)
    assert [request.status for request in requests] == [200] * 4  # label: answers
    path, server = cluster.path_of(requests[0]), cluster.server_of(requests[0])

    asked, forwarded = path.between(cluster.client, master), path.between(master, server)

    assert asked
    assert [packet.unrouted for packet in forwarded] == [packet.unrouted for packet in asked]
    assert path.between(server, cluster.client)
    tags = {packet.frame.tag for packet in path.packets}
    assert tags == ({VLAN_10} if kind in TAGGED else {b""})


@topology(Devices, kind="bond")
@pytest.mark.needs("a bond", kernel="CONFIG_BONDING")
@pytest.mark.control(
    "the other wire is out already",
    fault=lambda node: Unplug(node, "eth1"),
    node="director1",
    caught="VIP stays",
)
def test_election_is_not_needed_when_a_bond_loses_one_wire(cluster: Cluster) -> None:
    """The other wire takes over within the time in which the bond looks for a carrier, far below
    what a backup waits, so nobody hears of it.
    """
    master = cluster.settle().master
    began = cluster.timeline.now()

    with cluster.suffering(Unplug(master, "eth0")) as struck:
        cluster.timeline.let_pass(
            timers.master_down_interval(cluster.settle().backup.vrrp) + cluster.slack
        )
        answers = [request.status for request in cluster.client.fetch(2)]
        sent = cluster.timeline.events(Advertisement, node=master.name, since=struck + 1, sent=True)

    assert not cluster.timeline.events(
        AddressChanged, since=began, address=cluster.vip
    )  # label: VIP stays
    assert sent
    assert answers == [200, 200]
