"""As many requests as come back: wrk, where only totals matter.

It is a closed loop: as soon as one request has been answered the next one is sent. In virtual time
work takes no time, so it would never end.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from harness.errors import HarnessError
from harness.kernels import choice
from harness.lab.machine import Machine
from harness.observers.requests import Target

_SCRIPT = "/tmp/totals.lua"
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
    """

    requests: int
    seconds: float
    refused: int
    broken: int
    timed_out: int

    @property
    def rate(self) -> float:
        """Requests that were answered in a second."""
        return self.requests / self.seconds


def saturate(machine: Machine, target: Target, seconds: int, connections: int) -> Totals:
    """Keep so many connections busy for so many seconds. HarnessError in virtual time, and where
    there is no wrk.
    """
    if choice.virtual():
        raise HarnessError(
            "wrk never ends in virtual time, where its work takes no time: use --clock"
            " real, or cluster.load(rate=...)"
        )
    if machine.plan.image.program("wrk") is None:
        raise HarnessError(f"{machine.name} has no program wrk; install it: apt-get install wrk")
    machine.write(_SCRIPT, _TOTALS)
    host = f"[{target.address}]" if ":" in target.address else target.address
    words = [
        "wrk",
        "--threads",
        "1",
        "--connections",
        str(connections),
        "--duration",
        f"{seconds}s",
    ]
    said = machine.run(
        [*words, "--script", _SCRIPT, f"http://{host}:{target.port}{target.path}"]
    ).stdout
    return totals(said)


def totals(said: str) -> Totals:
    """The last line of what wrk printed."""
    told = json.loads(said.strip().splitlines()[-1])
    seconds = told.pop("microseconds") / 1e6
    return Totals(seconds=seconds, **told)
