"""Observers: what they say is what others see who look for themselves, and when it happened."""

from __future__ import annotations

import re
import socket
import statistics
from itertools import pairwise

import pytest
from mininet.topo import Topo

from harness import measures
from harness.cluster import Cluster
from harness.errors import HarnessError
from harness.events import (
    AddressChanged,
    Advertisement,
    Arp,
    DestinationChanged,
    Event,
    Request,
    ServiceChanged,
)
from harness.faults import BlackHole, PowerOff, StopHttpd
from harness.lab import entering
from harness.lab.netlink import Batch
from harness.measures import NoEvidence
from harness.observers import protocols
from harness.observers.addresses import AddressObserver
from harness.observers.packets import Capture, Frame
from harness.scenario import fresh_topology, topology
from harness.timeline import Timeline, TooLate
from harness.topology import (
    Client,
    Director,
    Notify,
    RealServer,
    VirtualService,
    VrrpInstance,
)
from harness.topology.notification import REPORT
from topologies.director_group import DirectorGroup
from topologies.director_pair import VIP, DirectorPair
from topologies.farm import Farm

pytestmark = topology(DirectorPair)

SCHEDULERS = ("rr", "wrr", "lc", "wlc", "lblc", "sh", "dh")
AT_MOST_LATE = 0.002


class EveryScheduler(Topo):
    """One director with a service for every scheduler, each of another weight."""

    def build(self) -> None:
        lan = self.addSwitch("lan")
        services = [
            VirtualService(VIP, 80 + n, scheduler, weight=1 + n)
            for n, scheduler in enumerate(SCHEDULERS)
        ]
        vrrp = VrrpInstance(vrid=51, vip=VIP)
        self.addLink(lan, self.addHost("director1", cls=Director, vrrp=vrrp, services=services))
        for number in (1, 2):
            self.addLink(lan, self.addHost(f"web{number}", cls=RealServer, serves=services))
        self.addLink(lan, self.addHost("client", cls=Client))


# -- IPVS ------------------------------------------------------------------------------------------


def shown_by_ipvsadm(cluster: Cluster) -> dict[str, tuple[str, dict[str, int]]]:
    """Service -> scheduler and real servers with their weights, as ``ipvsadm -Ln`` prints them."""
    tables: dict[str, tuple[str, dict[str, int]]] = {}
    for line in cluster.directors[0].machine.run(["ipvsadm", "-Ln"]).stdout.splitlines():
        if service := re.match(r"(TCP|UDP)\s+(\S+) (\w+)", line):
            tables[f"{service[1]} {service[2]}"] = (service[3], table := {})
        elif destination := re.match(r"\s+-> (\d\S+)\s+Route\s+(\d+)", line):
            table[destination[1]] = int(destination[2])
    return tables


def assert_observed(cluster: Cluster) -> None:
    for service, (_, table) in shown_by_ipvsadm(cluster).items():
        assert measures.pool(cluster.timeline, "director1", service) == table


@topology(EveryScheduler)
def test_ipvs_table_is_what_ipvsadm_shows_for_every_scheduler(cluster: Cluster) -> None:
    cluster.settle()
    (director,) = cluster.directors
    wanted = {
        service.name: (service.scheduler, {f"{server.ip}:{service.port}": service.weight
                                                    for server in cluster.real_servers})
        for service in director.role.services
    }  # fmt: skip
    assert shown_by_ipvsadm(cluster) == wanted
    assert_observed(cluster)


@topology(EveryScheduler)
def test_ipvs_changes_of_others_are_seen_by_the_sweep(cluster: Cluster) -> None:
    """An operator's ipvsadm leaves no word in keepalived's log."""
    cluster.settle()
    machine = cluster.directors[0].machine
    service = f"TCP {VIP}:99"
    for words in (f"-A -t {VIP}:99", f"-a -t {VIP}:99 -r 172.16.10.99:99 -g -w 7"):
        machine.run(["ipvsadm", *words.split()])
    since = cluster.timeline.now()
    cluster.timeline.wait_for(
        DestinationChanged, since=since, until=since + 3, service=service, action="added", weight=7
    )
    assert_observed(cluster)

    machine.run(["ipvsadm", "-e", "-t", f"{VIP}:99", "-r", "172.16.10.99:99", "-g", "-w", "8"])
    cluster.timeline.wait_for(
        DestinationChanged,
        since=since,
        until=since + 6,
        service=service,
        action="changed",
        weight=8,
    )

    machine.run(["ipvsadm", "-D", "-t", f"{VIP}:99"])
    cluster.timeline.wait_for(
        ServiceChanged, since=since, until=since + 9, service=service, action="removed"
    )
    assert (
        cluster.timeline.events(DestinationChanged, since=since, service=service)[-1].action
        == "removed"
    )


# -- requests --------------------------------------------------------------------------------------


def test_load_keeps_its_pace(cluster: Cluster) -> None:
    cluster.settle()
    with cluster.client.load(rate=50) as load:
        load.wait_answers(20, since=cluster.timeline.mark)
    sent = [event.at for event in measures.requests(cluster.timeline)]
    assert len(sent) >= 20
    expected = [sent[0] + number * load.resolution for number in range(len(sent))]
    assert sent == pytest.approx(expected, abs=cluster.slack)


def test_load_keeps_its_pace_when_nobody_answers(cluster: Cluster) -> None:
    """A client that waited for answers would not notice when an outage ends."""
    cluster.settle()
    with cluster.client.load(rate=20) as load, cluster.suffering(BlackHole(cluster.client)):
        cluster.timeline.let_pass(1.5 * load.timeout)
    requests = [event for event in measures.requests(cluster.timeline) if event.status == 0]
    assert len(requests) >= 1.4 * load.timeout * 20
    assert {event.error for event in requests} <= {"timed out", "given up"}
    late = [event.latency for event in requests if event.error == "timed out"]
    assert late == pytest.approx([load.timeout] * len(late), abs=cluster.slack)


def test_request_records_who_answered_and_how_fast(cluster: Cluster) -> None:
    cluster.settle()
    before = cluster.timeline.now()
    first, second = cluster.client.fetch(2)
    assert {first.server, second.server} == {"web1", "web2"}
    for event in (first, second):
        assert (event.node, event.status, event.error) == ("client", 200, None)
        assert (event.address, event.path) == (cluster.vip, "/")
        assert before <= event.at
        assert event.at + event.latency <= cluster.timeline.now()


def test_request_refused_is_no_answer(cluster: Cluster) -> None:
    cluster.settle()
    with cluster.suffering(StopHttpd(cluster.real_servers[0])):
        outcomes = cluster.client.fetch(2)
    refused = next(event for event in outcomes if event.status != 200)
    assert (refused.status, refused.server, refused.error) == (0, None, "Connection refused")
    assert cluster.real_servers[0].serves_again()


def test_held_connections_lie_open_until_they_are_finished(cluster: Cluster) -> None:
    """One after the other, each begun when the one before it was established; a server waits
    for the end of each.
    """
    cluster.settle()
    began = cluster.timeline.now()
    with cluster.client.holding(4) as held:
        cluster.timeline.let_pass(2.0)
        assert all(connection.is_open for connection in held)
        assert not cluster.timeline.events(Request, since=began)
        finished = [connection.finish() for connection in held[:3]]
    assert [event.status for event in finished] == [200, 200, 200]
    assert finished[0].server == finished[2].server != finished[1].server
    assert [event.at for event in finished] == sorted(event.at for event in finished)
    assert held[3].outcome().error == "given up"


def test_held_connection_that_never_came_about_says_why(cluster: Cluster) -> None:
    cluster.settle()
    with cluster.client.holding(1, port=9) as (held,):
        assert not held.is_open
        assert held.finish().error == "Connection refused"


def test_request_from_an_address_that_the_client_has_not_got(cluster: Cluster) -> None:
    (event,) = cluster.client.fetch(1, source="172.16.10.99")
    assert (event.status, event.error) == (0, "Cannot assign requested address")


# -- frames ----------------------------------------------------------------------------------------


def test_capture_has_every_frame_at_both_ends_of_its_way(cluster: Cluster) -> None:
    master = cluster.settle().master
    (request,) = cluster.client.fetch(1)
    path, server = cluster.path_of(request), cluster.server_of(request)
    for sender, receiver in ((cluster.client, master), (master, server), (server, cluster.client)):
        sent = [packet.ip for packet in path.between(sender, receiver)]
        arrived = [packet.ip for packet in path.at(receiver) if not packet.frame.sent]
        assert sent
        assert [ip for ip in arrived if ip in sent] == sent
    assert cluster.recorder._capture is not None
    assert cluster.recorder._capture.dropped == 0


@topology(Farm, real_servers=20)
def test_capture_of_a_large_cluster_lacks_copies_for_real_servers_only(cluster: Cluster) -> None:
    """A question to all is there once as sent, and once for each machine that is no real
    server; answers are there.
    """
    began = cluster.timeline.now()
    server = cluster.real_servers[0]
    assert cluster.client.ask_arp(server.ip, 1)
    frames = [frame for frame in cluster.recorder.frames(began) if frame.data[12:14] == b"\x08\x06"]
    question, answer = ([f for f in frames if f.data[20:22] == bytes([0, code])] for code in (1, 2))
    ours, wanted = (
        socket.inet_aton(cluster.client.ip),
        socket.inet_aton(server.ip),
    )  # directors ask as well
    asked = [
        frame for frame in question if (frame.data[28:32], frame.data[38:42]) == (ours, wanted)
    ]
    told = [frame for frame in answer if frame.data[38:42] == ours]
    assert [frame.node for frame in asked if frame.sent] == [cluster.client.name]
    assert {frame.node for frame in asked if not frame.sent} == {
        director.name for director in cluster.directors
    }
    assert [(frame.node, frame.sent) for frame in told] == [
        (server.name, True),
        (cluster.client.name, False),
    ]


def test_capture_that_lost_frames_is_loud(cluster: Cluster) -> None:
    seen: list[Frame] = []
    with entering.inside_netns(cluster.lab.fabric):
        capture = Capture(
            cluster.lab.wire_ends, cluster.timeline.origin, seen.append, ring_frames=32
        )
    try:
        cluster.client.ask_arp("172.16.10.254", 50)
        with pytest.raises(HarnessError, match=r"the kernel dropped \d+ frames of the capture"):
            capture.drain()
        assert capture.dropped >= 50 - 32
    finally:
        capture.close()


# -- when ------------------------------------------------------------------------------------------


@fresh_topology(DirectorPair)  # it looks at all of the timeline
def test_advertisement_is_dated_by_the_kernel_s_own_stamp(cluster: Cluster) -> None:
    master = cluster.settle().master
    recorded = cluster.timeline.events(Advertisement, node=master.name, sent=True)
    stamped = [
        frame.at
        for frame in cluster.recorder.frames()
        if frame.node == master.name and frame.sent and protocols.kind_of(frame) == "advertisement"
    ]
    assert [event.at for event in recorded] == pytest.approx(stamped[: len(recorded)], abs=1e-9)
    assert [later - earlier for earlier, later in pairwise(stamped)] == pytest.approx(
        [1.0] * (len(stamped) - 1), abs=cluster.slack
    )


def test_what_is_captured_can_be_waited_for(cluster: Cluster) -> None:
    """Frames become events only when somebody asks for them; whoever waits asks, and goes on as
    soon as one comes.
    """
    master, since = cluster.settle().master, cluster.timeline.now()
    until = since + 2 * master.vrrp.advert_int
    said = cluster.timeline.wait_for(
        Advertisement, node=master.name, since=since, until=until, sent=True
    )
    assert since <= said.at <= cluster.timeline.now() < said.at + 0.1
    with pytest.raises(TooLate):
        cluster.timeline.wait_for(
            Arp, sender="203.0.113.1", since=since, until=cluster.timeline.now() + 0.02
        )


def _address_between_two_frames(cluster: Cluster, number: int) -> tuple[float, Event, float]:
    """Give the client an address; returns when a frame before it and one after it were
    captured, and the event.
    """
    client, since = cluster.client, cluster.timeline.now()
    address = f"172.16.10.{200 + number}"
    batch = Batch()
    with client.machine.inside(), socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as wire:
        batch.address(socket.if_nametoindex("eth0"), address, 32)
        wire.bind(("eth0", 0))
        question = protocols.arp_question(client.mac, client.ip, "172.16.10.254")
        wire.send(question)
        batch.send("client")
        wire.send(question)
    event = cluster.timeline.wait_for(
        AddressChanged, node="client", since=since, until=since + 5, address=address
    )
    before, after = (
        frame.at
        for frame in cluster.recorder.frames(since)
        if frame.node == "client" and frame.data == question
    )
    return before, event, after


def test_address_is_dated_when_it_came(cluster: Cluster) -> None:
    """Between a frame sent just before and one sent just after, give or take what the machine's
    own work takes.
    """
    cluster.settle()
    seen = [_address_between_two_frames(cluster, number) for number in range(9)]
    late = statistics.median(event.at - after for _, event, after in seen)
    assert late <= AT_MOST_LATE
    # In virtual time they may be one instant, and an event is dated to the nanosecond.
    assert all(round(before, 9) <= event.at for before, event, _ in seen)


def test_notifications_where_nobody_listens_are_no_evidence(cluster: Cluster) -> None:
    """An empty list would say that keepalived told nothing."""
    for channel in ("fifo", "script", "fiffo"):
        with pytest.raises(
            NoEvidence, match=f"nobody hears what keepalived on director1 tells by '{channel}'"
        ):
            cluster.directors[0].notifications(channel)


@fresh_topology(DirectorGroup, notify=Notify(master=f"{REPORT} master"))
def test_notifications_wait_for_scripts_that_are_slow(cluster: Cluster) -> None:
    """In real time each script takes as long as the machine does."""
    master, backup = cluster.settle()
    said = backup.machine.read(REPORT)
    backup.machine.write(REPORT, said.replace("#!/bin/sh\n", "#!/bin/sh\nsleep 1\n"), 0o755)

    with cluster.suffering(PowerOff(master)) as struck:
        backup.takes(cluster.vip, since=struck, until=10)
        assert backup.notifications("script", struck) == ["master"]


def test_more_events_than_a_socket_usually_holds_are_all_recorded(cluster: Cluster) -> None:
    """As when a machine of many wires is made, while nobody has the time to read."""
    added = [f"10.9.{number // 250}.{1 + number % 250}" for number in range(2000)]
    timeline = Timeline()
    observer = AddressObserver(cluster.client.machine, timeline)
    batch = Batch()
    with cluster.client.machine.inside():
        for address in added:
            batch.address(socket.if_nametoindex("lo"), address, 32)
        batch.send("client")
    observer.read()
    observer.close()
    assert [event.address for event in timeline.events(AddressChanged)] == added
