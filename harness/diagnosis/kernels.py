"""What the machines' kernels say of themselves where no packet on a wire shows it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from harness.clock import Instant
from harness.diagnosis.found import Diagnosis, Seen, Setup
from harness.events import DaemonChanged, Log
from harness.timeline import Timeline

NAMES: Final = (
    "rp_filter drops packets",
    "connection tracking full",
    "process that spins",
)
"""What it finds."""

SIGXCPU: Final = 24
EXCEEDED: Final = re.compile(rf"due to signal {SIGXCPU}\b|took no notice of SIGXCPU$")
"""By keepalived of its child, or by the watchdog in the place of whom it had to kill
(``LAST_WORDS`` of :mod:`harness.kernels.guest.running`).
"""
_SPINNING: Final = "see where it is while it does (gdb -p), and report the version that does it"


def reverse_path(timeline: Timeline, setup: Setup, seen: Seen) -> Iterator[Diagnosis]:
    """The way back to a packet's sender leads out by another interface than the one it came by, as
    it does where TUN or two LANs meet, and rp_filter drops the packet.
    """
    for node, kernel in seen.kernels.items():
        if kernel.filtered:
            yield Diagnosis(
                "rp_filter drops packets", (node,),
                f"its kernel has dropped {kernel.filtered} packets that came by another interface"
                " than the answer would leave by",
                "set net.ipv4.conf.*.rp_filter there to 0, for all and for the interface"
                " (on real servers of TUN: tunl0)",
            )  # fmt: skip


def tracking_full(timeline: Timeline, setup: Setup, seen: Seen) -> Iterator[Diagnosis]:
    """The table of connection tracking is full, and the kernel drops each new connection."""
    for node, kernel in seen.kernels.items():
        if 0 < kernel.trackable <= kernel.tracked:
            yield Diagnosis(
                "connection tracking full", (node,),
                f"it keeps track of {kernel.tracked} connections, of at most {kernel.trackable}",
                "raise net.netfilter.nf_conntrack_max, or keep the service out of tracking"
                " (iptables -t raw ... -j NOTRACK)",
            )  # fmt: skip


def spun(timeline: Timeline, setup: Setup, since: Instant) -> Iterator[Diagnosis]:
    """A daemon or one of its children computed without rest, so that the watchdog of virtual time
    ended it by SIGXCPU.
    """
    evidence = {}
    for log in timeline.events(Log, since=since):
        if EXCEEDED.search(log.line):
            evidence[log.node] = log.said
    for ended in timeline.events(DaemonChanged, since=since, action="ended", status=-SIGXCPU):
        evidence[ended.node] = f"{ended.name} computed without rest until it was ended (SIGXCPU)"
    for node, said in evidence.items():
        yield Diagnosis("process that spins", (node,), said, _SPINNING)


def busy(timeline: Timeline, setup: Setup, seen: Seen) -> Iterator[Diagnosis]:
    """In real time a process that computes without rest shows by its processor time."""
    for node, kernel in seen.kernels.items():
        for name, share in kernel.busy.items():
            said = f"{name} has computed for {share:.0%} of the time"
            yield Diagnosis("process that spins", (node,), said, _SPINNING)
