"""Misconfigurations told from packets and from what kernels say: each on its evidence, and
nothing without.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from harness.diagnosis import Diagnosis, Flow, Hop, Kernel, Seen, Setup, diagnose
from harness.events import AddressChanged, Arp, DaemonChanged, Log
from harness.timeline import Timeline
from harness.topology import VrrpInstance

VIP = "172.16.10.50"
PAIR = tuple((name, (VrrpInstance(vrid=51, vip=VIP),)) for name in ("one", "two"))
SETUP = Setup(dict(PAIR), {}, {"web": "172.16.10.1"})
FLOW = Flow("172.16.10.100", VIP, (32768, 80), 1)


def told(seen: Seen, timeline: Timeline | None = None) -> list[tuple[str, tuple[str, ...]]]:
    return [(each.name, each.nodes) for each in diagnose(timeline or Timeline(), SETUP, seen=seen)]


def way(*steps: tuple[str, str, int]) -> Seen:
    """One packet, from machine to machine, with the TTL that it has there."""
    sent = (Hop(at, a, b, False, ttl, 60, FLOW) for at, (a, b, ttl) in enumerate(steps))
    return Seen(tuple(sent))


@pytest.mark.parametrize(
    ("steps", "expected"),
    [
        ([("client", "one", 64), ("one", "two", 63), ("two", "one", 62), ("one", "two", 61)], True),
        ([("client", "one", 64), ("one", "two", 63), ("two", "one", 62)], False),
        ([("one", "two", 63), ("one", "two", 63), ("one", "two", 63)], False),  # sent once more
        ([("one", "two", 63), ("two", "one", 62), ("one", "two", 63)], False),  # sent once more
        (
            [("one", "web", 63), ("web", "one", 62), ("one", "web", 61)],
            False,
        ),  # that is no balancer
    ],
)
def test_a_packet_that_goes_to_and_fro(
    steps: Sequence[tuple[str, str, int]], expected: bool
) -> None:
    assert told(way(*steps)) == [("director loop", ("one", "two"))] * expected


def tunnel(*sizes: int, passes: int = 0) -> Seen:
    """A small segment goes through the tunnel, then comes another one, again and again;
    ``passes`` is when it does.
    """
    wide = Flow(FLOW.source, VIP, FLOW.ports, 2)
    hops = [
        Hop(0, "client", "one", True, 64, 60, FLOW),
        Hop(0, "one", "web", False, 63, 80, FLOW, True),
    ]
    hops += [
        Hop(at, "client", "one", True, 64, size, wide) for at, size in enumerate(sizes, start=1)
    ]
    if passes:
        hops.append(Hop(passes, "one", "web", False, 63, 1500, wide, True))
    return Seen(tuple(hops))


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (tunnel(1500, 1500, 1500), True),
        (tunnel(1500, 1500), False),  # which may be on its way
        (tunnel(1500, 1500, 1480, passes=3), False),
        (tunnel(60, 60, 60), False),  # another reason than its size
        (Seen(tunnel(1500, 1500, 1500).hops[2:]), False),  # nothing is tunnelled
    ],
)
def test_a_full_packet_that_never_goes_on(seen: Seen, expected: bool) -> None:
    assert told(seen) == [("tunnel too narrow", ("one",))] * expected


@pytest.mark.parametrize(
    ("source", "kernel", "expected"),
    [
        (VIP, Kernel(), True),
        (VIP, Kernel(accepts_local=True), False),
        ("172.16.10.11", Kernel(), False),
    ],
)
def test_a_packet_that_comes_from_an_address_of_the_receiver(
    source: str, kernel: Kernel, expected: bool
) -> None:
    timeline = Timeline()
    timeline.record(
        AddressChanged(0, "web", action="added", address=VIP, prefix=32, interface="lo")
    )
    hop = Hop(1, "one", "web", True, 64, 60, Flow(source, VIP, (1, 80), 1))
    assert (
        told(Seen((hop,), {"web": kernel}), timeline) == [("martian source", ("web",))] * expected
    )
    before = Hop(-1, "one", "web", True, 64, 60, Flow(source, VIP, (1, 80), 1))
    assert told(Seen((before,), {"web": kernel}), timeline) == []


@pytest.mark.parametrize(
    ("kernel", "name"),
    [
        (Kernel(filtered=1), "rp_filter drops packets"),
        (Kernel(tracked=4, trackable=4), "connection tracking full"),
        (Kernel(busy={"keepalived": 0.97}), "process that spins"),
        (Kernel(tracked=3, trackable=4), None),
        (Kernel(), None),
    ],
)
def test_what_a_kernel_says(kernel: Kernel, name: str | None) -> None:
    assert told(Seen(kernels={"web": kernel})) == ([(name, ("web",))] if name else [])


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        (DaemonChanged(1, "one", name="keepalived", action="ended", status=-24), True),
        (DaemonChanged(1, "one", name="keepalived", action="ended", status=-9), False),
        (
            Log(
                1,
                "one",
                daemon="keepalived",
                line="VRRP process(6) exited due to signal 24 (CPU time limit)",
            ),
            True,
        ),
    ],
)
def test_what_the_watchdog_has_ended(event: DaemonChanged | Log, expected: bool) -> None:
    timeline = Timeline()
    timeline.record(event)
    assert told(Seen(), timeline) == [("process that spins", ("one",))] * expected


@pytest.mark.parametrize(
    ("asked", "answered", "expected"), [(3, False, True), (2, False, False), (3, True, False)]
)
def test_a_gateway_that_does_not_answer(asked: int, answered: bool, expected: bool) -> None:
    timeline = Timeline()
    for at in range(asked):
        timeline.record(
            Arp(
                at,
                "web",
                sent=True,
                operation="request",
                sender="172.16.10.21",
                target="172.16.10.1",
            )
        )
    if answered:
        timeline.record(Arp(9, "web", sent=False, sender="172.16.10.1"))
    assert told(Seen(), timeline) == [("gateway that does not answer", ("web",))] * expected


def test_each_says_what_to_do() -> None:
    found = diagnose(Timeline(), SETUP, seen=Seen(kernels={"web": Kernel(filtered=2)}))
    assert all(isinstance(each, Diagnosis) and each.cure for each in found)
    assert str(found[0]).startswith(
        "rp_filter drops packets (web): its kernel has dropped 2 packets"
    )
