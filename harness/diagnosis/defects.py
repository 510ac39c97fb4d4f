"""Defects of keepalived itself that no configuration is the cause of: told where a version that
has one did what the defect makes it do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from packaging.specifiers import SpecifierSet

from harness.clock import Instant
from harness.diagnosis.found import Diagnosis, Setup
from harness.events import Advertisement, DaemonChanged, FaultChanged, Log, StateChanged
from harness.keepalived import timers, version
from harness.timeline import Timeline
from harness.topology import VrrpInstance

PUT_OFF: Final = "vrrp_startup_delay puts the takeover off"
PROLONGED: Final = "a change of priority puts the takeover off"
NAMES: Final = (PUT_OFF, PROLONGED)
"""What it finds."""

_DELAYING: Final = re.compile(r"Delaying startup for (?P<seconds>[\d.]+) seconds")
_PUTS_OFF: Final = SpecifierSet(">=2.2,<2.2.8")
"""Before commit 845181cb (``vrrp_scheduler.c``, ``vrrp_init_instance_sands``)."""
_RESIGNED: Final = re.compile(r"\((?P<name>[^)]+)\) Backup received priority 0 advert")
_CHANGED: Final = re.compile(
    r"\((?P<name>[^)]+)\) Changing effective priority from (?P<before>\d+) to (?P<after>\d+)"
)
_SOON: Final = 0.1
"""Seconds by which a keepalived on a busy machine may be late."""


def startup_put_off(timeline: Timeline, setup: Setup, since: Instant) -> Iterator[Diagnosis]:
    """Each advertisement that keepalived discards during its startup delay adds the delay once
    more, so that a director that comes back takes over much later, or never.
    """
    for node, instances in setup.directors.items():
        for delaying in timeline.events(Log, since=since, node=node, daemon="keepalived")[::-1]:
            if said := _DELAYING.search(delaying.line):
                until = delaying.at + float(said["seconds"])
                for instance in instances:
                    yield from _put_off(timeline, node, instance, delaying, until)
                break


def takeover_prolonged(timeline: Timeline, setup: Setup, since: Instant) -> Iterator[Diagnosis]:
    """A backup whose priority changes after the master has resigned, and before it has taken over,
    waits for the whole Master_Down_Interval instead of Skew_Time (``vrrp_track.c``,
    ``vrrp_set_effective_priority``; no version is without it).
    """
    for node, instances in setup.directors.items():
        known = {instance.name: instance for instance in instances}
        resigned: dict[str, Log] = {}
        for log in timeline.events(Log, since=since, node=node, daemon="keepalived"):
            if said := _RESIGNED.search(log.line):
                resigned[said["name"]] = log
            elif (said := _CHANGED.search(log.line)) and said["name"] in known:
                began = resigned.pop(said["name"], None)
                lower = min(int(said["before"]), int(said["after"]))
                if began is not None and lower:
                    yield from _prolonged(timeline, known[said["name"]], lower, began, log)


def _prolonged(
    timeline: Timeline, instance: VrrpInstance, priority: int, resigned: Log, changed: Log
) -> Iterator[Diagnosis]:
    """``priority`` is the lower one of the two that it had, with which it would wait longer."""
    told = timeline.events(
        Advertisement, until=resigned.at, node=resigned.node, vrid=instance.vrid, sent=False
    )
    interval = told[-1].interval if told else None  # of the master, which version 3 reckons with
    due = resigned.at + timers.skew(instance.with_priority(priority), interval)
    heard = timeline.events(
        Advertisement, since=resigned.at, until=due, node=resigned.node, vrid=instance.vrid
    )
    obeyed = any(each.priority and not each.sent for each in heard)
    if (
        changed.at < due < timeline.events()[-1].at
        and not obeyed
        and not _excused(timeline, resigned.node, instance, resigned.at, due + _SOON)
    ):
        yield Diagnosis(
            PROLONGED, (resigned.node,),
            f"the master resigned at {resigned.at:.3f} s, so it was to be master at {due:.3f} s;"
            f" its priority changed at {changed.at:.3f} s",
            "let nothing that has a weight change when the other director is lost, as its BFD"
            " session does: keepalived then waits for its whole Master_Down_Interval",
            (resigned, changed),
        )  # fmt: skip


def _put_off(
    timeline: Timeline, node: str, instance: VrrpInstance, delaying: Log, until: Instant
) -> Iterator[Diagnosis]:
    keepalived = _version(timeline, node, delaying.at)
    discarded = [
        heard
        for heard in timeline.events(Advertisement, since=delaying.at, until=until, node=node)
        if not heard.sent and heard.vrid == instance.vrid
        if 0 < heard.priority < instance.effective_priority()
    ]
    interval = discarded[-1].interval if discarded else None
    due = until + timers.master_down_interval(instance, interval)
    if (
        keepalived is not None
        and keepalived in _PUTS_OFF
        and discarded
        and not instance.nopreempt
        and not instance.preempt_delay
        and timeline.events()[-1].at > due
        and not _excused(timeline, node, instance, delaying.at, due + _SOON)
    ):
        yield Diagnosis(
            PUT_OFF, (node,),
            f"keepalived {keepalived} waited until {until:.3f} s and was to be master at"
            f" {due:.3f} s; it had heard {len(discarded)} lower advertisements meanwhile",
            "take keepalived 2.2.8 or newer: before it each of them adds the delay once more"
            " (commit 845181cb); or leave vrrp_startup_delay out",
            (delaying, discarded[-1]), "vrrp_startup_delay",
        )  # fmt: skip


def _version(timeline: Timeline, node: str, until: Instant) -> version.Version | None:
    """Which keepalived a machine ran then, by its own word."""
    for log in timeline.events(Log, until=until, node=node, daemon="keepalived")[::-1]:
        if "Starting Keepalived v" in log.line:
            return version.parse(log.line.partition("Starting Keepalived ")[2])
    return None


def _excused(
    timeline: Timeline, node: str, instance: VrrpInstance, start: Instant, end: Instant
) -> bool:
    """Whether it became master in time, or something else kept it from that."""
    states = timeline.events(StateChanged, since=start, until=end, node=node)
    return (
        any(each.instance == instance.name and each.state != "BACKUP" for each in states)
        or bool(timeline.events(DaemonChanged, since=start, until=end, node=node, action="ended"))
        or bool(timeline.events(FaultChanged, since=start, until=end, action="injected"))
    )
