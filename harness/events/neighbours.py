"""Who tells whom at which hardware address an address is: ARP and IPv6 neighbour discovery."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Literal

from harness.events.event import Event, OnWire, Sent


@dataclass(frozen=True, kw_only=True)
class Arp(Event):
    """An ARP packet."""

    kind = "arp"
    interface: OnWire = ""
    sent: Sent
    operation: Annotated[str, "request, reply, or a number"] = "reply"
    sender: str
    sender_mac: str = ""
    target: str = ""
    gratuitous: Annotated[bool, "the sender asks for, or tells, its own address"] = False


@dataclass(frozen=True, kw_only=True)
class Ndp(Event):
    """A packet of IPv6 neighbour discovery."""

    kind = "ndp"
    interface: OnWire = ""
    sent: Sent
    operation: Literal["solicitation", "advertisement"]
    sender: str
    target: str
    target_mac: Annotated[str | None, "of an advertisement"] = None
    unsolicited: bool = False
