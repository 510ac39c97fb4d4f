"""Several VIPs: of one instance, of two that back each other up, of two in a sync group, and of
IPv6.
"""

import pytest

from harness import measures
from harness.clock import Window
from harness.cluster import Cluster
from harness.events import Advertisement, Arp, Ndp
from harness.faults import Fault, PowerOff, StopKeepalived, Unplug
from harness.keepalived import timers
from harness.nodes import DirectorNode
from harness.scenario import topology
from topologies.director_group import SECOND_VIP, VIP, DirectorGroup
from topologies.router_pair import INNER, OUTER, RouterPair

pytestmark = pytest.mark.ownership

LOSSES = pytest.mark.parametrize(
    "loss", [PowerOff, StopKeepalived], ids=lambda fault: fault.__name__
)
BLOCK = ("172.16.10.50", "172.16.10.51", "172.16.10.52")
EXCLUDED = ("172.16.10.60", "fd00:10::60")
SAID_ONCE = {"director2": ("version 2", "version 2\n    garp_master_repeat 1")}
VIP6 = ("fe80::50", "fd00:10::50")


@pytest.mark.control(
    "one VIP less", config={"director2": ("172.16.10.51/32 dev eth0", "")}, caught="takes over"
)
@topology(DirectorGroup, vip=BLOCK, excluded_vips=EXCLUDED)
def test_ownership_of_several_vips_moves_at_once(cluster: Cluster) -> None:
    """All VIPs of an instance have one owner, those too that are left out of the advertisements
    (``..._excluded``).
    """
    master, backup = cluster.settle()
    due = timers.takeover(backup.vrrp, announced=True)

    with cluster.suffering(StopKeepalived(master)) as struck:
        took = [
            backup.takes(vip, since=struck, until=due.latest)
            for vip in (*backup.vrrp.vips, *backup.vrrp.excluded_vips)
        ]  # label: takes over
    (advertised,) = {
        advert.addresses for advert in cluster.timeline.events(Advertisement, node=backup.name)
    }

    assert all(seconds.within(due) for seconds in took), took
    assert advertised == " ".join(BLOCK)


@pytest.mark.control("said but once", config=SAID_ONCE, caught="gratuitous ARP")
@topology(DirectorGroup, vip=BLOCK, excluded_vips=EXCLUDED)
def test_ownership_of_several_vips_is_announced_for_each(cluster: Cluster) -> None:
    """Five gratuitous ARPs, or unsolicited neighbour advertisements, for every address
    (``vrrp_send_link_update``).
    """
    master, backup = cluster.settle()
    due = timers.takeover(backup.vrrp, announced=True)
    at_once = [after for after in timers.garp_schedule(backup.vrrp) if after == 0]
    cluster.timeline.let_pass(
        backup.vrrp.garp_master_delay
    )  # what it had still to say of an earlier takeover

    with cluster.suffering(StopKeepalived(master)) as struck:
        took = backup.announces(cluster.vip, since=struck, until=due.latest)
    until = struck + took + cluster.slack
    arps = cluster.timeline.events(
        Arp, node=backup.name, since=struck, until=until, sent=True, gratuitous=True
    )
    ndps = cluster.timeline.events(
        Ndp, node=backup.name, since=struck, until=until, sent=True, unsolicited=True
    )
    announced = [arp.sender for arp in arps] + [ndp.target for ndp in ndps]

    assert sorted(announced) == sorted((*BLOCK, *EXCLUDED) * len(at_once))  # label: gratuitous ARP


@LOSSES
@pytest.mark.control(
    "the same order twice", config={"director1": ("priority 90", "priority 110")}, caught="settles"
)
@topology(DirectorGroup, mutual=True)
def test_ownership_is_mutual_where_each_director_has_a_vip(
    cluster: Cluster, loss: type[Fault[DirectorNode]]
) -> None:
    """Two instances on one LAN elect independently: both directors work, and each can do the
    work of both.
    """
    first, second = cluster.directors
    cluster.settle()  # label: settles
    assert (cluster.owners(VIP), cluster.owners(SECOND_VIP)) == ([first.name], [second.name])
    due = timers.takeover(first.claim(SECOND_VIP), announced=loss.announced)

    with cluster.suffering(loss(second)) as struck:
        took = first.takes(SECOND_VIP, since=struck, until=due.latest)
        assert cluster.owners(VIP) == [first.name]

    assert took.within(due)


@pytest.mark.control("no sync group", topology={"grouped": False}, caught="resigns")
@pytest.mark.parametrize("interface", ["eth0", "eth1"])
@topology(RouterPair)
def test_ownership_in_a_sync_group_is_of_all_or_none(cluster: Cluster, interface: str) -> None:
    """A router with a dead side is no router: the other side resigns too, and its peer has both
    (``vrrp_sync.c``).
    """
    master, backup = cluster.settle()
    lost, kept = (OUTER, INNER) if interface == "eth0" else (INNER, OUTER)
    silence = timers.takeover(backup.claim(lost), announced=False)

    with cluster.suffering(Unplug(master, interface)) as struck:
        resigned = master.resigns(kept, since=struck, until=0.0)  # label: resigns
        took = [backup.takes(vip, since=struck, until=silence.latest) for vip in (lost, kept)]

    assert resigned.within(Window.exactly(0))
    assert took[0].within(silence)
    assert took[1].within(Window.exactly(took[0]))


@pytest.mark.control("no sync group", topology={"grouped": False}, caught="takes over")
@topology(RouterPair)
def test_ownership_in_a_sync_group_comes_back_together(cluster: Cluster) -> None:
    """The higher priority takes over only when all members of its group can
    (``vrrp_sync_can_goto_master``).
    """
    master, backup = cluster.settle()
    due = timers.failback(master.claim(INNER))

    with cluster.suffering(Unplug(master, "eth1")) as struck:
        silence = timers.takeover(backup.claim(INNER), announced=False)
        backup.takes(OUTER, since=struck, until=silence.latest)  # label: takes over
    healed = cluster.healed()
    returned = [master.takes(vip, since=healed, until=due.latest) for vip in (INNER, OUTER)]

    assert returned[0].within(due)
    assert returned[1].within(Window.exactly(returned[0])), returned


@LOSSES
@pytest.mark.control(
    "a low priority and two intervals more to wait",
    config={"director2": ("priority 90", "priority 1\ndown_timer_adverts 5")},
    caught=("in its window", "takes over"),
)
@topology(DirectorGroup, vip=VIP6, version=3)
def test_ownership_of_an_ipv6_vip_moves_within_its_window(
    cluster: Cluster, loss: type[Fault[DirectorNode]]
) -> None:
    """The same protocol between link-local addresses, to ff02::12 and in version 3 only (RFC
    5798 section 5.1.2).
    """
    master, backup = cluster.settle()
    due = timers.takeover(backup.vrrp, announced=loss.announced)

    with cluster.suffering(loss(master)) as struck:
        took = [
            backup.takes(vip, since=struck, until=due.latest) for vip in VIP6
        ]  # label: takes over
    sent = cluster.timeline.events(Advertisement, sent=True)

    assert all(seconds.within(due) for seconds in took), took  # label: in its window
    assert {advert.destination for advert in sent} == {"ff02::12"}
    assert all(advert.source.startswith("fe80::") for advert in sent)
    assert not measures.split_brain(cluster.timeline, backup.vrrp.vrid, since=struck)


@pytest.mark.control(
    "another VIP",
    config={"director2": ("fd00:10::50/128", "fd00:10::51/128")},
    caught="takes over",
)
@topology(DirectorGroup, vip=VIP6, version=3)
def test_ownership_of_an_ipv6_vip_is_announced_to_the_neighbours(cluster: Cluster) -> None:
    """The client's neighbour cache points at the old master; unsolicited advertisements correct
    it (RFC 4861 7.2.6).
    """
    master, backup = cluster.settle()
    due = timers.takeover(backup.vrrp, announced=False)
    cluster.client.speak_to(VIP6[1])
    assert cluster.client.neighbour(VIP6[1]) == master.mac

    with cluster.suffering(PowerOff(master)) as struck:
        backup.announces(cluster.vip, since=struck, until=due.latest)  # label: takes over
        known = cluster.client.neighbour(VIP6[1])

    assert known == backup.mac
