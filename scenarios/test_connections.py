"""Connections that are open when the VIP moves: they live on where the backup knows them, and
are reset where not.
"""

import pytest

from harness.cluster import Cluster
from harness.events import Synchronisation
from harness.faults import Fault, HangKeepalived, PowerOff, StopKeepalived, Unplug
from harness.keepalived import timers
from harness.nodes import DirectorNode
from harness.scenario import topology
from topologies.director_pair import DirectorPair

pytestmark = [pytest.mark.failover, topology(DirectorPair, sync_daemon=True)]

COUNT = 2
"""One for each real server: those that were reset stay there half open until httpd's timeout."""

LOSSES = pytest.mark.parametrize(
    "loss", [PowerOff, Unplug, StopKeepalived, HangKeepalived], ids=lambda fault: fault.__name__
)
UNTOLD = pytest.mark.control(
    "no lvs_sync_daemon", topology={"sync_daemon": False}, caught="connections survive"
)
TOLD = pytest.mark.control("lvs_sync_daemon", topology={"sync_daemon": True}, caught="reset")


@UNTOLD
def test_failover_backup_knows_the_connections_of_the_master(cluster: Cluster) -> None:
    """The master tells of a connection with its third packet, by multicast, and the backup adds it
    to its own table (kernel ``ip_vs_sync.c``, ``ip_vs_sync_conn_needed``; keepalived.conf(5),
    ``lvs_sync_daemon``).
    """
    master, backup = cluster.settle()
    cluster.let_pass(timers.synchronisation())

    with cluster.client.holding(COUNT):
        cluster.let_pass(timers.synchronisation())
        own, told = master.connections(), backup.connections()

    assert len(own) >= COUNT
    assert {port: told.get(port) for port in own} == own  # label: connections survive
    heard = cluster.timeline.events(Synchronisation, node=backup.name, sent=False)
    assert all(any(f":{port} " in message.connections for message in heard) for port in own)


@UNTOLD
@LOSSES
def test_failover_keeps_connections_that_the_backup_knows(
    cluster: Cluster, loss: type[Fault[DirectorNode]]
) -> None:
    """The new owner sends the rest of a connection to the same real server, which never notices."""
    master, backup = cluster.settle()
    due = timers.takeover(backup.vrrp, announced=loss.announced)
    cluster.let_pass(timers.synchronisation())

    with cluster.client.holding(COUNT) as held:
        cluster.let_pass(timers.synchronisation())
        with cluster.suffering(loss(master)) as struck:
            backup.announces(cluster.vip, since=struck, until=due.latest)
            answers = [connection.finish() for connection in held]

    assert [answer.status for answer in answers] == [200] * COUNT  # label: connections survive
    assert len({answer.server for answer in answers}) == len(cluster.real_servers)


@TOLD
@topology(DirectorPair)
@LOSSES
def test_failover_resets_connections_that_the_backup_does_not_know(
    cluster: Cluster, loss: type[Fault[DirectorNode]]
) -> None:
    """To a packet that begins nothing, of a connection that it has never seen, the new owner's
    kernel answers as to any port nobody listens on: the client need not wait (kernel
    ``ip_vs_proto_tcp.c``, ``tcp_conn_schedule``).
    """
    master, backup = cluster.settle()
    due = timers.takeover(backup.vrrp, announced=loss.announced)
    cluster.let_pass(timers.synchronisation())

    with cluster.client.holding(COUNT) as held:
        cluster.let_pass(timers.synchronisation())
        with cluster.suffering(loss(master)) as struck:
            backup.announces(cluster.vip, since=struck, until=due.latest)
            answers = [connection.finish() for connection in held]
            fresh = cluster.client.fetch(2)

    assert [answer.error for answer in answers] == [
        "Connection reset by peer"
    ] * COUNT  # label: reset
    assert [answer.status for answer in fresh] == [200, 200]


@UNTOLD
def test_failover_keeps_connections_through_the_failback(cluster: Cluster) -> None:
    """Those that are opened while the returning director waits are told to it in time: its
    Master_Down_Interval is longer than a message is kept back.
    """
    master, backup = cluster.settle()
    away = PowerOff(master)
    struck = cluster.inject(away)
    backup.announces(
        cluster.vip, since=struck, until=timers.takeover(backup.vrrp, announced=False).latest
    )
    cluster.heal(away)
    candidate = master.candidate_since(since=cluster.healed())

    with cluster.client.holding(COUNT) as held:
        master.announces(
            cluster.vip, since=candidate.latest, until=timers.failback(master.vrrp).latest
        )
        answers = [connection.finish() for connection in held]

    assert [answer.status for answer in answers] == [200] * COUNT  # label: connections survive


@pytest.mark.control(
    "no failback", config={"director1": ("version 2", "version 2\nnopreempt")}, caught="fails back"
)
def test_failover_loses_connections_opened_while_the_other_was_away(cluster: Cluster) -> None:
    """The daemon tells of a connection once, with its third packet, and then only with every
    fiftieth: a director that comes back learns nothing of those that lie open, and after the
    failback it resets them (kernel ``ip_vs_sync.c``, ``net.ipv4.vs.sync_threshold`` and
    ``sync_refresh_period``).
    """
    master, backup = cluster.settle()
    away = PowerOff(master)
    struck = cluster.inject(away)
    backup.announces(
        cluster.vip, since=struck, until=timers.takeover(backup.vrrp, announced=False).latest
    )

    with cluster.client.holding(COUNT) as held:
        cluster.let_pass(timers.synchronisation())
        cluster.heal(away)
        candidate = master.candidate_since(since=cluster.healed())
        master.announces(
            cluster.vip, since=candidate.latest, until=timers.failback(master.vrrp).latest
        )  # label: fails back
        answers = [connection.finish() for connection in held]

    assert [answer.error for answer in answers] == ["Connection reset by peer"] * COUNT
