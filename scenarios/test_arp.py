"""ARP suppression: of all that hold the VIP the owner alone answers for it, and the real
servers never name it.
"""

from dataclasses import replace
from typing import Any

import pytest

from harness.cluster import Cluster
from harness.events import Arp
from harness.faults import DropArp, HalfProtected, PowerOff, Unprotected
from harness.keepalived import timers
from harness.scenario import topology
from topologies.director_group import DirectorGroup
from topologies.director_pair import DirectorPair

pytestmark = [pytest.mark.arp, topology(DirectorPair)]

UNPROTECTED = pytest.mark.control(
    "ARP protection off", fault=Unprotected, node="web1", caught="who speaks for the VIP"
)
NO_VIP = pytest.mark.control(
    "the VIP is missing on web1",
    sabotage=lambda cluster: cluster.nodes["web1"].machine.run(
        ["ip", "address", "del", "172.16.10.50/32", "dev", "lo"]
    ),
    caught="who speaks for the VIP",
)

QUESTIONS = 5


@UNPROTECTED
def test_arp_only_the_owner_answers_for_the_vip(cluster: Cluster) -> None:
    """``arp_ignore=1``: an address on ``lo`` is no answer to what came in by ``eth0`` (kernel
    ``arp_ignore``).
    """
    master = cluster.settle().master

    answers = cluster.client.ask_arp(cluster.vip, QUESTIONS)

    assert {(answer.node, answer.sender_mac) for answer in answers} == {
        (master.name, master.mac)
    }  # label: who speaks for the VIP
    assert len(answers) == QUESTIONS


@UNPROTECTED
def test_arp_real_server_that_talks_first_does_not_announce_the_vip(cluster: Cluster) -> None:
    """``arp_announce=2``: its own question names an address of the interface, though it speaks
    as the VIP.
    """
    cluster.settle()
    server = cluster.real_servers[0]
    asked = cluster.timeline.now()

    server.speak_first(source=cluster.vip, to=cluster.client)
    questions = cluster.timeline.events(
        Arp, node=server.name, since=asked, sent=True, operation="request"
    )

    assert {question.sender for question in questions} == {
        server.ip
    }  # label: who speaks for the VIP


@NO_VIP
def test_arp_flux_is_seen_without_the_protection(cluster: Cluster) -> None:
    """A real server whose protection is stopped answers as well: the check above can fail."""
    master, server = cluster.settle().master, cluster.real_servers[0]

    with cluster.suffering(Unprotected(server)):
        answers = cluster.client.ask_arp(cluster.vip, QUESTIONS)

    assert {answer.node for answer in answers} == {
        master.name,
        server.name,
    }  # label: who speaks for the VIP


@NO_VIP
def test_arp_unprotected_real_server_announces_the_vip(cluster: Cluster) -> None:
    """Without ``arp_announce`` the VIP, as the packet's source, is what its question names."""
    cluster.settle()
    server = cluster.real_servers[0]
    asked = cluster.timeline.now()

    with cluster.suffering(Unprotected(server)):
        server.speak_first(source=cluster.vip, to=cluster.client)  # label: who speaks for the VIP
    questions = cluster.timeline.events(
        Arp, node=server.name, since=asked, sent=True, operation="request"
    )

    assert cluster.vip in {question.sender for question in questions}


@NO_VIP
@pytest.mark.parametrize("lacks", ["arp_ignore", "arp_announce"])
def test_arp_either_setting_alone_is_half_a_protection(cluster: Cluster, lacks: str) -> None:
    """``arp_ignore`` is about answers and ``arp_announce`` about questions: without the one the
    real server answers for the VIP, without the other it names it, and either leads clients past
    the director.
    """
    master, server = cluster.settle().master, cluster.real_servers[0]
    asked = cluster.timeline.now()

    with cluster.suffering(HalfProtected(server, lacks)):
        answers = cluster.client.ask_arp(cluster.vip, QUESTIONS)
        server.speak_first(source=cluster.vip, to=cluster.client)  # label: who speaks for the VIP
    questions = cluster.timeline.events(
        Arp, node=server.name, since=asked, sent=True, operation="request"
    )

    assert {answer.node for answer in answers} == {
        master.name,
        *([server.name] if lacks == "arp_ignore" else []),
    }
    assert {question.sender for question in questions} == {
        cluster.vip if lacks == "arp_announce" else server.ip
    }


@UNPROTECTED
def test_arp_real_servers_stay_silent_through_a_failover(cluster: Cluster) -> None:
    """Between two owners there is none: were a real server to answer then, the client would
    stay with it.
    """
    master, backup = cluster.settle()
    due = timers.takeover(backup.vrrp, announced=False)

    with cluster.suffering(PowerOff(master)) as struck:
        answers = cluster.client.ask_arp(cluster.vip, QUESTIONS)
        backup.takes(cluster.vip, since=struck, until=due.latest)
        answers += cluster.client.ask_arp(cluster.vip, QUESTIONS)

    assert {answer.node for answer in answers} == {backup.name}  # label: who speaks for the VIP
    assert len(answers) == QUESTIONS


@pytest.mark.control(
    "no second round",
    config={"director2": ("priority 90", "priority 90\ngarp_master_delay 0")},
    caught="the client's ARP entry",
)
def test_arp_second_round_reaches_a_client_that_missed_the_first(cluster: Cluster) -> None:
    """A switch port that is still being opened loses the first five announcements: hence five more,
    five seconds later (keepalived ``garp_master_delay``). Until then the client sends to a machine
    that is not there.
    """
    (master, backup), client = cluster.settle(), cluster.client
    cluster.client.fetch(1)

    with cluster.suffering(PowerOff(master)) as struck:
        with cluster.suffering(DropArp(client)):
            took = backup.announces(
                cluster.vip,
                since=struck,
                until=timers.takeover(backup.vrrp, announced=False).latest,
            )
        meanwhile, lost = client.neighbour(cluster.vip), cluster.client.fetch(1)
        cluster.timeline.let_pass(
            struck + took + timers.garp_schedule(backup.vrrp)[-1] - cluster.timeline.now()
        )
        cluster.timeline.let_pass(cluster.slack)
        then, served = client.neighbour(cluster.vip), cluster.client.fetch(1)

    assert (meanwhile, lost[0].status) == (master.mac, 0)
    assert (then, served[0].status) == (backup.mac, 200)  # label: the client's ARP entry


@pytest.mark.control(
    "no refresh",
    config={"director2": ("garp_master_refresh 3", "garp_master_refresh 0")},
    caught="the client's ARP entry",
)
@topology(
    DirectorPair,
    edits={
        "director2": (("priority 90", "priority 90\ngarp_master_delay 0\ngarp_master_refresh 3"),)
    },
)
def test_arp_refresh_reaches_a_client_that_missed_all_before(cluster: Cluster) -> None:
    """With ``garp_master_refresh`` a wrong entry lasts no longer than that, whatever the client
    has missed.
    """
    (master, backup), client = cluster.settle(), cluster.client
    refreshed = replace(backup.vrrp, garp_master_delay=0, garp_master_refresh=3)
    cluster.client.fetch(1)

    with cluster.suffering(PowerOff(master)) as struck:
        with cluster.suffering(DropArp(client)):
            took = backup.announces(
                cluster.vip,
                since=struck,
                until=timers.takeover(backup.vrrp, announced=False).latest,
            )
        meanwhile = client.neighbour(cluster.vip)
        due = next(after for after in timers.garp_schedule(refreshed, 3) if after)
        cluster.timeline.let_pass(struck + took + due + cluster.slack - cluster.timeline.now())
        then = client.neighbour(cluster.vip)

    assert (meanwhile, then) == (master.mac, backup.mac)  # label: the client's ARP entry


OPTIONS: dict[str, dict[str, Any]] = {
    "default": {},
    "delay-2-repeat-3": {"garp_master_delay": 2, "garp_master_repeat": 3},
    "no-second-round": {"garp_master_delay": 0},
    "refresh-3": {"garp_master_refresh": 3, "garp_master_refresh_repeat": 2},
}
SCHEDULES = pytest.mark.parametrize(
    "schedule",
    [
        pytest.param(options, marks=topology(DirectorGroup, **options), id=name)
        for name, options in OPTIONS.items()
    ],
)


@pytest.mark.control(
    "no ARP leaves the backup",
    fault=lambda node: DropArp(node, arriving=False),
    node="director2",
    caught="announced",
)
@SCHEDULES
def test_arp_announcements_follow_their_schedule(
    cluster: Cluster, schedule: dict[str, int]
) -> None:
    """Some at once, some after ``garp_master_delay``, and with ``garp_master_refresh`` some more
    for ever (keepalived ``vrrp.c``, ``vrrp_send_link_update``): no more, no fewer, no other time.
    """
    master, backup = cluster.settle()
    lasting = 8.5

    with cluster.suffering(PowerOff(master)) as struck:
        took = backup.takes(
            cluster.vip, since=struck, until=timers.takeover(backup.vrrp, announced=False).latest
        )
        cluster.timeline.let_pass(lasting)
    announced = cluster.timeline.events(
        Arp,
        node=backup.name,
        since=struck,
        until=struck + took + lasting,
        sent=True,
        gratuitous=True,
    )

    due = timers.garp_schedule(backup.vrrp, lasting, backup.plan.image.keepalived)
    assert cluster.on_time(
        [event.at - struck - took for event in announced], due
    )  # label: announced
    assert {(event.sender, event.sender_mac) for event in announced} == {(cluster.vip, backup.mac)}
