"""What the directors' IPVS tables hold. The kernel sends no events for them, so keepalived's log says when to look.

keepalived logs a change just before or just after it makes it, so the table is read a moment later, and once more for a
slow machine; a slow sweep catches what the log does not say.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

from harness.clock import now
from harness.lab.machine import Machine
from harness.observers.loop import Loop
from harness.timeline import Timeline
from harness.topology.services import endpoint

SETTLING = (0.001, 0.01)
SWEEP = 1.0
_PROTOCOLS = {6: "TCP", 17: "UDP", 132: "SCTP"}

Table = dict[str, dict[str, int]]
"""Virtual service (``TCP 172.16.10.50:80``, ``FWM 1``) -> real server (``172.16.10.21:80``) -> weight."""


class IpvsObserver:
    """Records ``service`` and ``destination`` events of one director."""

    def __init__(self, loop: Loop, timeline: Timeline, director: Machine) -> None:
        self._loop, self._timeline, self._director = loop, timeline, director
        self._ipvs: Any = None
        self._known: Table = {}
        self._pending: set[float] = set()
        self._sweeping = False
        self._closed = False

    def look(self) -> None:
        """Read the table as soon as a change under way can be in it, and once more when it must be.

        Before the first :meth:`sweep` that is not needed: it will see the change.
        """
        if not self._sweeping:
            return
        for delay in SETTLING:
            if delay not in self._pending:
                self._pending.add(delay)
                self._loop.at(now() + delay, partial(self._settled, delay))

    def _settled(self, delay: float) -> None:
        self._pending.discard(delay)
        self._read()

    def sweep(self) -> None:
        """Read the table now and from now on every :data:`SWEEP` seconds."""
        if not self._closed:
            self._sweeping = True
            self._read()
            self._loop.at(now() + SWEEP, self.sweep)

    def read_table(self) -> Table:
        """The director's table as the kernel has it now (loop thread only)."""
        return {
            _service_name(message.get_attr("IPVS_CMD_ATTR_SERVICE")): dict(
                _name_and_weight(destination) for destination in self._destinations(message)
            )
            for message in self._services()
        }

    def read_connections(self, service: str) -> dict[str, tuple[int, int]]:
        """Each real server's active and inactive connections in a service (loop thread only)."""
        found: dict[str, tuple[int, int]] = {}
        for message in self._services():
            if _service_name(message.get_attr("IPVS_CMD_ATTR_SERVICE")) == service:
                for destination in self._destinations(message):
                    name, _ = _name_and_weight(destination)
                    found[name] = (
                        destination.get_attr("IPVS_DEST_ATTR_ACTIVE_CONNS"),
                        destination.get_attr("IPVS_DEST_ATTR_INACT_CONNS"),
                    )
        return found

    def _services(self) -> list[Any]:
        from pyroute2.ipvs import IPVS

        if self._ipvs is None:
            with self._director.inside():
                self._ipvs = IPVS()
        return list(self._ipvs.service("dump"))

    def _destinations(self, service: Any) -> list[Any]:
        from pyroute2.ipvs import IPVSService

        answers = self._ipvs.dest("dump", service=IPVSService.from_message(service))
        return [answer.get_attr("IPVS_CMD_ATTR_DEST") for answer in answers]

    def _read(self) -> None:
        if self._closed:
            return
        table = self.read_table()
        for service in self._known.keys() | table.keys():
            before, after = self._known.get(service), table.get(service)
            if before is None or after is None:
                self._record("service", "added" if before is None else "removed", service)
            self._compare(service, before or {}, after or {})
        self._known = table

    def _compare(self, service: str, before: dict[str, int], after: dict[str, int]) -> None:
        for address in sorted(before.keys() | after.keys()):
            if address not in after:
                self._record("destination", "removed", service, address=address)
            elif address not in before:
                self._record("destination", "added", service, address=address, weight=after[address])
            elif before[address] != after[address]:
                self._record("destination", "changed", service, address=address, weight=after[address])

    def _record(self, kind: str, action: str, service: str, **details: Any) -> None:
        self._timeline.record(self._director.name, kind, action=action, service=service, **details)

    def close(self) -> None:
        """Stop observing (loop thread only)."""
        self._closed = True
        if self._ipvs is not None:
            self._ipvs.close()


def when_imported(then: Callable[[], None]) -> None:
    """Import pyroute2 beside everything else, and then go on: that takes 2 s of a guest's CPU.

    In the loop's own thread it would make all other events wait, and in front of the daemons their start.
    """

    def load() -> None:
        import pyroute2.ipvs  # noqa: F401 - for whoever imports it next

        then()

    if "pyroute2.ipvs" in sys.modules:
        then()
    else:
        threading.Thread(target=load, name="import pyroute2", daemon=True).start()


def _service_name(service: Any) -> str:
    if fwmark := service.get_attr("IPVS_SVC_ATTR_FWMARK"):
        return f"FWM {fwmark}"
    protocol = service.get_attr("IPVS_SVC_ATTR_PROTOCOL")
    address = endpoint(service.get_attr("IPVS_SVC_ATTR_ADDR"), service.get_attr("IPVS_SVC_ATTR_PORT"))
    return f"{_PROTOCOLS.get(protocol, protocol)} {address}"


def _name_and_weight(destination: Any) -> tuple[str, int]:
    address = endpoint(destination.get_attr("IPVS_DEST_ATTR_ADDR"), destination.get_attr("IPVS_DEST_ATTR_PORT"))
    return address, destination.get_attr("IPVS_DEST_ATTR_WEIGHT")
