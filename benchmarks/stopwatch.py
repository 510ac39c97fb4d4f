"""A pytest plugin (``-p benchmarks.stopwatch``) that tells :mod:`benchmarks.runs` how far a run has
come.

It writes lines ``stopwatch {"mark": ..., ...}`` to the standard output that pytest had before it
captured any. The reader notes when each arrives, on a clock that is real even where the guest's is
virtual.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest

from benchmarks import EVIDENCE
from harness.events import AddressChanged, Advertisement, Arp, DaemonChanged, FaultChanged, Request
from harness.kernels import choice

if TYPE_CHECKING:
    from harness.cluster import Cluster
    from harness.events import Event
    from harness.nodes import DirectorNode

_output = os.dup(1)
_WHERE = "guest" if choice.in_guest() else "host"


def tell(mark: str, **details: Any) -> None:
    """Write a mark, with what belongs to it."""
    words = json.dumps({"mark": f"{_WHERE} {mark}", "clock": time.monotonic(), **details})
    os.write(_output, f"\nstopwatch {words}\n".encode())


def _age() -> float:
    """For how many seconds this process exists (proc(5), ``starttime``, in hundredths)."""
    started = int(Path("/proc/self/stat").read_text().rpartition(")")[2].split()[19]) / os.sysconf(
        "SC_CLK_TCK"
    )
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started


def pytest_addoption() -> None:
    """The first hook of all: pytest itself has been imported."""
    tell("imported", age=_age())


def pytest_collection_finish() -> None:
    """The tests are known; on the host this is told by the process that only looks."""
    tell("collected")


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """The first line of a test; its cluster runs."""
    if "cluster" not in pyfuncitem.funcargs:  # a search has several
        return (yield)
    cluster = cast("Cluster", pyfuncitem.funcargs["cluster"])
    timeline = cluster.timeline
    daemons = timeline.origin + timeline.events(DaemonChanged, action="started")[0].at
    tell("test", cluster=cluster.folder.name, built=timeline.origin, daemons=daemons)
    try:
        return (yield)
    finally:
        requests = timeline.events(Request, since=timeline.mark)
        tell("judged", requests=len(requests), waited=_waited(cluster), dropped=_dropped(cluster))
        if os.environ.get(EVIDENCE):
            tell(
                "evidence",
                late=list(_late(cluster)),
                off=list(_off(cluster)),
                lag=list(_lags(cluster)),
            )


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """A part of a test is over."""
    if report.failed:
        tell("failed", name=report.nodeid)


@pytest.hookimpl(trylast=True)
def pytest_runtest_logfinish(nodeid: str) -> None:
    """A test and what follows it are over."""
    tell("finished", name=nodeid)


def pytest_unconfigure() -> None:
    """The end."""
    tell("ended")


def _waited(cluster: Cluster) -> float:
    """For how many seconds the first VIP had nobody, after the daemons had been started."""
    if not cluster.vips:  # of configurations of a scenario's own nothing is known
        return 0.0
    started = cluster.timeline.events(DaemonChanged, action="started")[0].at
    held = cluster.timeline.events(AddressChanged, action="added", address=cluster.vip)
    return next((event.at - started for event in held if event.interface != "lo"), 0.0)


def _dropped(cluster: Cluster) -> int:
    """What the kernel's counters say that it dropped: of the capture, and from any machine's queue
    of frames.
    """
    columns = Path("/proc/net/softnet_stat").read_text().splitlines()
    return cluster.recorder.dropped + sum(int(line.split()[1], 16) for line in columns)


def _takeovers(cluster: Cluster) -> Iterator[tuple[DirectorNode, Event]]:
    """Where a fault of this test has cost one director the VIP: the other one and the event of its
    getting it.
    """
    timeline = cluster.timeline
    for fault in timeline.events(FaultChanged, since=timeline.mark, action="injected"):
        for director in cluster.directors:
            got = timeline.events(
                AddressChanged,
                node=director.name,
                since=fault.at,
                action="added",
                address=cluster.vip,
            )
            if got and director.name != fault.node:
                yield director, got[0]


def _off(cluster: Cluster) -> Iterator[float]:
    """By how many seconds a takeover is off what follows from the last advertisement of the old
    master.

    RFC 3768 section 6.4.2: priority 0 leaves the skew to wait for, any other the
    Master_Down_Interval.
    """
    from harness.keepalived import timers  # not before the cluster runs: imports count

    for director, event in _takeovers(cluster):
        heard = cluster.timeline.events(Advertisement, until=event.at, sent=True)
        last = next(advert for advert in reversed(heard) if advert.node != director.name)
        wait = timers.master_down_interval if last.priority else timers.skew
        yield event.at - last.at - wait(director.vrrp)


def _late(cluster: Cluster) -> Iterator[float]:
    """By how many seconds the VIP's event is later than the first gratuitous ARP for it.

    keepalived adds the address before it sends that, so a negative figure is keepalived's own time
    and no error.
    """
    for director, event in _takeovers(cluster):
        announced = cluster.timeline.events(
            Arp,
            node=director.name,
            since=event.at - 0.5,
            sent=True,
            gratuitous=True,
            sender=cluster.vip,
        )
        yield from [event.at - announced[0].at][: len(announced)]


def _lags(cluster: Cluster) -> Iterator[float]:
    """By how many seconds a request's event is off the first packet that the client sent for it."""
    for event in cluster.timeline.events(Request, since=cluster.timeline.mark, status=200):
        if sent := cluster.path_of(event).at(cluster.client):
            yield event.at - sent[0].frame.at
