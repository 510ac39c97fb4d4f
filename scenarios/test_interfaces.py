"""Interfaces that change below a running keepalived: what it notices, when, and whether it
comes back.
"""

import pytest

from harness import measures
from harness.cluster import Cluster
from harness.events import AddressChanged, Advertisement, DestinationChanged
from harness.faults import (
    ChangeMtu,
    Deaf,
    DeleteInterface,
    Firewall,
    HangKeepalived,
    LoseAddress,
    Mute,
    PowerOff,
    Reconfigure,
    RenameInterface,
    Unplug,
)
from harness.keepalived import timers
from harness.nodes import DirectorNode
from harness.scenario import topology
from topologies.bare_uplink import BareUplink
from topologies.devices import Devices
from topologies.director_pair import DirectorPair

pytestmark = [pytest.mark.failover, topology(DirectorPair)]

NO_BACKUP = pytest.mark.control(
    "the backup hangs", fault=HangKeepalived, node="director2", caught="takes over"
)
ON_A_VLAN = pytest.param(
    DeleteInterface,
    marks=[
        topology(Devices, kind="vlan"),
        pytest.mark.needs("a VLAN", kernel="CONFIG_VLAN_8021Q"),
    ],
    id="DeleteVlan",
)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(DeleteInterface, id="DeleteInterface"),
        pytest.param(RenameInterface, id="RenameInterface"),
        ON_A_VLAN,
    ],
)
@NO_BACKUP
def test_failover_when_the_masters_interface_is_gone_and_made_again(
    cluster: Cluster, change: type[DeleteInterface | RenameInterface]
) -> None:
    """A master whose interface is deleted or renamed cannot even resign; when it is there again,
    under its old name and another number, the instance waits as after a start (keepalived,
    ``vrrp_if.c``).
    """
    master, backup = cluster.settle()
    due = timers.takeover(backup.vrrp, announced=False)

    with cluster.suffering(change(master)) as struck:
        took = backup.takes(cluster.vip, since=struck, until=due.latest)  # label: takes over
        assert cluster.owners() == [backup.name]
    healed = cluster.healed()
    back = master.takes(cluster.vip, since=healed, until=timers.failback(master.vrrp).latest)
    cluster.timeline.let_pass(backup.vrrp.advert_int)

    assert took.within(due)
    assert back.within(timers.failback(master.vrrp))
    assert cluster.owners() == [master.name]


@pytest.mark.control(
    "keepalived hangs", fault=HangKeepalived, node="director1", caught="back in office"
)
def test_failover_when_somebody_takes_the_vip_from_the_master(cluster: Cluster) -> None:
    """systemd-networkd takes away what it has not set. keepalived notices at once, resigns, and
    waits like everybody else who hears that: the higher priority has the shorter Skew_Time and is
    master again (RFC 3768 section 6.1).
    """
    master = cluster.settle().master
    due = timers.takeover(master.vrrp, announced=True)

    with cluster.suffering(LoseAddress(master, address=cluster.vip)) as struck:
        took = master.takes(cluster.vip, since=struck, until=due.latest)  # label: back in office

    assert took.within(due)
    assert cluster.timeline.events(
        Advertisement, node=master.name, since=struck, sent=True, priority=0
    )
    cluster.timeline.let_pass(master.vrrp.advert_int)
    assert cluster.owners() == [master.name]


@NO_BACKUP
def test_failover_when_the_master_loses_its_own_address(cluster: Cluster) -> None:
    """Without an address there is nothing to advertise from: that is a fault, though the VIP is
    still there. With the address back, as when a DHCP server answers again, it stands for election
    anew.
    """
    master, backup = cluster.settle()
    due = timers.takeover(backup.vrrp, announced=True)

    with cluster.suffering(LoseAddress(master)) as struck:
        took = backup.takes(
            cluster.vip, since=struck, until=timers.takeover(backup.vrrp, announced=False).latest
        )  # label: takes over
        assert cluster.owners() == [backup.name]
    back = master.takes(
        cluster.vip, since=cluster.healed(), until=timers.failback(master.vrrp).latest
    )

    assert took.within(due)
    assert back.within(timers.failback(master.vrrp))


@pytest.mark.control(
    "the client sends small packets",
    sabotage=lambda cluster: cluster.client.machine.run(
        ["ip", "link", "set", "eth0", "mtu", "1000"]
    ),
    caught="large answers",
)
def test_failover_does_not_help_where_full_packets_alone_are_lost(cluster: Cluster) -> None:
    """A card that takes smaller packets than its LAN sends drops the rest without a word: checks
    and small requests succeed, so everybody stays where they are, and large ones hang.
    """
    master = cluster.settle().master

    with cluster.suffering(ChangeMtu(master)) as struck:
        cluster.timeline.let_pass(timers.removal(cluster.service).latest + cluster.slack)
        (small,) = cluster.client.fetch(1)
        (large,) = cluster.client.fetch(1, padding=3000)
        told = cluster.path_of(large).too_big

    assert small.status == 200
    assert (large.status, told) == (0, [])  # label: large answers
    assert not cluster.timeline.events(DestinationChanged, since=struck)
    assert len(measures.ownership(cluster.timeline, cluster.vip, "eth0", struck)) == 0


REFUSED = "Connection refused"
"""What a machine that is reached, and serves nothing, makes of a request."""


def addresses(director: DirectorNode) -> list[str]:
    """Which IPv4 addresses there are on the public interface."""
    shown = director.machine.run(["ip", "-4", "-o", "address", "show", "dev", "eth1"]).stdout
    return [line.split()[3] for line in shown.splitlines()]


@topology(BareUplink)
@pytest.mark.control("held as /32", topology={"vip_prefix": None}, caught="answers")
@NO_BACKUP
def test_failover_of_an_interface_that_has_the_vip_alone(cluster: Cluster) -> None:
    """Where public addresses are few, directors have none but the VIP, and speak VRRP elsewhere.
    The VIP brings its network along, without which the master could not answer anybody in it.
    """
    master, backup = cluster.settle()
    due = timers.takeover(backup.vrrp, announced=False)
    assert addresses(backup) == []

    with cluster.suffering(PowerOff(master)) as struck:
        took = backup.announces(cluster.vip, since=struck, until=due.latest)  # label: takes over
        (request,) = cluster.client.fetch(1)

    assert request.error == REFUSED  # label: answers
    assert took.within(due)


LEARNING = 30.0
"""Seconds for which spanning tree listens and learns before a port forwards (IEEE 802.1D-2004,
table 17-1).
"""


@pytest.mark.control(
    "the backup hangs", fault=HangKeepalived, node="director2", caught="takes over"
)
def test_failover_to_a_port_that_only_learns_is_a_split_brain(cluster: Cluster) -> None:
    """A machine whose link has come back hears nobody while the switch's port learns, so it takes
    the VIP, too, and yields or prevails when the port forwards (hence "portfast" at ports of
    directors).
    """
    master, backup = cluster.settle()
    wait, after_split_brain = (
        timers.failback(master.vrrp),
        timers.after_split_brain(master.vrrp, backup.vrrp),
    )
    due = timers.takeover(backup.vrrp, announced=False)

    with cluster.suffering(Unplug(master)) as struck:
        backup.takes(cluster.vip, since=struck, until=due.latest)  # label: takes over
    with cluster.suffering(Deaf(master), at_once=True) as plugged, cluster.suffering(Mute(master)):
        alone = master.takes(cluster.vip, since=plugged, until=wait.latest)
        cluster.timeline.let_pass(LEARNING - alone)
        assert cluster.owners() == [master.name, backup.name]
    yielded = backup.resigns(cluster.vip, since=cluster.healed(), until=after_split_brain.latest)

    assert alone.within(wait)
    assert yielded.within(after_split_brain)
    assert cluster.owners() == [master.name]


@pytest.mark.control(
    "the backup hangs", fault=HangKeepalived, node="director2", caught="takes over"
)
def test_failover_by_a_restart_with_another_configuration(cluster: Cluster) -> None:
    """A restart resigns, as an upgrade of the package does, and what keepalived comes back with is
    another file: with a lower priority in it the backup stays what it has become.
    """
    master, backup = cluster.settle()
    due = timers.takeover(backup.vrrp, announced=True)
    edits = Reconfigure(
        master,
        "priority 100",
        "priority 80",
        more=(("router_id director1", "router_id renamed"),),
        restart=True,
    )

    with cluster.suffering(edits) as struck:
        took = backup.takes(cluster.vip, since=struck, until=due.latest)  # label: takes over
        cluster.timeline.let_pass(timers.master_down_interval(master.vrrp))
        assert cluster.owners() == [backup.name]
        assert any("keepalived" in line for line in master.processes())

    assert took.within(due)
    assert master.said("Entering BACKUP STATE", since=struck)


@pytest.mark.control(
    "a rule before it accepts all",
    sabotage=lambda cluster: cluster.client.machine.run(
        ["iptables-legacy", "-I", "INPUT", "-j", "ACCEPT"]
    ),
    caught="lost",
)
def test_failover_is_not_caused_by_a_firewall_of_the_client(cluster: Cluster) -> None:
    """A rule on one machine is a fault like any other: here the client drops the answers, and
    all else goes on.
    """
    cluster.settle()
    with cluster.suffering(
        Firewall(cluster.client, "-A INPUT -p tcp --sport 80 -j DROP")
    ) as struck:
        (lost,) = cluster.client.fetch(1)
    (request,) = cluster.client.fetch(1)

    assert (lost.status, request.status) == (0, 200)  # label: lost
    assert not cluster.timeline.events(AddressChanged, since=struck, address=cluster.vip)
