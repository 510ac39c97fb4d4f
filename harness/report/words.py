"""Events in a few words: for the table below a failure, and for the page."""

from __future__ import annotations

import re
from typing import Final

from harness.clock import duration
from harness.due import judged_in_words
from harness.events import (
    AddressChanged,
    Advertisement,
    Arp,
    ConnectionChanged,
    Counter,
    DaemonChanged,
    DestinationChanged,
    Event,
    Expected,
    FaultChanged,
    Judged,
    Link,
    Log,
    Missed,
    Notification,
    Power,
    Request,
    RouteChanged,
    RuleChanged,
    Saturated,
    ServiceChanged,
    StateChanged,
    StreamChanged,
)

DIRECTING = ("Director", "DirectorAndRealServer")
SERVING = ("RealServer", "DirectorAndRealServer")
"""The roles of machines that balance requests, and of those that answer, as artifacts name them."""


def words(event: Event) -> str:
    """What happened, for whoever knows on which node."""
    match event:
        case Power():
            return f"power {event.action}"
        case Link():
            return f"{event.interface} {'up' if event.up else 'down'}"
        case AddressChanged():
            return f"{'+' if event.action == 'added' else '-'} {event.address} {event.interface}"
        case RouteChanged():
            by = f" by {event.gateway}" if event.gateway else ""
            return f"route {'+' if event.action == 'added' else '-'} {event.destination}{by}"
        case RuleChanged():
            rule = f"from {event.source} table {event.table}"
            return f"rule {'+' if event.action == 'added' else '-'} {rule}"
        case DaemonChanged():
            more = event.status if event.action == "ended" else event.edits
            return f"{event.name} {event.action}" + ("" if more is None else f" ({more})")
        case StateChanged():
            return f"{event.instance} {event.state}"
        case Log():
            return event.said
        case ServiceChanged():
            return f"service {'+' if event.action == 'added' else '-'} {event.service}"
        case DestinationChanged():
            return _destination(event)
        case Advertisement():
            return _advertisement(event)
        case Arp():
            return _arp(event)
        case Request():
            return _request(event)
        case Saturated():
            return _saturated(event)
        case StreamChanged():
            return _stream(event)
        case ConnectionChanged():
            return _connection(event)
        case Counter():
            return f"{event.of}: {event.name} {event.value}"
        case Notification():
            return f"tells by {event.channel}: {event.text}"
        case FaultChanged():
            return f"{event.name} {event.action}"
        case Expected():
            return f"{event.what}: due"
        case Judged():
            return judged_in_words(event)
        case Missed():
            return f"{event.what}: NOT within {duration(event.latest - event.since)}"
    return _other(event)


CHECKED: Final = re.compile(
    r"_CHECK\b|\bCHECK on service|succeed on service|HTTP status code|MD5"
    r" digest|\b(TCP|UDP|ICMP) connection to"
    r"|Misc check for|VRRP_Script\(|[Qq]uorum "
)
"""What keepalived 2.2.7 says of the outcome of a health check, of a tracked script, and of a
quorum.
"""


def worth_a_line(event: Event) -> bool:
    """Whether an event belongs in a short table: frames where they were sent, no loopback or
    link-local.

    Of the logs only what they say of health checks; of counters none, since they are many.
    """
    if isinstance(event, Log):
        return event.daemon == "keepalived" and CHECKED.search(event.line) is not None
    if event.kind in ("advertisement", "arp"):
        return bool(event.details.get("sent"))
    if event.kind == "address" and str(event.details.get("address")).startswith("fe80:"):
        return False
    return (
        event.kind not in ("expected", "ndp", "counter") and event.details.get("interface") != "lo"
    )


def _other(event: Event) -> str:
    return " ".join([event.kind, *(f"{name}={value}" for name, value in event.details.items())])


def _request(event: Request) -> str:
    if event.status == 200:
        return f"GET: {event.server} in {duration(event.latency)}"
    return f"GET: {event.error or event.status} after {duration(event.latency)}"


def _saturated(event: Saturated) -> str:
    said = (
        f"wrk: {event.at_once} of {event.connections} connections at once,"
        f" {event.requests / event.lasted:.0f} requests a second"
    )
    wrong = {"refused": event.refused, "broken": event.broken, "timed out": event.timed_out}
    return ", ".join([said, *(f"{count} {name}" for name, count in wrong.items() if count)])


def _connection(event: ConnectionChanged) -> str:
    sign = {"added": "+", "removed": "-"}.get(event.action, "~")
    return f"connection {sign} {event.protocol} {event.client} to {event.server}: {event.state}"


def _stream(event: StreamChanged) -> str:
    if event.action == "received":
        return f"stream: {event.bytes} bytes"
    return (
        f"stream {event.path} began" if event.action == "began" else f"stream ended: {event.error}"
    )


def _advertisement(event: Advertisement) -> str:
    said = f"advert {event.vrid}, priority {event.priority}"
    return f"{said} (resigns)" if event.priority == 0 else said


def _arp(event: Arp) -> str:
    if event.gratuitous:
        return f"gratuitous ARP {event.sender}"
    return (
        f"ARP: who has {event.target}?"
        if event.operation == "request"
        else f"ARP: has {event.sender}"
    )


def _destination(event: DestinationChanged) -> str:
    sign = {"added": "+", "removed": "-"}.get(event.action, "~")
    weight = "" if event.action == "removed" else f", weight {event.weight}"
    return f"pool {sign} {event.address}{weight}"
