"""What a director does with one packet: whether it obeys it, counts it, says a word of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.clock import Instant
from harness.cluster import Cluster
from harness.daemons.nodes import DirectorNode
from harness.events import Advertisement, Log, StateChanged
from harness.keepalived import statistics, timers
from harness.topology import VrrpInstance

SOON = 0.05
"""Seconds within which a daemon that does something because of a packet has done it, and said so."""
INTO_THE_WAIT = 2.0
"""Seconds of a backup's wait that have passed when the packet comes: neither its beginning nor its end."""
BETWEEN = 0.3
"""Seconds between a master's advertisement and the packet."""
OTHER_SOURCE = {4: "172.16.10.13", 6: "fe80::13"}
KERNEL = "the kernel's count of packets that the socket did not get"
OTHER_WAIT = "obeyed, with another wait"
_USUAL = re.compile(
    r"Entering \w+ STATE|master set to|master changed from|Sending/queueing|Sending gratuitous|Sending unsolicited"
    r"|setting VIPs|removing VIPs"
    r"|Receive advertisement timeout|Backup received priority 0|Master received priority 0"
    r"|with (lower|higher) priority|received lower priority|with same priority|forcing new election"
)
"""What keepalived says of its own changes of state and of advertisements that it takes for right."""


@dataclass(frozen=True)
class Seen:
    """``did``: what the packet made the director do, in a word; ``counted``: counters that rose, but for those of
    advertisements; ``said``: its log lines; ``answered``: whether it advertised at once.
    """

    did: str
    counted: tuple[str, ...]
    said: tuple[str, ...]
    answered: bool

    @property
    def how(self) -> str:
        """``obeyed``, or how it was discarded."""
        if self.did != "discarded":
            return self.did
        ways = [word for word, is_so in (("counted", self.counted), ("logged", self.said)) if is_so]
        return f"discarded, {' and '.join(ways)}" if ways else "discarded silently"


def depose(cluster: Cluster) -> Instant:
    """Have the director be a backup, whoever it was, and forget which faults it has already told of.

    keepalived tells of each fault once for each master (``vrrp.c``, ``log_rate_limited_error``, since 2.3.3), so that
    two addresses have to speak. Returns the instant of the last advertisement.
    """
    phantom = cluster.phantom
    phantom.advertise(source=OTHER_SOURCE[phantom.advertisement().family])
    cluster.timeline.let_pass(cluster.slack)
    said = cluster.timeline.now()
    phantom.advertise()
    cluster.timeline.let_pass(cluster.slack)
    return said


def send(cluster: Cluster, packets: Sequence[Mapping[str, Any]]) -> tuple[Instant, tuple[str, ...], tuple[str, ...]]:
    """Send the packets, one after the other; returns when, and what the director counted and said because of them."""
    (director,) = cluster.directors
    before, dropped = cluster.statistics(director), cluster.raw_drops(director)
    sent = cluster.timeline.now()
    for lies in packets:
        cluster.phantom.advertise(**lies)
        cluster.timeline.let_pass(cluster.slack)
    cluster.timeline.let_pass(SOON)
    until = cluster.timeline.now()
    more = statistics.difference(before, cluster.statistics(director))
    lines = [
        event.line
        for event in cluster.timeline.events(Log, node=director.name, since=sent, until=until, daemon="keepalived")
        if not _USUAL.search(event.line)
    ]
    counted = sorted(name for name in more if "Error" in name)
    counted += [KERNEL] if cluster.raw_drops(director) > dropped else []
    return sent, tuple(counted), tuple(_STAMP.sub("", line) for line in lines)


_STAMP = re.compile(r"^\w{3} \w{3} [\d: ]+\d{4}: ")


def ask_master(cluster: Cluster, packets: Sequence[Mapping[str, Any]]) -> Seen:
    """What a master does with the packets."""
    (director,) = cluster.directors
    since = depose(cluster)
    wait_master(cluster, director, since)
    cluster.timeline.let_pass(BETWEEN)
    sent, counted, said = send(cluster, packets)
    deposed = cluster.timeline.events(StateChanged, node=director.name, since=sent, state="BACKUP")
    did = _obeyed(cluster, director, packets[-1], sent) if deposed else "discarded"
    answers = cluster.timeline.events(Advertisement, node=director.name, since=sent, until=sent + SOON, sent=True)
    seen = Seen(did, counted, said, bool(answers))
    recover(cluster, director)
    return seen


def ask_backup(cluster: Cluster, packets: Sequence[Mapping[str, Any]]) -> Seen:
    """What a backup does with the packets that come in the middle of its wait."""
    (director,) = cluster.directors
    began = depose(cluster)
    due = began + timers.master_down_interval(director.vrrp)
    cluster.timeline.let_pass(INTO_THE_WAIT)
    sent, counted, said = send(cluster, packets)
    cluster.timeline.let_pass(due + cluster.slack - cluster.timeline.now())
    took = cluster.timeline.events(StateChanged, node=director.name, since=sent, state="MASTER")
    if not took:
        did = _obeyed(cluster, director, packets[-1], sent)
    else:
        did = "discarded" if took[0].at >= due - cluster.slack else "hurried"
    recover(cluster, director)
    return Seen(did, counted, said, False)


def _obeyed(cluster: Cluster, director: DirectorNode, lies: Mapping[str, Any], sent: Instant) -> str:
    """``obeyed``, if the director then waits as long as the packet's interval says (RFC 9568 section 6.1)."""
    interval = lies.get("interval")
    if not interval:
        return "obeyed"
    due = sent + timers.master_down_interval(director.vrrp, interval / 100)
    cluster.timeline.let_pass(due + cluster.slack - cluster.timeline.now())
    took = cluster.timeline.events(StateChanged, node=director.name, since=sent, state="MASTER")
    return "obeyed" if took and abs(took[0].at - due) <= 2 * cluster.slack else OTHER_WAIT


def wait_master(cluster: Cluster, director: DirectorNode, since: Instant) -> None:
    """Wait until the director is master again after its last master was heard at ``since``."""
    latest = timers.master_down_interval(director.vrrp)
    cluster.timeline.wait_for(
        StateChanged,
        node=director.name,
        since=since + cluster.slack,
        until=since + latest + cluster.slack,
        state="MASTER",
    )


def recover(cluster: Cluster, director: DirectorNode) -> None:
    """Have a director that may wait for long, since a packet said so, be master soon."""
    wait_master(cluster, director, depose(cluster))


def instance_of(cluster: Cluster) -> VrrpInstance:
    """The director's VRRP instance."""
    (director,) = cluster.directors
    return director.vrrp
