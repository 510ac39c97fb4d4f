"""As many requests as come back: wrk, where only totals matter.

It is a closed loop: as soon as one request has been answered the next one is sent. In virtual time
work takes no time, so it would never end.
"""

from __future__ import annotations

import json
import math
import os
import time
from dataclasses import dataclass, replace

from harness.errors import HarnessError
from harness.kernels import choice
from harness.lab.machine import Machine
from harness.observers.requests import Target

_SCRIPT = "/tmp/totals.lua"
_COUNTERS = "/proc/net/snmp"
_OWN_DESCRIPTORS = 64
_SOCKETS = "/proc/net/sockstat"
_LOOKS = 40
LOOK = 0.25
"""How often the client's connections are counted meanwhile, in seconds."""
_TOTALS = """\
done = function(summary, latency, requests)
    local wrong = summary.errors
    local broken = wrong.connect + wrong.read + wrong.write
    io.write(string.format(
        '{"requests": %d, "microseconds": %d, "broken": %d, "timed_out": %d, "refused": %d}',
        summary.requests, summary.duration, broken, wrong.timeout, wrong.status))
end
"""


@dataclass(frozen=True)
class Totals:
    """``requests`` were answered in ``seconds``; of those ``refused`` with a status of 400 or more.

    ``broken`` are connections that failed, ``timed_out`` requests that had no answer in time.
    ``at_once`` is how many connections the client had open at the same time, at the most, as far as
    was seen every :data:`LOOK` seconds.
    """

    requests: int
    seconds: float
    refused: int
    broken: int
    timed_out: int
    at_once: int = 0

    @property
    def rate(self) -> float:
        """Requests that were answered in a second."""
        return self.requests / self.seconds


def saturate(
    machine: Machine, target: Target, seconds: int, connections: int, patience: float = 2
) -> Totals:
    """Keep so many connections busy for so many seconds. A request without an answer after
    ``patience`` seconds has timed out. HarnessError in virtual time, and where there is no wrk.
    """
    if choice.virtual():
        raise HarnessError(
            "wrk never ends in virtual time, where its work takes no time: use --clock"
            " real, or cluster.client.load(rate=...)"
        )
    if machine.plan.image.program("wrk") is None:
        raise HarnessError(f"{machine.name} has no program wrk; install it: apt-get install wrk")
    machine.write(_SCRIPT, _TOTALS)
    reader, writer = os.pipe()
    with open(os.devnull, "rb") as null, os.fdopen(reader, encoding="utf-8") as output:
        try:
            words = command(target, seconds, connections, patience)
            process = machine.spawn(words, null.fileno(), writer, writer)
        finally:
            os.close(writer)
        most = 0
        while not process.ended.wait(LOOK):
            most = max(most, established(machine.read(_COUNTERS)))
        said = output.read()
    _wait_closed(machine)
    if process.status:
        raise HarnessError(f"{machine.name}: wrk failed with {process.status}: {said.strip()}")
    return replace(totals(said), at_once=most)


def _wait_closed(machine: Machine) -> None:
    """Let the frames pass with which thousands of connections end: whoever captures them next
    cannot keep up with all of them at once.
    """
    for _ in range(_LOOKS):
        if not open_sockets(machine.read(_SOCKETS)):
            return
        time.sleep(LOOK)


def command(target: Target, seconds: int, connections: int, patience: float) -> list[str]:
    """What runs wrk, with a file descriptor for each connection: a shell's limit is 1024."""
    host = f"[{target.address}]" if ":" in target.address else target.address
    descriptors = connections + _OWN_DESCRIPTORS
    return [
        "prlimit",
        f"--nofile={descriptors}:{descriptors}",
        "wrk",
        "--threads",
        "1",
        "--connections",
        str(connections),
        "--duration",
        f"{seconds}s",
        "--timeout",
        f"{math.ceil(patience)}s",
        "--script",
        _SCRIPT,
        f"http://{host}:{target.port}{target.path}",
    ]


def open_sockets(counters: str) -> int:
    """How many TCP sockets a machine has that are not quite closed, by its ``/proc/net/sockstat``:
    ``TCP: inuse 3 orphan 2 tw 0 alloc 4 mem 0``.
    """
    (words,) = (line.split() for line in counters.splitlines() if line.startswith("TCP:"))
    return int(words[words.index("inuse") + 1])


def established(counters: str) -> int:
    """How many TCP connections a machine has open, by its ``/proc/net/snmp``."""
    names, values = (line.split() for line in counters.splitlines() if line.startswith("Tcp:"))
    return int(values[names.index("CurrEstab")])


def totals(said: str) -> Totals:
    """The last line of what wrk printed."""
    told = json.loads(said.strip().splitlines()[-1])
    seconds = told.pop("microseconds") / 1e6
    return Totals(seconds=seconds, **told)
