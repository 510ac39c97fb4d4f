"""A keepalived that has only just been started is told nothing before it hears signals."""

from __future__ import annotations

import signal
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness.daemons.keepalived import KEEPALIVED
from harness.errors import HarnessError
from harness.events import Log
from harness.faults import HangKeepalived
from harness.faults.fault import Fault, Surroundings
from harness.lab.machine import Machine, Process
from harness.lab.plan import plan
from harness.nodes import DirectorNode, node_of
from harness.nodes.context import Context
from harness.search.deeds import Dump, Reload
from harness.timeline import TooLate
from topologies.director_pair import DirectorPair

MASKS = "Name:\tkeepalived\nSigPnd:\t0\nSigBlk:\t{:016x}\nSigIgn:\t{:016x}\nSigCgt:\t0\n"
HEARD = 1 << (signal.SIGHUP - 1) | 1 << (signal.SIGUSR1 - 1) | 1 << (signal.SIGUSR2 - 1)
STARTS = 0.003
BEGINS = 0.002
"""Seconds from the start of the VRRP child until it hears signals."""
PID = 7


class Starting:
    """A machine whose keepalived has run ``main`` after 1 ms, hears signals after ``starts``
    seconds, and starts its VRRP child then; what it is sent is ``told``, with the instant.
    """

    powered = True

    def __init__(self, starts: float) -> None:
        self.starts, self.time = starts, 0.0
        self.told: list[tuple[float, int]] = []

    def read(self, path: str) -> str:
        assert path == f"/proc/{PID}/status"
        hears, runs = self.time >= self.starts, self.time >= 0.001
        return MASKS.format(HEARD if hears else 0, HEARD if runs and not hears else 0)

    def kill(self, pid: int, number: int) -> None:
        self.told.append((self.time, number))

    def latest(self, kind: type[Log], fits: Callable[[Log], bool], *, node: str) -> Log | None:
        said = [
            (self.starts, "Starting VRRP child process, pid=9"),
            (self.starts + BEGINS, "Registering Kernel netlink command channel"),
        ]
        logs = [kind(at, node, daemon="keepalived", line=line) for at, line in said]
        return next((log for log in logs[::-1] if log.at <= self.time and fits(log)), None)

    def now(self) -> float:
        return self.time

    def let_pass(self, seconds: float) -> None:
        self.time += seconds


def director_on(machine: Starting) -> tuple[DirectorNode, Process]:
    planned = plan(DirectorPair())
    context = cast(Context, SimpleNamespace(timeline=machine, starting=1.0))
    host = next(each for each in planned.hosts if each.name == "director1")
    node = node_of(host, planned, context)
    assert isinstance(node, DirectorNode)
    node.machine = cast(Machine, machine)
    process = Process(node.machine, KEEPALIVED.argv, PID)
    node._processes[KEEPALIVED.name] = process
    return node, process


@pytest.mark.parametrize(
    ("make", "number"),
    [
        (Reload, signal.SIGHUP),
        (lambda node: Dump(node, signal.SIGUSR1), signal.SIGUSR1),
        (HangKeepalived, signal.SIGSTOP),
    ],
)
@pytest.mark.parametrize("starts", [0.0, STARTS])
def test_a_signal_comes_once_it_is_heard(make: Any, number: int, starts: float) -> None:
    machine = Starting(starts)
    fault: Fault[DirectorNode] = make(director_on(machine)[0])

    fault.inject(cast(Surroundings, None))

    ((at, told),) = machine.told
    assert told == number
    assert at == pytest.approx(starts + BEGINS, abs=0.0001)


def test_one_that_has_ended_is_told_nothing() -> None:
    machine = Starting(STARTS)
    node, process = director_on(machine)
    process.status = 1

    with pytest.raises(HarnessError, match="keepalived does not run"):
        node.tell(signal.SIGHUP)
    assert not machine.told


def test_one_that_never_hears_is_told_nothing() -> None:
    machine = Starting(60.0)

    with pytest.raises(TooLate, match="does not hear signal 1"):
        director_on(machine)[0].tell(signal.SIGHUP)
    assert not machine.told
