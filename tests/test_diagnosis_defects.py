"""Known defects of keepalived are told by name where a version that has one did what it does, and
nowhere else.
"""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.diagnosis import Setup, defective
from harness.diagnosis.defects import PROLONGED, PUT_OFF
from harness.events import Advertisement, FaultChanged, Log, StateChanged
from harness.timeline import Timeline
from harness.topology import VrrpInstance

OWN = VrrpInstance(vrid=51, vip="172.16.10.50", priority=100)


def returning(
    version: str = "2.2.7", priority: int = 90, master_at: float | None = None, until: float = 30.0
) -> Timeline:
    """director1 begins to wait for 8 s at 10 s, and hears an advertisement each second."""
    timeline = Timeline()
    for at, line in ((10.0, f"Starting Keepalived v{version} (01/16,2022)"), (10.1, "Running")):
        timeline.record(Log(at, "director1", daemon="keepalived", line=line))
    said = Log(10.1, "director1", daemon="keepalived", line="Delaying startup for 8 seconds")
    timeline.record(said)
    for second in range(11, int(until) + 1):
        timeline.record(
            Advertisement(
                float(second),
                "director1",
                sent=False,
                vrid=51,
                priority=priority,
                source="172.16.10.12",
                interval=1,
                version=2,
                addresses=OWN.vips[0],
            )
        )
    if master_at is not None:
        became = StateChanged(master_at, "director1", instance=OWN.name, state="MASTER")
        timeline.record(became)
    return timeline


def found(timeline: Timeline, instance: VrrpInstance = OWN) -> list[str]:
    setup = Setup({"director1": (instance,)}, {}, {})
    return [each.name for each in defective(timeline, setup)]


def test_a_takeover_that_is_put_off_is_told_with_its_version() -> None:
    (told,) = defective(returning(), Setup({"director1": (OWN,)}, {}, {}))

    assert told.name == PUT_OFF
    assert "keepalived 2.2.7 waited until 18.100 s" in told.evidence
    assert "heard 8 lower" in told.evidence


@pytest.mark.parametrize(
    "timeline",
    [
        returning(version="2.2.8"),
        returning(version="2.1.5"),
        returning(priority=110),
        returning(master_at=21.7),
        returning(until=21.0),
    ],
    ids=["mended", "not yet there", "outranked", "in time", "not due yet"],
)
def test_nothing_is_told_without_it(timeline: Timeline) -> None:
    assert found(timeline) == []


@pytest.mark.parametrize("other", [{"nopreempt": True}, {"preempt_delay": 20.0}, {"vrid": 52}])
def test_who_is_not_to_take_over_is_not_put_off(other: dict[str, object]) -> None:
    assert found(returning(), replace(OWN, **other)) == []  # type: ignore[arg-type]


def prolonged(*, changed: float = 10.3, master_at: float | None = 13.0) -> Timeline:
    """The master resigns at 10 s, and director1's priority falls a little later."""
    timeline = Timeline()
    for at, said in (
        (10.0, "(VI_1) Backup received priority 0 advertisement"),
        (changed, "(VI_1) Changing effective priority from 100 to 80"),
        (15.0, "the end"),
    ):
        timeline.record(Log(at, "director1", daemon="keepalived", line=said))
    if master_at is not None:
        became = StateChanged(master_at, "director1", instance=OWN.name, state="MASTER")
        timeline.record(became)
    return timeline


@pytest.mark.parametrize(
    ("timeline", "expected"),
    [
        (prolonged(), [PROLONGED]),
        (prolonged(master_at=None), [PROLONGED]),
        (prolonged(master_at=10.7), []),
        (prolonged(changed=11.0), []),
        (prolonged(changed=9.0), []),
    ],
    ids=["later", "never", "in time", "changed afterwards", "changed before"],
)
def test_a_priority_that_changes_after_a_resignation(
    timeline: Timeline, expected: list[str]
) -> None:
    assert found(timeline) == expected


def test_what_is_due_is_reckoned_with_the_interval_of_the_master_in_version_3() -> None:
    """Of priority 80 the skew is 1.375 s where the master has 2 s, and 0.069 s by its own 0.1 s."""
    timeline = prolonged(changed=10.05, master_at=11.4)
    timeline.record(
        Advertisement(9.9, "director1", sent=False, vrid=51, priority=0, interval=2.0, version=3)
    )
    assert found(timeline, replace(OWN, version=3, advert_int=0.1)) == []


def test_who_hears_a_new_master_is_not_put_off() -> None:
    timeline = prolonged()
    timeline.record(
        Advertisement(10.2, "director1", sent=False, vrid=51, priority=110, source="172.16.10.13")
    )
    assert found(timeline) == []


def test_a_fault_meanwhile_excuses_it() -> None:
    timeline = returning()
    timeline.record(FaultChanged(15.0, "director1", name="Unplug", action="injected"))
    assert found(timeline) == []
