"""Processors are shared out among kernels, whoever starts them, and come back when their holder
ends.
"""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import ExitStack

import pytest

from harness.kernels.host import processors

HOLD = """
import os, sys
from harness.kernels.host import processors
os.sched_getaffinity = lambda pid: {200_000, 200_001}
with processors.claimed() as number:
    print(number, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def two_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processors of which no kernel on the machine that this runs on can have a claim."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {100_001, 100_000})


def hold() -> tuple[subprocess.Popen[str], int]:
    """A process that has claimed a processor, and its number."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    return holder, int(holder.stdout.readline())


@pytest.mark.usefixtures("two_processors")
def test_kernels_get_different_processors_and_then_share_them_evenly() -> None:
    with ExitStack() as claims:
        numbers = [claims.enter_context(processors.claimed()) for _ in range(4)]
    assert numbers == [100_000, 100_001, 100_000, 100_001]


@pytest.mark.usefixtures("two_processors")
def test_a_processor_given_back_is_the_next_to_be_claimed() -> None:
    with processors.claimed():
        with processors.claimed() as second:
            pass
        with processors.claimed() as third:
            assert third == second == 100_001


def test_a_killed_process_gives_its_processor_back() -> None:
    holders = [hold() for _ in range(2)]
    try:
        assert [number for _, number in holders] == [200_000, 200_001]
        holders[0][0].kill()
        holders[0][0].wait()
        holders.append(hold())
        assert holders[-1][1] == 200_000
    finally:
        for holder, _ in holders:
            holder.kill()
            holder.communicate()


@pytest.mark.usefixtures("two_processors")
def test_without_a_free_claim_there_is_still_a_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processors, "TURNS", 0)
    with processors.claimed() as number:
        assert number == 100_000
