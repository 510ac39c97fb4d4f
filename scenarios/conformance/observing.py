"""What a director does with one packet: whether it obeys it, counts it, says a word of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from harness.clock import Instant, Window
from harness.cluster import Cluster
from harness.events import Advertisement, Log, StateChanged
from harness.faults import StopSpeaker
from harness.keepalived import statistics, timers
from harness.nodes import DirectorNode
from harness.timeline import EVER
from scenarios.conformance.vectors import HURRIED

SOON = 0.05
"""Seconds within which a daemon that does something because of a packet has done it, and said
so.
"""
INTO_THE_WAIT = 2.0
"""Seconds of a backup's wait that have passed when the packet comes: neither its beginning nor
its end.
"""
BETWEEN = 0.3
"""Seconds between a master's advertisement and the packet."""
LINES = 5
"""So many of a packet's story are shown on the page."""
OTHER_SOURCE = {4: "172.16.10.13", 6: "fe80::13"}
GAVE_UP = "gave up"
"""What a router does that is in no state in which it would ever be master again."""
KERNEL = "the kernel's count of packets that the socket did not get"
OTHER_WAIT = "obeyed, with another wait"
_USUAL = re.compile(
    r"Entering \w+ STATE|master set to|master changed from|Sending/queueing|Sending gratuitous"
    r"|Sending unsolicited"
    r"|setting VIPs|removing VIPs"
    r"|Receive advertisement timeout|Backup received priority 0|Master received priority 0"
    r"|with (lower|higher) priority|received lower priority|with same priority|forcing new election"
    r"|\w+ -> \w+|Master_Down_Timer expired|switching to Backup|Refusing to start Virtual Router"
)
"""What keepalived, and then vrrpd, say of their own changes of state and of advertisements that
they take for right.
"""


@dataclass(frozen=True)
class Seen:
    """``did``: what the packet made the director do, in a word; ``counted``: counters that rose,
    but for those of advertisements; ``said``: its log lines; ``answered``: whether it advertised at
    once; ``shown``: what happened, in a few lines.
    """

    did: str
    counted: tuple[str, ...]
    said: tuple[str, ...]
    answered: bool
    shown: tuple[str, ...] = ()

    @property
    def how(self) -> str:
        """``obeyed``, or how it was discarded."""
        if self.did != "discarded":
            return self.did
        ways = [word for word, is_so in (("counted", self.counted), ("logged", self.said)) if is_so]
        return f"discarded, {' and '.join(ways)}" if ways else "discarded silently"

    @property
    def told(self) -> str:
        """What became of the packet, for whoever reads a failure."""
        how = "it took over sooner than without the packet" if self.did == HURRIED else self.how
        return "\n".join([f"{how}; what happened, in seconds after it:", *self.shown])


def depose(cluster: Cluster) -> Instant:
    """Have the director be a backup, whoever it was, and forget which faults it has already told
    of.

    keepalived tells of each fault once for each master (``vrrp.c``, ``log_rate_limited_error``,
    since 2.3.3), so that two addresses have to speak. Returns the instant of the last
    advertisement.
    """
    phantom = cluster.phantom
    phantom.advertise(source=OTHER_SOURCE[phantom.advertisement().family])
    cluster.timeline.let_pass(cluster.slack)
    said = cluster.timeline.now()
    phantom.advertise()
    cluster.timeline.let_pass(cluster.slack)
    return said


def send(
    cluster: Cluster, packets: Sequence[Mapping[str, Any]]
) -> tuple[Instant, tuple[str, ...], tuple[str, ...]]:
    """Send the packets, one after the other; returns when, and what the director counted and
    said because of them.
    """
    (director,) = cluster.directors
    before, dropped = director.statistics(), director.raw_drops()
    sent = cluster.timeline.now()
    for lies in packets:
        cluster.phantom.advertise(**lies)
        cluster.timeline.let_pass(cluster.slack)
    cluster.timeline.let_pass(SOON)
    until = cluster.timeline.now()
    more = statistics.difference(before, director.statistics())
    daemon = director.daemons[0].name
    lines = [
        event.line
        for event in cluster.timeline.events(
            Log, node=director.name, since=sent, until=until, daemon=daemon
        )
        if not _USUAL.search(event.line)
    ]
    counted = sorted(name for name in more if "Error" in name)
    counted += [KERNEL] if director.raw_drops() > dropped else []
    return sent, tuple(counted), tuple(_STAMP.sub("", line) for line in lines)


_STAMP = re.compile(r"^\w{3} \w{3} [\d: ]+\d{4}: |^[\d/]+ [\d:]+ VRRP: \[[\w-]+\] ")


def ask_master(cluster: Cluster, packets: Sequence[Mapping[str, Any]]) -> Seen:
    """What a master does with the packets."""
    (director,) = cluster.directors
    since = depose(cluster)
    wait_master(cluster, director, since)
    cluster.timeline.let_pass(BETWEEN)
    sent, counted, said = send(cluster, packets)
    deposed = cluster.timeline.events(StateChanged, node=director.name, since=sent, state="BACKUP")
    did = _obeyed(cluster, director, packets[-1], sent) if deposed else "discarded"
    did = GAVE_UP if _has_given_up(cluster, director, sent) else did
    answers = cluster.timeline.events(
        Advertisement, node=director.name, since=sent, until=sent + SOON, sent=True
    )
    shown = story(cluster, sent)
    recover(cluster, director, did)
    return Seen(did, counted, said, bool(answers), shown)


def ask_backup(cluster: Cluster, packets: Sequence[Mapping[str, Any]]) -> Seen:
    """What a backup does with the packets that come in the middle of its wait."""
    (director,) = cluster.directors
    began = depose(cluster)
    due = wait_of(director)
    cluster.timeline.let_pass(INTO_THE_WAIT)
    sent, counted, said = send(cluster, packets)
    cluster.timeline.let_pass(began + due.latest + cluster.slack - cluster.timeline.now())
    took = cluster.timeline.events(StateChanged, node=director.name, since=sent, state="MASTER")
    if _has_given_up(cluster, director, sent):
        did = GAVE_UP
    elif not took:
        did = _obeyed(cluster, director, packets[-1], sent)
    else:
        did = "discarded" if took[0].at >= began + due.earliest - cluster.slack else HURRIED
    shown = story(cluster, sent)
    recover(cluster, director, did)
    return Seen(did, counted, said, False, shown)


def story(cluster: Cluster, sent: Instant) -> tuple[str, ...]:
    """What was sent and who became what since a packet, in seconds after it: the first lines of
    its timeline.
    """
    lines = []
    for event in cluster.timeline.events(Advertisement, StateChanged, since=sent):
        if isinstance(event, StateChanged):
            what = f"becomes {event.state}"
        elif event.sent:
            what = f"advertises priority {event.priority}, interval {event.interval:.2f} s"
        else:
            continue
        lines.append(f"{event.at - sent:6.2f}  {event.node} {what}")
    return tuple(lines[:LINES])


def wait_of(director: DirectorNode, master_advert_int: float | None = None) -> Window:
    """How many seconds a director waits for its master's next word (Master_Down_Interval)."""
    wait = Window.exactly(timers.master_down_interval(director.vrrp, master_advert_int))
    return director.due(wait, master_advert_int)


def _has_given_up(cluster: Cluster, director: DirectorNode, since: Instant) -> bool:
    return bool(
        cluster.timeline.events(StateChanged, node=director.name, since=since, state="FAULT")
    )


def _obeyed(
    cluster: Cluster, director: DirectorNode, lies: Mapping[str, Any], sent: Instant
) -> str:
    """``obeyed``, if the director then waits as long as the packet's interval says (RFC 9568
    section 6.1).
    """
    interval = lies.get(
        "interval", round(director.vrrp.advert_int * 100) if "reserved" in lies else 0
    )
    if not interval:
        return "obeyed"
    due = wait_of(director, interval / 100)
    cluster.timeline.let_pass(sent + due.latest + cluster.slack - cluster.timeline.now())
    took = cluster.timeline.events(StateChanged, node=director.name, since=sent, state="MASTER")
    in_time = took and took[0].at - sent in due.with_slack(2 * cluster.slack)
    return "obeyed" if in_time else OTHER_WAIT


def wait_master(cluster: Cluster, director: DirectorNode, since: Instant) -> None:
    """Wait until the director is master again after its last master was heard at ``since``."""
    latest = wait_of(director).latest
    cluster.timeline.wait_for(
        StateChanged,
        node=director.name,
        since=since + cluster.slack,
        until=since + latest + cluster.slack,
        state="MASTER",
    )  # label: master again


def recover(cluster: Cluster, director: DirectorNode, did: str) -> None:
    """Have a director that may wait for long, since a packet said so, be master soon; one that
    gave up is restarted.
    """
    if did == GAVE_UP:
        with cluster.suffering(StopSpeaker(director), at_once=True):
            pass
        director.candidate_since(since=cluster.healed())
    wait_master(cluster, director, depose(cluster))


def implementation(cluster: Cluster) -> str:
    """The director's implementation and version: ``2.3.4`` of keepalived, ``FRR 10.3``."""
    (director,) = cluster.directors
    if director.role.by == "keepalived":
        return str(director.plan.image.keepalived)
    said = cluster.timeline.events(
        Log, node=director.name, since=EVER, daemon=director.daemons[0].name
    )
    versions = [found[1] for event in said if (found := _FRR.search(event.line))]
    return f"FRR {versions[0]}"


_FRR = re.compile(r"vrrpd ([\d.]+)\S* starting")
