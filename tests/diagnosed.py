"""What directors advertise and hear in the tests of diagnoses: a healthy pair, and what is found in
a timeline.
"""

from __future__ import annotations

from typing import Any

from harness.diagnosis import Setup, diagnose
from harness.events import AddressChanged, Advertisement
from harness.timeline import Timeline
from harness.topology import VrrpInstance
from harness.topology.tracking import maintenance_switch

VIP = "172.16.10.50"
FIRST = VrrpInstance(vrid=51, vip=VIP, priority=100, track_scripts=(maintenance_switch(),))
SECOND = VrrpInstance(vrid=51, vip=VIP, priority=70)
SETUP = Setup(
    {"director1": (FIRST,), "director2": (SECOND,)}, {"web1": (VIP,)}, {"web1": "172.16.10.11"}
)


def healthy() -> Timeline:
    """The master advertises, its backup hears it, the real server holds the VIP."""
    timeline = Timeline()
    for node, address, prefix, interface in (
        ("director1", "172.16.10.11", 24, "eth0"),
        ("director2", "172.16.10.12", 24, "eth0"),
        ("director1", VIP, 32, "eth0"),
        ("web1", VIP, 32, "lo"),
    ):
        timeline.record(
            AddressChanged(
                0, node, action="added", address=address, prefix=prefix, interface=interface
            )
        )
    advert(timeline, 1, "director1", "director2")
    return timeline


def advert(timeline: Timeline, at: float, node: str, *listeners: str, **other: Any) -> None:
    """An advertisement as the pair's, but for ``other``, is sent and heard by these listeners."""
    right = {"vrid": 51, "priority": 100, "source": f"of {node}", "interval": 1, "version": 2}
    said: dict[str, Any] = {**right, "addresses": VIP, **other}
    for each in (node, *listeners):
        timeline.record(Advertisement(at, each, sent=each == node, **said))


def found(
    timeline: Timeline, setup: Setup = SETUP, since: float = 0
) -> list[tuple[str, tuple[str, ...]]]:
    """What is diagnosed, each by its name and the machines."""
    return [(each.name, each.nodes) for each in diagnose(timeline, setup, since)]
