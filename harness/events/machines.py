"""What happens to a machine: its power, its interfaces and addresses, its daemons and what they
print.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from harness.events.event import AddedRemoved, Event

_STAMP: Final = re.compile(r"^\w{3} \w{3} [ \d]\d [\d:]{8} \d{4}: ")


@dataclass(frozen=True, kw_only=True)
class Power(Event):
    """A machine is switched on or off."""

    kind = "power"
    action: Literal["on", "off"]


@dataclass(frozen=True, kw_only=True)
class Link(Event):
    """What the kernel says of an interface."""

    kind = "link"
    interface: str
    up: Annotated[bool, "whether it has a carrier"]


@dataclass(frozen=True, kw_only=True)
class Renamed(Event):
    """An interface has another name from now on; its addresses stay on it."""

    kind = "renamed"
    interface: Annotated[str, "the new name"]
    before: Annotated[str, "the old one"]


@dataclass(frozen=True, kw_only=True)
class AddressChanged(Event):
    """An interface gets or loses an address."""

    kind = "address"
    action: AddedRemoved
    address: str
    prefix: Annotated[int, "its length in bits"]
    interface: str


@dataclass(frozen=True, kw_only=True)
class RouteChanged(Event):
    """A machine gets or loses a route that keepalived sets.

    The kernel tells of none that goes with its interface or with that one's last address, and only
    newer ones, such as 7.3.4, of one whose source address goes.
    """

    kind = "route"
    optional = ("gateway", "interface")
    action: AddedRemoved
    destination: Annotated[str, "`10.9.0.0/24`, or `default`"]
    gateway: str | None = None
    interface: str | None = None
    table: Annotated[int, "254 is the main one"] = 254
    metric: int = 0


@dataclass(frozen=True, kw_only=True)
class RuleChanged(Event):
    """A machine gets or loses a rule that says which table of routes counts."""

    kind = "rule"
    action: AddedRemoved
    preference: Annotated[int, "lower ones come first"]
    source: Annotated[str, "of packets: `10.9.0.0/24`, or `all`"]
    table: int


@dataclass(frozen=True, kw_only=True)
class DaemonChanged(Event):
    """A daemon is started, is told to read its configuration again, or has ended."""

    kind = "daemon"
    optional = ("status", "edits")
    name: Annotated[str, "keepalived, httpd, ..."]
    action: Literal["started", "reloaded", "ended"]
    status: Annotated[int | None, "exit status of one that ended; negative: the signal"] = None
    edits: Annotated[str | None, "what was edited before a reload: `'old' -> 'new'`"] = None


@dataclass(frozen=True, kw_only=True)
class Log(Event):
    """A line that a daemon printed."""

    kind = "log"
    daemon: str
    line: str

    @property
    def said(self) -> str:
        """The line without the time that keepalived begins it with: the instant is known better."""
        return _STAMP.sub("", self.line)


@dataclass(frozen=True, kw_only=True)
class Mail(Event):
    """A mail that the SMTP server took."""

    kind = "mail"
    sender: str
    recipient: str
    subject: str
    body: str
