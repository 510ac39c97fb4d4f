"""Election: who becomes master and when, whatever the directors were told to begin as."""

import pytest

from harness import measures
from harness.clock import Window
from harness.cluster import Cluster
from harness.events import AddressChanged, Advertisement, DaemonChanged
from harness.faults import BlackHole, Fault, PowerOff, StopKeepalived
from harness.keepalived import timers
from harness.nodes import DirectorNode
from harness.scenario import fresh_topology, topology
from topologies.director_group import DirectorGroup

pytestmark = pytest.mark.election

LOSSES = pytest.mark.parametrize(
    "loss", [PowerOff, StopKeepalived], ids=lambda fault: fault.__name__
)


@pytest.mark.control(
    "the other has the higher priority", topology={"priorities": (90, 100)}, caught="becomes master"
)
@fresh_topology(DirectorGroup, states=("MASTER", "MASTER"))
def test_election_of_two_configured_masters_is_by_priority(cluster: Cluster) -> None:
    """``state MASTER`` is a wish: both wait as backups, and the shorter skew wins (keepalived
    ``vrrp_init_state``).
    """
    first, second = cluster.directors
    due = timers.cold_start(first.vrrp, second.vrrp)

    candidate = first.candidate_since()
    took = first.takes(
        cluster.vip, since=candidate.latest, until=due.latest
    )  # label: becomes master
    cluster.timeline.let_pass(timers.master_down_interval(second.vrrp))

    assert took.happened_within(candidate + due)
    assert not cluster.timeline.events(Advertisement, node=second.name, sent=True)


@pytest.mark.control(
    "its priority is 254", config={"director1": ("priority 255", "priority 254")}, caught="owner"
)
@pytest.mark.control(
    "it is told to be BACKUP",
    config={"director1": ("state MASTER", "state BACKUP")},
    caught="owner",
)
@fresh_topology(DirectorGroup, priorities=(255, 100), states=("MASTER", "BACKUP"))
def test_election_is_not_awaited_by_the_address_owner(cluster: Cluster) -> None:
    """Priority 255 owns the address, and is master at once (RFC 3768 and RFC 5798 section
    6.4.1).
    """
    owner, other = cluster.directors
    due = timers.cold_start(owner.vrrp, other.vrrp)

    began = cluster.timeline.events(DaemonChanged, node=owner.name, action="started")[-1].at
    candidate = Window(
        began, other.candidate_since().latest
    )  # the other is as long on its way to an election
    took = owner.takes(
        cluster.vip, since=began, until=candidate.latest - began + due.latest
    )  # label: owner

    assert took.happened_within(candidate + due)


@pytest.mark.control(
    "it is told to be MASTER", topology={"states": ("MASTER", "BACKUP")}, caught="candidate"
)
@fresh_topology(DirectorGroup, priorities=(255, 100))
def test_election_is_awaited_by_an_address_owner_told_to_be_backup(cluster: Cluster) -> None:
    """keepalived believes in priority 255 only together with ``state MASTER``
    (``vrrp_init_state``).
    """
    owner, other = cluster.directors
    due = timers.cold_start(owner.vrrp, other.vrrp)

    candidate = owner.candidate_since()  # label: candidate
    took = owner.takes(cluster.vip, since=candidate.latest, until=due.latest)

    assert took.happened_within(candidate + due)


@pytest.mark.control(
    "the third has the second's priority",
    topology={"priorities": (110, 90, 100)},
    caught="takes over",
)
@topology(DirectorGroup, priorities=(110, 100, 90))
def test_election_among_three_follows_the_priorities(cluster: Cluster) -> None:
    """Of those left the highest waits for the shortest time, and is heard by the others before
    they lose patience.
    """
    first, second, third = cluster.directors
    assert cluster.settle().master is first
    dues = [timers.takeover(director.vrrp, announced=False) for director in (second, third)]

    with cluster.suffering(PowerOff(first)) as struck:
        took = second.announces(
            cluster.vip, since=struck, until=dues[0].latest
        )  # label: takes over
        with cluster.suffering(PowerOff(second)) as struck_again:
            took_next = third.takes(cluster.vip, since=struck_again, until=dues[1].latest)

    assert took.within(dues[0])
    assert took_next.within(dues[1])
    assert not cluster.timeline.events(
        AddressChanged, node=third.name, since=struck, until=struck_again, action="added"
    )
    assert not measures.split_brain(cluster.timeline, first.vrrp.vrid, since=struck)


@pytest.mark.control("the other outranks it", topology={"priorities": (100, 101)}, caught="owner")
@topology(DirectorGroup, priorities=(100, 100))
def test_election_tie_leaves_the_master_in_office(cluster: Cluster) -> None:
    """A backup obeys a priority that is not lower than its own, whatever the addresses (RFC
    5798 section 6.4.2).
    """
    lower, higher = cluster.directors
    cluster.settle()

    with cluster.suffering(StopKeepalived(higher)) as struck:
        until = struck + timers.takeover(lower.vrrp, announced=True).latest + cluster.slack
        cluster.timeline.wait_until(
            lambda: cluster.owners() == [lower.name] or None, until, "it takes the VIP"
        )
    candidate = higher.candidate_since()
    cluster.timeline.let_pass(timers.master_down_interval(higher.vrrp) + cluster.slack)

    assert cluster.owners() == [lower.name]  # label: owner
    assert not cluster.timeline.events(AddressChanged, node=higher.name, since=candidate.latest)


@pytest.mark.control("no tie", topology={"priorities": (101, 100)}, caught="resigns")
@topology(DirectorGroup, priorities=(100, 100))
def test_election_tie_between_masters_goes_to_the_higher_address(cluster: Cluster) -> None:
    """Of two masters of one priority the one of the lower address resigns (RFC 5798 section
    6.4.3).
    """
    lower, higher = cluster.directors
    master, backup = cluster.settle()
    due = timers.after_split_brain(higher.vrrp, lower.vrrp)

    with cluster.suffering(BlackHole(master)) as struck:
        backup.takes(
            cluster.vip, since=struck, until=timers.takeover(backup.vrrp, announced=False).latest
        )
        assert len(cluster.owners()) == 2
    healed = cluster.healed()
    took = lower.resigns(cluster.vip, since=healed, until=due.latest)  # label: resigns

    assert took.within(due)
    assert cluster.owners() == [higher.name]


@pytest.mark.control(
    "it may preempt", config={"director1": ("nopreempt", "preempt")}, caught="owner"
)
@topology(DirectorGroup, nopreempt=True)
def test_election_without_preemption_leaves_the_backup_in_office(cluster: Cluster) -> None:
    """With ``nopreempt`` a returning higher priority obeys any master, until there is none."""
    first, second = cluster.directors
    if cluster.settle().master is second:  # which may have been the first to start, or been left so
        with cluster.suffering(StopKeepalived(second)) as struck:
            first.takes(
                cluster.vip, since=struck, until=timers.takeover(first.vrrp, announced=True).latest
            )
        cluster.settle()

    with cluster.suffering(PowerOff(first)) as struck:
        second.takes(
            cluster.vip, since=struck, until=timers.takeover(second.vrrp, announced=False).latest
        )
    first.candidate_since()
    cluster.timeline.let_pass(timers.master_down_interval(first.vrrp) + cluster.slack)

    assert cluster.owners() == [second.name]  # label: owner


@pytest.mark.control(
    "no preempt_delay",
    config={"director1": ("preempt_delay 5", "preempt_delay 0")},
    caught="in its window",
)
@topology(DirectorGroup, preempt_delay=5.0)
def test_election_with_preempt_delay_waits_for_so_long(cluster: Cluster) -> None:
    """It counts from the first lower advertisement; until it is over these are obeyed
    (``vrrp_state_backup``).
    """
    master, backup = cluster.settle()
    due = timers.failback(master.vrrp)

    with cluster.suffering(PowerOff(master)) as struck:
        backup.takes(
            cluster.vip, since=struck, until=timers.takeover(backup.vrrp, announced=False).latest
        )
    candidate = master.candidate_since()
    took = master.takes(cluster.vip, since=candidate.latest, until=due.latest)

    assert took.happened_within(candidate + due)  # label: in its window


SHORT = [
    pytest.param(loss, marks=topology(DirectorGroup, version=3, advert_int=advert_int),
                 id=f"{advert_int}s-{loss.__name__}")
    for advert_int in (0.1, 0.25, 0.5)
    for loss in (PowerOff, StopKeepalived)
]  # fmt: skip


@pytest.mark.control(
    "a low priority and two intervals more to wait",
    config={"director2": ("priority 90", "priority 1\ndown_timer_adverts 5")},
    caught=("takes over", "in its window"),
)
@pytest.mark.parametrize("loss", SHORT)
def test_election_in_version_3_takes_fractions_of_a_second(
    cluster: Cluster, loss: type[Fault[DirectorNode]]
) -> None:
    """The advertisement interval is in hundredths of a second, and the skew a share of it (RFC
    5798 section 6.1).
    """
    master, backup = cluster.settle()
    due = timers.takeover(backup.vrrp, announced=loss.announced)

    with cluster.suffering(loss(master)) as struck:
        took = backup.takes(cluster.vip, since=struck, until=due.latest)  # label: takes over

    assert took.within(due)  # label: in its window


@pytest.mark.control(
    "the master's is longer",
    config={"director1": ("advert_int 0.25", "advert_int 2")},
    caught="takes over",
)
@topology(DirectorGroup, version=3, advert_ints=(0.25, 1))
def test_election_in_version_3_uses_the_masters_interval(cluster: Cluster) -> None:
    """A backup waits for three of the intervals that the master advertises, not of its own (RFC
    5798 section 6.4.2).
    """
    master, backup = cluster.settle()
    due = timers.takeover(backup.vrrp, announced=False, master_advert_int=master.vrrp.advert_int)

    with cluster.suffering(PowerOff(master)) as struck:
        took = backup.takes(cluster.vip, since=struck, until=due.latest)  # label: takes over

    assert took.within(due)


@LOSSES
@pytest.mark.control(
    "a stranger for a peer",
    config={"director1": ("172.16.10.12", "172.16.10.13")},
    caught="in its window",
)
@topology(DirectorGroup, unicast=True)
def test_election_by_unicast_sends_to_the_peers_alone(
    cluster: Cluster, loss: type[Fault[DirectorNode]]
) -> None:
    """Where there is no multicast, advertisements go to the ``unicast_peer`` addresses, by the
    same timers.
    """
    master, backup = cluster.settle()
    due = timers.takeover(backup.vrrp, announced=loss.announced)

    with cluster.suffering(loss(master)) as struck:
        took = backup.takes(cluster.vip, since=struck, until=due.latest)
    sent = cluster.timeline.events(Advertisement, sent=True)

    assert took.within(due)  # label: in its window
    assert {advert.destination for advert in sent if advert.node == master.name} == {backup.ip}
    assert {advert.destination for advert in sent if advert.node == backup.name} == {master.ip}
