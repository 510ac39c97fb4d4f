"""FRRouting's vrrpd and keepalived: each with its like, and the one as the other's backup."""

from __future__ import annotations

from typing import Any

import pytest

from harness import measures
from harness.clock import Window
from harness.cluster import Cluster
from harness.daemons import frr
from harness.events import Advertisement, Ndp, StateChanged
from harness.faults import BlackHole, Fault, HangSpeaker, PowerOff, StopSpeaker
from harness.keepalived import timers
from harness.nodes import DirectorNode
from harness.scenario import fresh_topology, topology
from topologies.speaker_pair import VIP6, SpeakerPair

FRR = pytest.mark.needs(
    "FRRouting's vrrpd, as --image trixie+frr has it", program="/usr/lib/frr/vrrpd"
)
pytestmark = [pytest.mark.interoperation, FRR]

PAIRS = (("frr", "frr"), ("frr", "keepalived"), ("keepalived", "frr"))
"""Master and backup."""
VERSION_3: dict[str, dict[str, Any]] = {"IPv4 version 3": {}, "IPv6 version 3": {"vip": VIP6}}
KINDS: dict[str, dict[str, Any]] = {**VERSION_3, "IPv4 version 2": {"version": 2}}
ARP_IGNORE = (("net.ipv4.conf.all.arp_ignore", 1),)
LOSSES: tuple[type[Fault[Any]], ...] = (PowerOff, StopSpeaker, HangSpeaker)
MUTE = pytest.mark.control(
    "the backup hangs", fault=HangSpeaker, node="director2", caught=("takes over", "settles")
)


def case(
    by: tuple[str, str],
    kind: str,
    *values: object,
    word: str = "",
    fresh: bool = False,
    **parameters: Any,
) -> Any:
    """A case that runs on a pair, and is called after it."""
    marks = [
        (fresh_topology if fresh else topology)(SpeakerPair, by=by, **KINDS[kind], **parameters)
    ]
    return pytest.param(*values, id=f"{' and '.join(by)}, {kind}{word}", marks=marks)


def elected(cluster: Cluster) -> tuple[DirectorNode, DirectorNode]:
    """Master and backup, once they have heard each other: over IPv6 the first advertisement of a
    vrrpd does not leave (``test_interoperation_begins_in_silence_over_ipv6``).
    """
    cluster.settle()  # label: settles
    cluster.timeline.let_pass(
        max(director.vrrp.advert_int for director in cluster.directors) + cluster.slack
    )
    return cluster.settle().master, cluster.backup  # label: one master


@MUTE
@pytest.mark.parametrize(
    "loss",
    [
        case(by, kind, loss, word=f", {loss.__name__}")
        for by in PAIRS
        for kind in KINDS
        for loss in LOSSES
    ],
)
def test_interoperation_fails_over_within_the_window(
    cluster: Cluster, loss: type[Fault[DirectorNode]]
) -> None:
    """A backup of either make believes a master of either make, and waits as long as the RFCs say:
    vrrpd drops what is left of a hundredth of a second from the skew.
    """
    master, backup = elected(cluster)
    due = backup.due(timers.takeover(backup.vrrp, announced=loss.announced))

    with cluster.suffering(loss(master)) as struck:
        took = backup.announces(cluster.vip, since=struck, until=due.latest)  # label: takes over
        cluster.timeline.let_pass(2 * backup.vrrp.advert_int)

    assert took.within(due)
    assert not measures.split_brain(cluster.timeline, backup.vrrp.vrid, since=struck)


@pytest.mark.control(
    "the other is as good", topology={"priorities": (100, 100)}, caught="fails back"
)
@pytest.mark.parametrize((), [case(by, kind) for by in PAIRS for kind in KINDS])
def test_interoperation_preempts_after_the_masters_own_wait(cluster: Cluster) -> None:
    """A higher priority that returns discards what the other make advertises, and takes the VIP
    back after its own Master_Down_Interval; the lower one gives way at its first word, which a
    vrrpd says over IPv6 an interval later.
    """
    master, backup = elected(cluster)
    due = master.due(timers.failback(master.vrrp))
    silent = master.vrrp.advert_int if (master.role.by, master.vrrp.family) == ("frr", 6) else 0.0

    with cluster.suffering(PowerOff(master)) as struck:
        latest = backup.due(timers.takeover(backup.vrrp, announced=False)).latest
        backup.takes(cluster.vip, since=struck, until=latest)
    candidate = master.candidate_since(since=cluster.healed())
    took = master.takes(cluster.vip, since=candidate.latest, until=due.latest)  # label: fails back
    left = backup.resigns(cluster.vip, since=candidate.latest, until=due.latest + silent)

    assert took.happened_within(candidate + due)
    assert left.happened_within(candidate + due + Window.exactly(silent))


@pytest.mark.control("it may preempt", topology={"nopreempt": False}, caught="owner")
@pytest.mark.parametrize((), [case(by, kind, nopreempt=True) for by in PAIRS for kind in VERSION_3])
def test_interoperation_without_preemption_leaves_the_backup_in_office(cluster: Cluster) -> None:
    """With ``nopreempt``, or ``no vrrp 51 preempt``, a returning higher priority obeys any
    master of either make.
    """
    first, second = cluster.directors
    cluster.timeline.let_pass(2 * timers.master_down_interval(second.vrrp))
    if cluster.owners() == [second.name]:
        with cluster.suffering(StopSpeaker(second)):
            cluster.timeline.let_pass(timers.master_down_interval(first.vrrp))
    cluster.timeline.let_pass(2 * first.vrrp.advert_int)
    assert cluster.owners() == [first.name]

    with cluster.suffering(PowerOff(first)) as struck:
        latest = second.due(timers.takeover(second.vrrp, announced=False)).latest
        second.takes(cluster.vip, since=struck, until=latest)
    first.candidate_since(since=cluster.healed())
    cluster.timeline.let_pass(timers.master_down_interval(first.vrrp) + cluster.slack)

    assert cluster.owners() == [second.name]  # label: owner


@pytest.mark.diagnosis("advert_int mismatch")
@pytest.mark.control(
    "the master's is longer",
    topology={"advert_ints": (2, 1)},
    caught=("takes over", "in its window"),
)
@pytest.mark.parametrize(
    "advert_int",
    [case(by, kind, 0.25, advert_ints=(0.25, 1)) for by in PAIRS for kind in VERSION_3],
)
def test_interoperation_takes_over_the_masters_interval(
    cluster: Cluster, advert_int: float
) -> None:
    """A backup of either make waits for three of the intervals that the master advertises (RFC
    9568 section 6.4.2).
    """
    master, backup = elected(cluster)
    due = backup.due(
        timers.takeover(backup.vrrp, announced=False, master_advert_int=advert_int), advert_int
    )

    with cluster.suffering(PowerOff(master)) as struck:
        took = backup.takes(cluster.vip, since=struck, until=due.latest)  # label: takes over

    assert took.within(due)  # label: in its window


@pytest.mark.control("no tie", topology={"priorities": (101, 100)}, caught="resigns")
@pytest.mark.parametrize(
    "higher", [case(by, "IPv4 version 3", "director2", priorities=(100, 100)) for by in PAIRS]
)
def test_interoperation_of_two_masters_goes_to_the_higher_address(
    cluster: Cluster, higher: str
) -> None:
    """Of two masters of one priority that hear each other again the one of the lower address
    gives way.
    """
    cluster.settle()
    winner = next(director for director in cluster.directors if director.name == higher)
    loser = next(director for director in cluster.directors if director.name != higher)
    cluster.timeline.let_pass(2 * loser.vrrp.advert_int)
    (owner,) = (director for director in cluster.directors if [director.name] == cluster.owners())
    other = winner if owner is loser else loser

    with cluster.suffering(BlackHole(owner)) as struck:
        other.takes(
            cluster.vip, since=struck, until=timers.takeover(other.vrrp, announced=False).latest
        )
    took = loser.resigns(
        cluster.vip,
        since=cluster.healed(),
        until=timers.after_split_brain(winner.vrrp, loser.vrrp).latest,
    )  # label: resigns

    assert took.within(timers.after_split_brain(winner.vrrp, loser.vrrp))
    assert cluster.owners() == [winner.name]


@pytest.mark.control(
    "the other has the higher priority", topology={"priorities": (90, 100)}, caught="show vrrp"
)
@pytest.mark.parametrize("word", [case(("frr", "frr"), kind, "Master") for kind in KINDS])
def test_interoperation_is_told_by_show_vrrp(cluster: Cluster, word: str) -> None:
    """What ``show vrrp json`` says is what the log and the interfaces say."""
    elected(cluster)
    first, second = (frr.status(director.machine, director.vrrp) for director in cluster.directors)

    assert (first["status"], second["status"]) == (word, "Backup")  # label: show vrrp
    assert [cluster.owners()] == [[cluster.directors[0].name]]


# -- what does not work between them ---------------------------------------------------------------


@pytest.mark.known_defect(
    "not found in FRR's tracker",
    "a new master's first IPv6 advertisement does not leave, as vrrpd is told of its addresses"
    " after its carrier",
)
@pytest.mark.control(
    "keepalived is the first",
    topology={"by": ("keepalived", "frr")},
    caught=("both are master", "silent"),
)
@pytest.mark.parametrize(
    (), [case(by, "IPv6 version 3", fresh=True) for by in PAIRS if by[0] == "frr"]
)
def test_interoperation_begins_in_silence_over_ipv6(cluster: Cluster) -> None:
    """A vrrpd that becomes master over IPv6 tells the LAN whose the VIP is, and advertises one
    interval later: another router, of either make, that would have waited a little longer becomes
    master as well, until it hears the first advertisement. FRR ``vrrp.c``,
    ``vrrp_bind_to_primary_connected``: "Failed to find address to bind".
    """
    first, second = cluster.directors
    cluster.timeline.let_pass(timers.master_down_interval(second.vrrp) + 2 * first.vrrp.advert_int)
    entered = cluster.timeline.events(StateChanged, node=first.name, state="MASTER")[0].at
    told = cluster.timeline.events(
        Ndp, node=first.name, sent=True, unsolicited=True, operation="advertisement"
    )
    said = cluster.timeline.events(Advertisement, node=first.name, sent=True)
    both = cluster.timeline.events(StateChanged, node=second.name, state="MASTER", since=entered)
    silence = said[0].at - entered

    assert both  # label: both are master
    assert silence in cluster.within(Window.exactly(first.vrrp.advert_int))  # label: silent
    assert {event.target for event in told if event.at < said[0].at} == set(VIP6)


@pytest.mark.known_defect(
    "FRRouting issues 16696 and 16995",
    "a backup answers ARP for the VIP, which stays on its macvlan without a carrier: a local"
    " address like any other",
)
@pytest.mark.control(
    "it answers for its interface alone", topology={"sysctl": ARP_IGNORE}, caught="answers ARP"
)
@pytest.mark.parametrize((), [case(by, "IPv4 version 3") for by in PAIRS if by[1] == "frr"])
def test_interoperation_has_a_backup_that_answers_arp(cluster: Cluster) -> None:
    """Whoever asks for the VIP while vrrpd is a backup is told its interface's own hardware
    address, beside the master's, and may send to the router that is not master.
    """
    _, backup = elected(cluster)

    answered = cluster.client.ask_arp(cluster.vip, 1)

    assert (backup.name, backup.mac) in {
        (answer.node, answer.sender_mac) for answer in answered
    }  # label: answers ARP


@pytest.mark.control("it answers for all addresses", topology={"sysctl": ()}, caught="answers ARP")
@pytest.mark.parametrize((), [case(by, "IPv4 version 3", sysctl=ARP_IGNORE) for by in PAIRS])
def test_interoperation_has_the_master_alone_answer_arp(cluster: Cluster) -> None:
    """The cure: with ``arp_ignore`` 1 a machine answers on an interface for the addresses of that
    one alone. The macvlan of a backup hears nothing, and the one of a master tells the virtual
    router's hardware address.
    """
    master, _ = elected(cluster)

    answered = cluster.client.ask_arp(cluster.vip, 1)

    assert [(answer.node, answer.sender_mac) for answer in answered] == [
        (master.name, master.hardware_address(cluster.vip))
    ]  # label: answers ARP


def deaf_to_each_other(cluster: Cluster) -> tuple[list[Advertisement], list[Advertisement]]:
    """Two masters, each of which the other's advertisements reach: what each hears of the other
    meanwhile.
    """
    first, second = cluster.directors
    began = cluster.timeline.now()
    cluster.timeline.let_pass(2 * timers.master_down_interval(second.vrrp))
    assert cluster.owners() == [first.name, second.name]  # label: two masters
    return (
        measures.heard(cluster.timeline, first.name, 51, since=began),
        measures.heard(cluster.timeline, second.name, 51, since=began),
    )


@pytest.mark.control(
    "nobody has a password", topology={"passwords": (None, None)}, caught="two masters"
)
@fresh_topology(SpeakerPair, by=("keepalived", "frr"), version=2, passwords=("lvs-dr", None))
def test_interoperation_fails_with_a_password(cluster: Cluster) -> None:
    """vrrpd knows no authentication (RFC 3768 dropped it): it discards an advertisement with a
    password, as keepalived does one without. The cure is no ``authentication`` in keepalived.conf.
    """
    by_keepalived, by_frr = deaf_to_each_other(cluster)

    assert {advert.authentication for advert in by_keepalived} == {"none"}
    assert {advert.authentication for advert in by_frr} == {"pass"}


@pytest.mark.diagnosis("VRRP version mismatch")
@pytest.mark.control("one version", topology={"versions": (3, 3)}, caught="two masters")
@fresh_topology(SpeakerPair, by=("keepalived", "frr"), versions=(2, 3))
def test_interoperation_fails_with_the_defaults(cluster: Cluster) -> None:
    """keepalived speaks version 2 unless it is told otherwise, vrrpd version 3, and each discards
    the other's. The cure is ``version 3`` in keepalived.conf, or ``vrrp 51 version 2`` in
    vrrpd.conf.
    """
    by_keepalived, by_frr = deaf_to_each_other(cluster)

    assert {advert.version for advert in by_keepalived} == {3}
    assert {advert.version for advert in by_frr} == {2}


@pytest.mark.diagnosis("VRRP checksum mismatch")
@pytest.mark.needs("v3_checksum_as_v2, and what vrrpd has for it", keepalived="2.2.8")
@pytest.mark.control(
    "one checksum", topology={"pseudo_headers": (False, False)}, caught="two masters"
)
@pytest.mark.parametrize(
    "pseudo_headers",
    [
        case(
            by,
            "IPv4 version 3",
            each,
            word=f", {by[0]}'s with pseudo-header: {each[0]}",
            pseudo_headers=each,
            fresh=True,
        )
        for by in (("keepalived", "frr"), ("frr", "frr"))
        for each in ((True, False), (False, True))
    ],
)
def test_interoperation_fails_with_two_checksums(
    cluster: Cluster, pseudo_headers: tuple[bool, bool]
) -> None:
    """RFC 5798 has a pseudo-header in the checksum over IPv4, RFC 9568 has none. Both makes have
    one unless they are told otherwise (``v3_checksum_as_v2``, ``no vrrp 51
    checksum-with-ipv4-pseudoheader``); to one that goes by the other RFC the checksum is wrong.
    keepalived with ``v3_checksum_as_v2`` takes any (``vrrp_check_packet``), and is not heard by the
    other. The cure is to say the same to both.
    """
    by_first, by_second = deaf_to_each_other(cluster)

    assert by_first
    assert by_second


@pytest.mark.needs("v3_checksum_as_v2, and what vrrpd has for it", keepalived="2.2.8")
@pytest.mark.control(
    "two checksums", topology={"pseudo_headers": (False, True)}, caught=("owner", "one master")
)
@pytest.mark.parametrize(
    (), [case(by, "IPv4 version 3", pseudo_headers=(False, False)) for by in PAIRS]
)
def test_interoperation_by_the_checksum_of_rfc_9568(cluster: Cluster) -> None:
    """Of the message alone, for both: one master, whom the other hears."""
    master, backup = elected(cluster)
    cluster.timeline.let_pass(2 * timers.master_down_interval(backup.vrrp))

    assert cluster.owners() == [master.name]  # label: owner
    assert not measures.split_brain(cluster.timeline, 51)
