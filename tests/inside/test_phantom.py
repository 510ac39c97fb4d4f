"""A phantom router and the frames of any machine, on a real wire and against a real keepalived."""

from __future__ import annotations

import pytest
from scapy.layers.inet import IP
from scapy.layers.l2 import Dot1Q, Ether
from scapy.packet import Raw

from harness.cluster import Cluster
from harness.errors import HarnessError
from harness.events import Advertisement, StateChanged
from harness.faults import PowerOff
from harness.keepalived import timers
from harness.nodes.phantom import Advertise, Resign, Silence
from harness.scenario import topology
from topologies.phantom_pair import PhantomPair

pytestmark = topology(PhantomPair)
MAC = "02:00:00:00:99:99"


def test_any_machine_sends_any_frame(cluster: Cluster) -> None:
    since = cluster.timeline.now()
    cluster.client.send(
        Ether(src=MAC, dst="ff:ff:ff:ff:ff:ff")
        / Dot1Q(vlan=7)
        / IP(dst="10.0.0.1", ttl=3)
        / Raw(b"x")
    )
    cluster.timeline.let_pass(cluster.slack)
    heard = {frame.node for frame in cluster.recorder.frames(since) if MAC in Ether(frame.data).src}
    assert heard == {"client", "director1", "phantom"}


def test_script_is_played_at_its_pace_and_seen_by_the_director(cluster: Cluster) -> None:
    (director,) = cluster.directors
    cluster.settle()
    began = cluster.timeline.now()

    said = cluster.phantom.play(Advertise(3, every=1.0), Silence(0.5), Resign())
    cluster.timeline.wait_for(
        StateChanged,
        node=director.name,
        since=said,
        until=said + timers.skew(director.vrrp) + cluster.slack,
        state="MASTER",
    )

    sent = cluster.timeline.events(Advertisement, node="phantom", since=began, sent=True)
    assert [event.priority for event in sent] == [200, 200, 200, 0]
    assert cluster.on_time([event.at - began for event in sent], [0.0, 1.0, 2.0, 2.5])
    assert cluster.timeline.events(
        StateChanged, node=director.name, since=began, until=said, state="BACKUP"
    )


def test_statistics_count_what_was_received(cluster: Cluster) -> None:
    (director,) = cluster.directors
    cluster.settle()
    before = director.statistics()
    cluster.phantom.advertise(ttl=254)
    cluster.phantom.advertise(ttl=1)
    cluster.timeline.let_pass(cluster.slack)
    after = director.statistics()
    assert after["Packet Errors: TTL"] - before["Packet Errors: TTL"] == 2
    assert after["Became master"] >= 1


def test_frame_that_is_none_is_refused(cluster: Cluster) -> None:
    with pytest.raises(HarnessError, match=r"phantom: a frame begins with Ether\(\), not with IP"):
        cluster.phantom.send(IP(dst="10.0.0.1"))
    with pytest.raises(HarnessError, match="phantom: scapy cannot build the packet"):
        cluster.phantom.send(Ether(dst="nowhere") / IP(ttl=256))
    with pytest.raises(HarnessError, match="phantom: no interface eth7; it has eth0"):
        cluster.phantom.send(Ether(), "eth7")


def test_interface_that_is_down_is_named(cluster: Cluster) -> None:
    cluster.client.machine.run(["ip", "link", "set", "eth0", "down"])
    try:
        with pytest.raises(HarnessError, match="client: cannot send from eth0: Network is down"):
            cluster.client.send(Ether() / Raw(b"x"))
    finally:
        cluster.client.machine.run(["ip", "link", "set", "eth0", "up"])


def test_machine_without_power_sends_nothing(cluster: Cluster) -> None:
    with (
        cluster.suffering(PowerOff(cluster.client)),
        pytest.raises(HarnessError, match="client is powered off"),
    ):
        cluster.client.send(Ether() / Raw(b"x"))
