"""The watch over a guest: it ends one that computes for ever, and has patience with one that
cannot compute.
"""

import os
import subprocess
import sys
import time

import pytest

from harness.diagnosis.kernels import EXCEEDED
from harness.kernels.guest.running import LAST_WORDS
from harness.kernels.host import confine, watchdog
from harness.kernels.host.watchdog import Step, Watchdog, processor_time


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


def test_what_computes_next_is_ended_as_well_but_not_for_ever(machine: dict[str, float]) -> None:
    dog = Watchdog(30, 1, gradually=True)
    dog.feed()
    dog.set_limited(True)
    taken = []
    for _ in range(watchdog._RELIEFS):
        taken += [dog.take_step(), dog.take_step()]
        dog.relieved()
    assert taken == [Step.END_LIMITED, Step.END_SPINNING] * watchdog._RELIEFS
    assert dog.take_step() is Step.INTERRUPT


def test_what_was_killed_is_known_by_its_last_words() -> None:
    assert EXCEEDED.search(LAST_WORDS)


def test_steps_are_taken_one_after_the_other_until_one_helps(machine: dict[str, float]) -> None:
    dog = Watchdog(30, 1, gradually=True)
    dog.set_limited(True)
    spent = []
    for _ in range(4):
        began = machine["clock"]
        seconds_until_expired_again(dog, machine)
        spent.append((dog.take_step(), machine["clock"] - began))
    assert spent == [
        (Step.END_LIMITED, 7.5),
        (Step.END_SPINNING, 25),
        (Step.INTERRUPT, 30),
        (Step.GIVE_UP, 5),
    ]
    dog.feed()
    assert not dog.stepping


def test_a_guest_that_runs_nothing_limited_is_not_disturbed(machine: dict[str, float]) -> None:
    """It is collecting its scenarios, on a slow machine."""
    dog = Watchdog(30, 1, gradually=True)
    seconds_until_expired_again(dog, machine)
    assert dog.take_step() is None
    assert not dog.stepping
    dog.set_limited(True)
    began = machine["clock"]
    spin_until_expired(dog, machine)
    assert (dog.take_step(), machine["clock"] - began) == (Step.END_LIMITED, 7.5)
    dog.set_limited(False)
    assert dog.take_step() is Step.END_SPINNING


def test_a_guest_that_waits_for_a_person_has_no_limit(machine: dict[str, float]) -> None:
    dog = Watchdog(30, 1, gradually=True)
    dog.feed()
    dog.suspend()
    dog.set_limited(True)
    assert dog.left() is None


def test_a_short_limit_has_no_time_for_the_first_step() -> None:
    dog = Watchdog(3, 1, gradually=True)
    assert [dog.take_step() for _ in range(2)] == [Step.END_SPINNING, Step.INTERRUPT]


def seconds_until_expired_again(dog: Watchdog, machine: dict[str, float]) -> None:
    if not dog.stepping:
        dog.feed()
    spin_until_expired(dog, machine)


def spin_until_expired(dog: Watchdog, machine: dict[str, float]) -> None:
    while (left := dog.left()) is not None:
        machine["clock"] += left
        machine["worked"] += left
        if dog.expired():
            return


WORKER = """
import subprocess, sys
subprocess.run([sys.executable, "-c", "for _ in range(30_000_000): pass"])
print()
input()
"""


def test_processor_time_counts_what_runs_below() -> None:
    """Of a process that has done nothing itself, but whose child has, which is gone."""
    with subprocess.Popen(
        [sys.executable, "-c", WORKER], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        below, own = processor_time(process.pid), sum(os.times()[:4])
        assert below > 0.1
        assert processor_time(os.getpid()) >= below + own - 0.05  # of counts of 10 ms
        process.communicate(b"\n")


GUESTS = {b"Name": b"uml-userspace", b"TracerPid": b"0", b"SigCgt": b"0000000000002000"}
KERNELS = {**GUESTS, b"Name": b"linux"}
"""What proc_pid_status(5) says where SIGALRM is caught."""


@pytest.mark.parametrize(
    ("status", "heeds"),
    [
        (GUESTS, True),
        (KERNELS, False),  # a copy of it, which is about to execute a guest process
        ({**GUESTS, b"SigCgt": b"0000000000000000"}, False),  # that has just done so
        ({**GUESTS, b"SigCgt": b"0000000000000000", b"TracerPid": b"7"}, True),
        ({}, False),
    ],
)
def test_only_what_would_not_die_of_it_is_told_to_give_way(
    status: dict[bytes, bytes], heeds: bool
) -> None:
    """A guest process that died while it was made had its kernel wait for ever."""
    assert confine._heeds_alarms(status, b"linux") is heeds


def test_a_process_tells_whether_it_catches_the_alarm() -> None:
    catching = "import signal; signal.signal(signal.SIGALRM, print); print(flush=True); input()"
    for program, heeds in ((catching, True), ("print(flush=True); input()", False)):
        with subprocess.Popen(
            [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            assert confine._heeds_alarms(confine._status(process.pid), b"linux") is heeds
            process.communicate(b"\n")


def test_a_process_may_be_called_anything() -> None:
    """Linux cuts names off behind 15 bytes, be that within a letter."""
    program = (
        "import ctypes; ctypes.CDLL(None).prctl(15, b'\\xc3', 0, 0, 0); print(flush=True); input()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        assert processor_time(process.pid) >= 0
        process.communicate(b"\n")
