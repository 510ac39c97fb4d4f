"""A scenario that computes for ever in virtual time, where that takes no time: it alone is ended,
not the run.

The watchdog of the guest asks for it by a signal (:mod:`harness.kernels.guest.running`), unless a
process of some machine is what computes, which it ends itself.
"""

from __future__ import annotations

import signal
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from types import FrameType

import pytest

from harness.errors import HarnessError
from harness.kernels import choice
from harness.kernels.guest import program


def _end(number: int, frame: FrameType | None) -> None:
    raise HarnessError(
        "virtual time did not move while this computed, so the watchdog ended the scenario"
        " (--watchdog SECONDS gives it"
        " longer); where time is to pass, wait for it: cluster.timeline.let_pass(1)"
    )


@contextmanager
def _endable() -> Iterator[None]:
    if not choice.virtual():
        yield
        return
    program.take_step()
    before = signal.signal(signal.SIGUSR2, _end)
    try:
        yield
    finally:
        signal.signal(signal.SIGUSR2, before)


@pytest.hookimpl
def pytest_collectstart() -> None:
    """Collecting takes no virtual time, and gets on from file to file."""
    program.take_step()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup() -> Generator[None]:
    """Watch the scenario's setup, in which its cluster is built."""
    with _endable():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call() -> Generator[None]:
    """Watch the scenario itself."""
    with _endable():
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown() -> Generator[None]:
    """Watch the teardown."""
    with _endable():
        return (yield)
