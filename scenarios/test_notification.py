"""Notification: whom keepalived tells of a change of state: scripts, the FIFO, and people by
mail.
"""

from typing import Any

import pytest

from harness.clock import Window
from harness.cluster import Cluster
from harness.events import Mail, Notification
from harness.faults import BlackHole, Deaf, PowerOff, StopHttpd, StopKeepalived, Unplug, WriteNumber
from harness.keepalived import timers
from harness.scenario import fresh_topology, topology
from harness.topology import Notify, TrackedFile
from harness.topology.notification import REPORT
from topologies.director_group import DirectorGroup
from topologies.director_pair import DirectorPair
from topologies.router_pair import RouterPair

pytestmark = pytest.mark.notification

TOLD: dict[str, Any] = {
    "notify": Notify.reported(),
    "notify_fifo": True,
    "notify_priority_changes": True,
    "track_files": (TrackedFile(name="claims", path="/run/claims"),),
}
FIFO = "notify_fifo /run/notify.fifo"
MUTE = dict.fromkeys(("director1", "director2"), (FIFO, ""))
REPEATING = {"director2": (FIFO, f"{FIFO}\n    fifo_write_vrrp_states_on_reload")}
FIFO_FIRST = ((FIFO, ""), ("global_defs {", f"global_defs {{\n    {FIFO}"))
UNMAILED = {"director2": ("smtp_alert on", "smtp_alert off")}


def unscripted(director: str, state: str) -> dict[str, tuple[str, str]]:
    """The edit that leaves a director without the script for a state."""
    return {director: (f"{REPORT} {state}", "/bin/true")}


@pytest.mark.control(
    "no script for it", config=unscripted("director2", "master"), caught="notified"
)
@topology(DirectorGroup, **TOLD)
def test_notification_by_script_of_a_takeover_and_its_end(cluster: Cluster) -> None:
    """The state's own script and the one for all states, which is told who and what (keepalived
    ``vrrp_notify.c``).
    """
    cluster.settle(notified=True)
    master, backup = cluster.settle()

    with cluster.suffering(PowerOff(master)) as struck:
        due = timers.takeover(backup.vrrp, announced=False)
        backup.takes(cluster.vip, since=struck, until=due.latest)
        told = backup.notifications("script", struck)
    candidate = master.candidate_since()
    backup.resigns(cluster.vip, since=candidate.latest, until=timers.failback(master.vrrp).latest)

    assert sorted(told) == ["always INSTANCE VI_1 MASTER 90", "master"]  # label: notified
    assert sorted(backup.notifications("script", candidate.latest)) == [
        "always INSTANCE VI_1 BACKUP 90",
        "backup",
    ]


@pytest.mark.control("no script for it", config=unscripted("director1", "fault"), caught="notified")
@topology(DirectorGroup, **TOLD)
def test_notification_by_script_of_a_fault(cluster: Cluster) -> None:
    """The interface of the instance is down: FAULT, told at once, for there is nothing to wait
    for.
    """
    cluster.settle(notified=True)
    master = cluster.settle().master

    with cluster.suffering(Unplug(master)) as struck:
        told = master.notifications("script", struck)

    assert sorted(told) == ["always INSTANCE VI_1 FAULT 100", "fault"]  # label: notified


@pytest.mark.control("no script for it", config=unscripted("director1", "stop"), caught="notified")
@topology(DirectorGroup, **TOLD)
def test_notification_by_script_of_an_orderly_stop(cluster: Cluster) -> None:
    """keepalived tells before it ends, and waits for its scripts (``notify_shutdown``)."""
    cluster.settle(notified=True)
    master = cluster.settle().master

    with cluster.suffering(StopKeepalived(master)) as struck:
        told = master.notifications("script", struck)

    assert sorted(told) == ["always INSTANCE VI_1 STOP 100", "stop"]  # label: notified


@pytest.mark.control("no FIFO", config=MUTE, caught="notified")
@topology(DirectorGroup, **TOLD)
def test_notification_by_fifo_keeps_the_order_of_events(cluster: Cluster) -> None:
    """Scripts overtake each other, the FIFO does not: a life is told in the order in which it
    was led.
    """
    cluster.settle(notified=True)
    master, backup = cluster.settle()

    with cluster.suffering(StopKeepalived(master)) as struck:
        backup.takes(
            cluster.vip, since=struck, until=timers.takeover(backup.vrrp, announced=True).latest
        )
    candidate = master.candidate_since()
    master.takes(cluster.vip, since=candidate.latest, until=timers.failback(master.vrrp).latest)

    assert master.notifications("fifo", struck) == [
        'INSTANCE "VI_1" STOP 100',
        'INSTANCE "VI_1" BACKUP 100',
        'INSTANCE "VI_1" MASTER 100',
    ]  # label: notified
    assert backup.notifications("fifo", struck) == [
        'INSTANCE "VI_1" MASTER 90',
        'INSTANCE "VI_1" BACKUP 90',
    ]


@pytest.mark.control("no FIFO", config=MUTE, caught="notified")
@topology(DirectorGroup, **TOLD)
def test_notification_by_fifo_of_changed_priorities(cluster: Cluster) -> None:
    """With ``notify_priority_changes`` a claim that rises or falls is told, with the state that
    it is the claim of.
    """
    cluster.settle(notified=True)
    master, backup = cluster.settle()
    (file,) = master.vrrp.track_files
    began = cluster.timeline.now()

    with (
        cluster.suffering(WriteNumber(master, file, -5)),
        cluster.suffering(WriteNumber(backup, file, 3)),
    ):
        cluster.timeline.let_pass(cluster.slack)
    told = [
        director.notifications("fifo", began) for director in (master, backup)
    ]  # label: notified

    assert told[0] == ['INSTANCE "VI_1" MASTER_PRIORITY 95', 'INSTANCE "VI_1" MASTER_PRIORITY 100']
    assert told[1] == ['INSTANCE "VI_1" BACKUP_PRIORITY 93', 'INSTANCE "VI_1" BACKUP_PRIORITY 90']


@pytest.mark.control(
    "no script for it", config=unscripted("director1", "lower_priority"), caught="notified"
)
@topology(DirectorGroup, **TOLD)
def test_notification_of_a_second_master_of_lower_priority(cluster: Cluster) -> None:
    """The true master learns that there was another, whose traces it may have to undo
    (``vrrp_state_master_rx``).
    """
    cluster.settle(notified=True)
    master, backup = cluster.settle()

    with cluster.suffering(Deaf(backup)) as struck:
        backup.takes(
            cluster.vip, since=struck, until=timers.takeover(backup.vrrp, announced=False).latest
        )
        told = master.notifications("script", struck)

    assert told == ["lower_priority"]  # label: notified
    assert master.notifications("fifo", struck)[0] == 'INSTANCE "VI_1" MASTER_RX_LOWER_PRI 100'


@pytest.mark.control("it is to repeat them", config=REPEATING, caught="notified")
@topology(DirectorGroup, **TOLD)
def test_notification_is_not_repeated_by_a_reload(cluster: Cluster) -> None:
    """Nothing has changed, so nobody is told (unless ``fifo_write_vrrp_states_on_reload`` asks
    for it).
    """
    began = cluster.settle(notified=True).at

    for director in cluster.directors:
        director.reload()
    cluster.timeline.let_pass(timers.master_down_interval(cluster.settle().backup.vrrp))
    told = cluster.timeline.events(Notification, since=began)

    assert not told  # label: notified


@pytest.mark.known_defect(
    "keepalived lib/notify.c, get_default_script_user",
    "reloaded, it looks for the FIFO's user before it reads script_user, and then runs no script"
    " at all",
    present=">=2.2",
)
@pytest.mark.control("script_user first", topology={"edits": {}}, caught="notified")
@fresh_topology(DirectorGroup, **TOLD, edits={"director2": FIFO_FIRST})
def test_notification_ends_with_a_reload_where_the_fifo_comes_before_the_script_user(
    cluster: Cluster,
) -> None:
    """As the file is first read it takes root for a default; from then on it believes in
    ``keepalived_script``.
    """
    cluster.settle(notified=True)
    master, backup = cluster.settle()
    before = backup.notifications("script")

    backup.reload()
    cluster.timeline.let_pass(2 * master.vrrp.advert_int)  # it hears the master again
    with cluster.suffering(PowerOff(master)) as struck:
        backup.takes(
            cluster.vip, since=struck, until=timers.takeover(backup.vrrp, announced=False).latest
        )
        told = backup.notifications("script", struck) + backup.notifications("fifo", struck)

    assert {"always INSTANCE VI_1 BACKUP 90", "backup"} <= set(before)
    assert not told  # label: notified


@pytest.mark.control("no sync group", topology={"grouped": False}, caught="takes over")
@topology(RouterPair, reported=True)
def test_notification_of_a_sync_group_follows_its_members(cluster: Cluster) -> None:
    """The member that causes the change is told first, then those that follow it, then the
    group (``vrrp_sync.c``).
    """
    cluster.settle(notified=True)
    master, backup = cluster.settle()
    silence = timers.takeover(backup.claim(cluster.vips[1]), announced=False)

    with cluster.suffering(Unplug(master, "eth1")) as struck:
        backup.takes(cluster.vip, since=struck, until=silence.latest)  # label: takes over
        told = [director.notifications("fifo", struck) for director in (master, backup)]

    assert told[0] == [
        'INSTANCE "INNER" FAULT 100',
        'INSTANCE "OUTER" FAULT 100',
        'GROUP "ROUTER" FAULT 0',
    ]
    assert told[1] == [
        'INSTANCE "INNER" MASTER 90',
        'INSTANCE "OUTER" MASTER 90',
        'GROUP "ROUTER" MASTER 0',
    ]


MAILED = pytest.mark.needs("an SMTP server", program="aiosmtpd")
PROMPTLY = pytest.mark.needs("alerts that are mailed at once", keepalived="2.2")


@MAILED
@PROMPTLY
@pytest.mark.control("no alerts", config=UNMAILED, caught="mails")
@topology(DirectorPair, notifications=True)
def test_notification_by_mail_of_takeover_and_failback(cluster: Cluster) -> None:
    """Each change of state is mailed at once to those in ``notification_email`` (keepalived
    ``smtp.c``).
    """
    cluster.settle(notified=True)
    master, backup = cluster.settle()

    with cluster.suffering(PowerOff(master)) as struck:
        took = backup.takes(
            cluster.vip, since=struck, until=timers.takeover(backup.vrrp, announced=False).latest
        )
    candidate = master.candidate_since()
    backup.resigns(cluster.vip, since=candidate.latest, until=timers.failback(master.vrrp).latest)
    cluster.timeline.let_pass(cluster.slack)
    mails = [
        mail
        for mail in cluster.timeline.events(Mail, since=struck)
        if mail.subject.startswith(f"[{backup.name}]")
    ]

    assert [mail.subject for mail in mails] == [
        f"[{backup.name}] VRRP Instance VI_1 - Entering MASTER state",
        f"[{backup.name}] VRRP Instance VI_1 - Entering BACKUP state",
    ]  # label: mails
    assert mails[0].at - struck in cluster.within(Window.exactly(took))
    assert {(mail.sender, mail.recipient) for mail in mails} == {
        ("keepalived@localhost", "root@localhost")
    }


@MAILED
@PROMPTLY
@pytest.mark.control("no alerts", config=UNMAILED, caught="mails")
@topology(DirectorPair, notifications=True)
def test_notification_by_mail_of_a_lost_real_server(cluster: Cluster) -> None:
    """Both directors check, so both send an alert when a real server fails, and when it is back."""
    cluster.settle(notified=True)
    server = cluster.real_servers[0]
    subject = f"Realserver [{server.ip}]:tcp:80 of virtual server [{cluster.vip}]:tcp:80 -"

    with cluster.suffering(StopHttpd(server)) as struck:
        due = timers.removal(cluster.service)
        for director in cluster.directors:
            director.removes(server, since=struck, until=due.latest)
    healed = server.serves_again()
    for director in cluster.directors:
        director.adds(server, since=healed, until=timers.recovery(cluster.service).latest)
    cluster.timeline.let_pass(cluster.slack)
    mails = [mail.subject for mail in cluster.timeline.events(Mail, since=struck)]

    assert sorted(mails) == [
        f"[{name}] {subject} {state}"
        for name in ("director1", "director2")
        for state in ("DOWN", "UP")
    ]  # label: mails


@MAILED
@pytest.mark.control(
    "a low priority and two intervals more to wait",
    config={"director2": ("priority 90", "priority 1\ndown_timer_adverts 5")},
    caught="in its window",
)
@topology(DirectorPair, notifications=True)
def test_notification_that_cannot_be_mailed_delays_nothing(cluster: Cluster) -> None:
    """Alerts are sent beside the protocol: a mail server in a black hole does not hold the
    takeover up.
    """
    cluster.settle(notified=True)
    master, backup = cluster.settle()
    due = timers.takeover(backup.vrrp, announced=True)

    with (
        cluster.suffering(BlackHole(cluster.nodes["mail"])),
        cluster.suffering(StopKeepalived(master)) as struck,
    ):
        took = backup.announces(cluster.vip, since=struck, until=due.latest)

    assert took.within(due)  # label: in its window
    assert not cluster.timeline.events(Mail, since=struck)


@pytest.mark.control("no FIFO", config=MUTE, caught="notified")
@topology(DirectorPair, notifications=True)
def test_notification_by_fifo_of_a_lost_real_server(cluster: Cluster) -> None:
    """The health checkers write into the same FIFO, what they removed and from which virtual
    service.
    """
    cluster.settle(notified=True)
    server = cluster.real_servers[0]

    with cluster.suffering(StopHttpd(server)) as struck:
        due = timers.removal(cluster.service)
        for director in cluster.directors:
            director.removes(server, since=struck, until=due.latest)
        told = [
            director.notifications("fifo", struck) for director in cluster.directors
        ]  # label: notified

    assert told == [[f"RS [{server.ip}]:tcp:80 [{cluster.vip}]:tcp:80 DOWN"]] * 2
