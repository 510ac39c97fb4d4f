"""The election of a master: advertisements, states, and whom keepalived tells of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final, Literal

from harness.events.event import Event, OnWire, Sent

Channel = Literal["script", "fifo"]
State = Literal["MASTER", "BACKUP", "FAULT"]

MULTICAST: Final = ("224.0.0.18", "ff02::12")
"""Where advertisements go unless they are sent to a single peer (RFC 5798 sections 5.1.1.2 and
5.1.2.2).
"""


@dataclass(frozen=True, kw_only=True)
class StateChanged(Event):
    """What keepalived's log says of the state of a VRRP instance."""

    kind = "state"
    instance: str
    state: State


@dataclass(frozen=True, kw_only=True)
class Notification(Event):
    """What keepalived told its notify scripts or its notify FIFO."""

    kind = "notification"
    channel: Channel
    text: str


@dataclass(frozen=True, kw_only=True)
class Advertisement(Event):
    """A VRRP advertisement, whole or cut short; what is cut off counts as 0. :attr:`flaw` is what
    is wrong with it.
    """

    kind = "advertisement"
    optional = ("count", "length", "authentication", "pseudo_header")
    interface: OnWire = ""
    sent: Sent
    vrid: int
    priority: Annotated[int, "0: the master resigns"]
    source: str = ""
    destination: str = MULTICAST[0]
    interval: Annotated[float, "seconds"] = 1.0
    version: int = 2
    addresses: Annotated[str, "one after the other"] = ""
    count: Annotated[int | None, "how many addresses it says it has"] = None
    type: Annotated[int, "1: advertisement; no other is defined"] = 1
    ttl: Annotated[int, "of IPv4, or the hop limit of IPv6"] = 255
    checksum: Annotated[bool, "right by RFC 5798 or, of the message alone, by RFC 9568"] = True
    pseudo_header: Annotated[
        bool | None, "version 3 over IPv4: true by RFC 5798, false by RFC 9568"
    ] = None
    length: Annotated[int | None, "bytes of VRRP"] = None
    authentication: Annotated[str | None, "none, pass, AH, or a number; version 3 has none"] = None

    @property
    def flaw(self) -> str | None:
        """Why every receiver discards it; None if it is for each receiver's configuration to say.

        RFC 5798 section 7.1; keepalived's ``vrrp_check_packet``, which looks at the TTL of
        multicast alone.
        """
        if self.length is not None and self.length < 8:
            return f"only {self.length} of the first 8 bytes"
        if self.destination in MULTICAST and self.ttl != 255:
            return f"TTL {self.ttl} instead of 255"
        if self.version not in (2, 3):
            return f"version {self.version}"
        if self.type != 1:
            return f"type {self.type} instead of 1"
        if self.length is not None and self.length != self.whole:
            return f"{self.length} bytes instead of {self.whole}"
        return None if self.checksum else "wrong checksum"

    @property
    def whole(self) -> int:
        """How many bytes a message of so many addresses has: version 2 has 8 bytes of
        authentication at its end.
        """
        count = len(self.addresses.split()) if self.count is None else self.count
        return 8 + count * (16 if ":" in self.source else 4) + (8 if self.version == 2 else 0)
