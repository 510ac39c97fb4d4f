"""What the directors' IPVS tables hold. The kernel sends no events for them, so keepalived's log
says when to look.

keepalived logs a change just before or just after it makes it, so the table is read a moment later,
and again for a slow machine; a slow sweep catches what the log does not say.
"""

from __future__ import annotations

import os
from functools import partial
from ipaddress import IPv4Address, ip_address
from typing import Literal, NamedTuple

from harness.clock import now
from harness.events import DestinationChanged, ServiceChanged
from harness.lab.machine import Machine
from harness.observers.loop import Loop
from harness.timeline import Timeline
from harness.topology.services import endpoint

SETTLING = (0.001, 0.01, 0.1)
SWEEP = 1.0
_TABLE = "/proc/thread-self/net/ip_vs"
"""All of it in one text: netlink takes a question for each service, and hundreds are asked about
every second.
"""

Table = dict[str, dict[str, int]]
"""Virtual service (``TCP 172.16.10.50:80``, ``FWM 1``) -> real server (``172.16.10.21:80``) ->
weight.
"""


class Destination(NamedTuple):
    """A real server in a table, with its connections."""

    weight: int
    active: int
    inactive: int


class IpvsObserver:
    """Records ``service`` and ``destination`` events of one director."""

    def __init__(self, loop: Loop, timeline: Timeline, director: Machine) -> None:
        self._loop, self._timeline, self._director = loop, timeline, director
        self._file: int | None = None
        self._known: Table = {}
        self._pending: set[float] = set()
        self._asked = 0.0
        self._sweeping = False
        self._closed = False

    def look(self) -> None:
        """Read the table as soon as a change under way can be in it, and again until it must be.

        Before the first :meth:`sweep` that is not needed: it will see the change.
        """
        if not self._sweeping:
            return
        self._asked = now()
        for delay in SETTLING:
            if delay not in self._pending:
                self._read_after(delay)

    def _read_after(self, delay: float) -> None:
        self._pending.add(delay)
        self._loop.at(self._asked + delay, partial(self._settled, delay))

    def _settled(self, delay: float) -> None:
        self._pending.discard(delay)
        self._read()
        if self._asked + delay > now():  # again since this was meant to be
            self._read_after(delay)

    def sweep(self) -> None:
        """Read the table now and from now on every :data:`SWEEP` seconds."""
        if not self._closed:
            self._sweeping = True
            self._read()
            self._loop.at(now() + SWEEP, self.sweep)

    def read(self) -> dict[str, dict[str, Destination]]:
        """The director's table as the kernel has it now (loop thread only)."""
        if self._file is None:
            with self._director.inside():
                self._file = os.open(_TABLE, os.O_RDONLY | os.O_CLOEXEC)
        os.lseek(self._file, 0, os.SEEK_SET)
        parts = iter(partial(os.read, self._file, 1 << 16), b"")
        return parse(b"".join(parts).decode("ascii"))

    def _read(self) -> None:
        if self._closed:
            return
        table: Table = {
            service: {address: destination.weight for address, destination in destinations.items()}
            for service, destinations in self.read().items()
        }
        for service in {**self._known, **table}:
            before, after = self._known.get(service), table.get(service)
            if before == after:
                continue
            if before is None or after is None:
                action: Literal["added", "removed"] = "added" if before is None else "removed"
                now = self._timeline.now()
                self._timeline.record(
                    ServiceChanged(now, self._director.name, action=action, service=service)
                )
            self._compare(service, before or {}, after or {})
        self._known = table

    def _compare(self, service: str, before: dict[str, int], after: dict[str, int]) -> None:
        for address in sorted(before.keys() | after.keys()):
            if address not in after:
                self._record("removed", service, address)
            elif address not in before:
                self._record("added", service, address, after[address])
            elif before[address] != after[address]:
                self._record("changed", service, address, after[address])

    def _record(
        self,
        action: Literal["added", "changed", "removed"],
        service: str,
        address: str,
        weight: int | None = None,
    ) -> None:
        self._timeline.record(
            DestinationChanged(
                self._timeline.now(),
                self._director.name,
                action=action,
                service=service,
                address=address,
                weight=weight,
            )
        )

    def close(self) -> None:
        """Stop observing (loop thread only)."""
        self._closed = True
        if self._file is not None:
            os.close(self._file)


def parse(text: str) -> dict[str, dict[str, Destination]]:
    """Service -> real server -> what is told of it, from ``/proc/net/ip_vs`` (kernel
    ``ip_vs_info_seq_show``).
    """
    table: dict[str, dict[str, Destination]] = {}
    destinations: dict[str, Destination] = {}
    for line in text.splitlines()[3:]:  # behind the version and two lines of headings
        first, second, *rest = line.split()
        if first == "->":
            weight, active, inactive = map(int, rest[1:])
            destinations[_endpoint(second)] = Destination(weight, active, inactive)
        else:
            name = f"FWM {int(second, 16)}" if first == "FWM" else f"{first} {_endpoint(second)}"
            destinations = table.setdefault(name, {})
    return table


def _endpoint(text: str) -> str:
    """``AC100A32:0050`` or ``[fd00:0010:...:0050]:0050``, as ipvsadm prints it."""
    host, _, port = text.rpartition(":")
    address = ip_address(host[1:-1]) if host.startswith("[") else IPv4Address(int(host, 16))
    return endpoint(str(address), int(port, 16))
