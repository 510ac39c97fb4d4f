"""The watch over a guest: it ends one that computes for ever, and has patience with one that cannot compute."""

import os
import subprocess
import sys
import time

import pytest

from harness.kernels import watchdog
from harness.kernels.watchdog import Watchdog, processor_time


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """A clock and a guest's processor time that only the test moves."""
    machine = {"clock": 0.0, "worked": 0.0}
    monkeypatch.setattr(time, "monotonic", lambda: machine["clock"])
    monkeypatch.setattr(watchdog, "processor_time", lambda guard: machine["worked"])
    return machine


def seconds_until_expired(dog: Watchdog, machine: dict[str, float], share: float) -> float:
    """What passes if the guest gets ``share`` of a processor and makes no progress."""
    dog.feed()
    began = machine["clock"]
    while (left := dog.left()) is not None:
        machine["clock"] += left
        machine["worked"] += left * share
        if dog.expired():
            break
    return machine["clock"] - began


def test_a_guest_that_spins_has_its_limit(machine: dict[str, float]) -> None:
    assert seconds_until_expired(Watchdog(30, 1), machine, share=1) == 30


def test_a_starved_guest_is_given_more(machine: dict[str, float]) -> None:
    assert seconds_until_expired(Watchdog(30, 1), machine, share=0.1) == 90


def test_one_that_never_gets_the_processor_ends_all_the_same(machine: dict[str, float]) -> None:
    assert seconds_until_expired(Watchdog(30, 1), machine, share=0) == 300


def test_progress_begins_anew(machine: dict[str, float]) -> None:
    dog = Watchdog(30, 1)
    dog.feed()
    machine["clock"] = 29
    dog.feed()
    assert dog.left() == 15
    dog.suspend()
    assert dog.left() is None


def test_no_limit_is_for_ever() -> None:
    dog = Watchdog(0, 1)
    dog.feed()
    assert dog.left() is None


WORKER = """
import subprocess, sys
subprocess.run([sys.executable, "-c", "for _ in range(6_000_000): pass"])
print()
input()
"""


def test_processor_time_counts_what_runs_below() -> None:
    """Of a process that has done nothing itself, but whose child has, which is gone."""
    with subprocess.Popen([sys.executable, "-c", WORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        below, own = processor_time(process.pid), sum(os.times()[:4])
        assert below > 0.1
        assert processor_time(os.getpid()) >= below + own - 0.05  # of counts of 10 ms
        process.communicate(b"\n")
