"""What can happen: a class for each kind of event, and how events are written to and read from
``timeline.jsonl``.

A kind is what an event is called in the file, such as ``advertisement``; :data:`KINDS` has its
class. The fields of a class are the event's details. docs/artifacts.md has a table of them, which
``python -m harness.events`` writes.
"""

from harness.events.balancing import (
    ConnectionChanged,
    Counter,
    DestinationChanged,
    ServiceChanged,
    Synchronisation,
)
from harness.events.event import AddedRemoved, Event, OnWire, Sent, UnknownName, Value, details_of
from harness.events.kinds import KINDS, check_details, class_of, from_dict, make
from harness.events.machines import (
    AddressChanged,
    DaemonChanged,
    Link,
    Log,
    Mail,
    Power,
    Renamed,
    RouteChanged,
    RuleChanged,
)
from harness.events.neighbours import Arp, Ndp
from harness.events.requests import Request, Saturated, StreamChanged
from harness.events.scenario import Expected, FaultChanged, Judged, Missed
from harness.events.vrrp import MULTICAST, Advertisement, Channel, Notification, State, StateChanged

__all__ = [
    "KINDS",
    "MULTICAST",
    "AddedRemoved",
    "AddressChanged",
    "Advertisement",
    "Arp",
    "Channel",
    "ConnectionChanged",
    "Counter",
    "DaemonChanged",
    "DestinationChanged",
    "Event",
    "Expected",
    "FaultChanged",
    "Judged",
    "Link",
    "Log",
    "Mail",
    "Missed",
    "Ndp",
    "Notification",
    "OnWire",
    "Power",
    "Renamed",
    "Request",
    "RouteChanged",
    "RuleChanged",
    "Saturated",
    "Sent",
    "ServiceChanged",
    "State",
    "StateChanged",
    "StreamChanged",
    "Synchronisation",
    "UnknownName",
    "Value",
    "check_details",
    "class_of",
    "details_of",
    "from_dict",
    "make",
]
