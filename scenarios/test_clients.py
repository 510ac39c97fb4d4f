"""Clients with a will of their own: one source port for all, one connection for many requests,
one answer for long.
"""

import pytest

from harness import measures
from harness.clock import Window
from harness.cluster import Cluster
from harness.events import ConnectionChanged
from harness.faults import Drain, PowerOff
from harness.keepalived import timers
from harness.scenario import fresh_topology, topology
from topologies.director_pair import DirectorPair
from topologies.forwarding import OneLan, service_of

pytestmark = [pytest.mark.persistence, topology(DirectorPair)]

IDLE = 130.0
"""Longer than the patience of most servers, shorter than IPVS remembers an idle connection (900
s).
"""
UDP_REMEMBERED = 300.0
"""For how long IPVS remembers a datagram's way, in seconds (kernel ``ip_vs_proto_udp.c``,
``udp_timeouts``).
"""
LATE = UDP_REMEMBERED / 8
"""The kernel's timers may be late by an eighth of their time (``kernel/time/timer.c``)."""
PACE = 0.2
"""Seconds from one piece of a stream to the next (httpd ``mod_ratelimit.c``, ``RATE_INTERVAL_MS``).
"""
SHORTEST_RETRANSMISSION = 0.2
"""TCP's first one comes so many seconds after what was lost (kernel ``TCP_RTO_MIN``), each later
one after twice as long.
"""


def forgets(*seconds: int):  # type: ignore[no-untyped-def]
    """Have the directors remember for so many seconds: TCP, TCP that was closed, UDP."""

    def change(cluster: Cluster) -> None:
        for director in cluster.directors:
            director.machine.run(["ipvsadm", "--set", *map(str, seconds)])

    return change


@fresh_topology(DirectorPair, sync_daemon=True)  # the tables begin empty
@pytest.mark.control(
    "directors do not tell each other", topology={"sync_daemon": False}, caught="complete"
)
def test_persistence_of_a_stream_through_a_failover(cluster: Cluster) -> None:
    """The new master knows the connection from the old one's sync daemon, so a download goes on
    where it was. It pauses, since the client's acknowledgements were lost meanwhile, until the real
    server's next retransmission. What was sent before the first retransmission still arrives, since
    the real server answers straight to the client: that is one piece after the other, and the first
    one that nobody acknowledges may be due a whole pace after the fault.
    """
    master, backup = cluster.settle()
    due = timers.takeover(backup.vrrp, announced=False)

    with cluster.client.stream(40_000) as stream:
        cluster.timeline.let_pass(3)
        with cluster.suffering(PowerOff(master)) as struck:
            took = backup.takes(cluster.vip, since=struck, until=due.latest)
            stream.ended.wait()
            until = cluster.timeline.now()

    assert stream.outcome == "complete"  # label: complete
    assert stream.received > 40_000
    shortest = took - PACE - SHORTEST_RETRANSMISSION
    longest = 2 * (took + SHORTEST_RETRANSMISSION)
    stalled = measures.stall(cluster.timeline, stream.port, struck, until)
    assert stalled in cluster.within(Window(shortest, longest))


@pytest.mark.control(
    "the directors forget after a minute", sabotage=forgets(60, 60, 60), caught="stays open"
)
def test_persistence_of_a_connection_that_is_kept_alive(cluster: Cluster) -> None:
    """IPVS balances connections and not requests: all that are asked in one go to one real server,
    also after a pause that is longer than anybody's patience but IPVS's own.
    """
    cluster.settle()
    with cluster.client.session() as session:
        first = [session.fetch() for _ in range(3)]
        cluster.timeline.let_pass(IDLE)
        later = [session.fetch() for _ in range(3)]
        assert session.is_open, "later"  # label: stays open
    requests = [*first, *later]

    assert [request.status for request in requests] == [200] * 6
    assert len({request.port for request in requests}) == 1
    assert len(measures.distribution(requests)) == 1
    assert len(measures.distribution(cluster.client.fetch(4))) == 2


@topology(DirectorPair, scheduler="lc")
@pytest.mark.control("rr counts nothing", topology={"scheduler": "rr"}, caught="kept away")
def test_persistence_of_a_slow_reader_keeps_others_away(cluster: Cluster) -> None:
    """A client that reads slowly holds its connection, and a process of the real server, for as
    long as it reads: its buffers are full, and the server may not send. Schedulers that count
    connections send the others elsewhere (``ip_vs_lc.c``: an active one counts as 256 that are
    closing); rr does not see it.
    """
    cluster.settle()
    with cluster.client.stream(200_000, reads=1000) as stream:
        cluster.timeline.let_pass(5)
        others = measures.distribution(cluster.client.fetch(6))
        counted = cluster.settle().master.counted(cluster.service)
        cluster.timeline.let_pass(5)
        assert stream.outcome is None

    assert 5_000 < stream.received <= 1000 * len(stream.pieces)
    assert len(stream.pieces) in (10, 11)
    (busy,) = [server.address for server in counted if server.active]
    (idle,) = [server.page for server in cluster.real_servers if server.ip != busy]
    assert others == {idle: 6}, "others"  # label: kept away


@topology(OneLan)
@pytest.mark.control(
    "the directors forget datagrams at once",
    sabotage=forgets(900, 120, 1),
    caught="stays with its server",
)
def test_persistence_of_datagrams_from_one_port(cluster: Cluster) -> None:
    """To IPVS all datagrams from one port to one service are a connection, which each of them
    prolongs. A client such as a DNS resolver or a SIP phone with a fixed port stays with a real
    server that is drained, until it pauses.
    """
    master, service = cluster.settle().master, service_of("DR", 4, "UDP")
    first, *_ = cluster.client.fetch(4, service, source_port=5060)
    drained = cluster.server_of(first)

    with cluster.suffering(Drain(master, service, drained)):
        cluster.timeline.let_pass(5)
        stuck = measures.distribution(cluster.client.fetch(4, service, source_port=5060))
        others = measures.distribution(cluster.client.fetch(4, service))
        cluster.timeline.let_pass(UDP_REMEMBERED + LATE + cluster.slack)
        (after,) = cluster.client.fetch(1, service, source_port=5060)

    assert stuck == {drained.page: 4}  # label: stays with its server
    assert drained.page not in others
    assert after.server not in (None, drained.page)


@topology(OneLan, ops=True)
@pytest.mark.control("the first one decides", topology={"ops": False}, caught="distribution")
def test_persistence_is_none_where_each_datagram_is_scheduled_by_itself(cluster: Cluster) -> None:
    """With one-packet scheduling (``ops``) IPVS remembers nothing of a datagram, so that those of
    one port are spread as if each came from another client: what DNS servers behind one resolver
    need (kernel ``ip_vs_core.c``, ``IP_VS_SVC_F_ONEPACKET``).
    """
    cluster.settle()
    answers = cluster.client.fetch(6, service_of("DR", 4, "UDP"), source_port=5353)

    assert measures.distribution(answers) == {"web1": 3, "web2": 3}  # label: distribution
    assert not cluster.master.connection_table()


@fresh_topology(DirectorPair, sync_daemon=True)  # the tables begin empty
@pytest.mark.control(
    "directors do not tell each other", topology={"sync_daemon": False}, caught="in both tables"
)
def test_persistence_of_connections_is_in_both_tables(cluster: Cluster) -> None:
    """What the master balances, the backup knows from its sync daemon: the same tuples to the same
    real servers, marked as another's (kernel ``ip_vs_conn_sync``). Once the client has its answer
    they are closing, with less time left.
    """
    master, backup = cluster.settle()
    began = cluster.timeline.now()
    with cluster.client.holding(2) as held:
        own = master.connection_table()
        cluster.timeline.let_pass(timers.synchronisation().latest + cluster.slack)
        told = backup.connection_table()
        for connection in held:
            connection.finish()
        closing = master.connection_table()

    assert {entry.state for entry in own} == {"ESTABLISHED"}
    assert {(entry.key, entry.server) for entry in told} == {
        (entry.key, entry.server) for entry in own
    }  # label: in both tables
    assert {entry.synchronised for entry in told} == {True}
    assert max(entry.expires for entry in closing) < min(entry.expires for entry in own)
    events = cluster.timeline.events(ConnectionChanged, node=master.name, since=began)
    assert [event.action for event in events] == ["added"] * 2 + ["changed"] * 2
