"""Ctrl-C may come at any moment of a wait, and whoever is waited for must not come to wait
because of it.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import pytest

from harness.latch import Latch
from harness.observers.loop import Loop

PATIENCE = 30
"""Seconds; what has not happened by then never will."""


@pytest.fixture
def loop() -> Iterator[Loop]:
    loop = Loop()
    loop.start()
    yield loop
    loop.stop()


def interrupted_at(step: int, act: Callable[[], object]) -> bool:
    """Whether ``act`` was interrupted, where it calls a function of Python's for the ``step``-th
    time, or leaves one.

    Python acts on signals at calls, and not between any two lines (CPython,
    ``CHECK_EVAL_BREAKER``).
    """
    left = step

    def trace(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal left
        left -= event in ("call", "return")
        if left == 0:
            raise KeyboardInterrupt
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        act()
    except KeyboardInterrupt:
        return True
    finally:
        sys.settrace(before)
    return False


def ends(act: Callable[[], object]) -> bool:
    """Whether it does not wait for ever."""
    ended = threading.Thread(target=act, daemon=True)
    ended.start()
    ended.join(PATIENCE)
    return not ended.is_alive()


def test_whoever_sets_a_latch_never_waits_for_one_who_was_interrupted() -> None:
    """As with threading.Event, whose lock stays taken where the interrupt comes behind taking
    it.
    """
    step = 0
    interrupted = True
    while interrupted:
        step += 1
        latch = Latch()
        interrupted = interrupted_at(step, lambda latch=latch: latch.wait(0))  # type: ignore[misc]
        assert ends(latch.set), step
    assert step > 1


def test_the_observers_go_on_though_whoever_asked_them_was_interrupted(loop: Loop) -> None:
    step = 0
    interrupted = True
    while interrupted:
        step += 1
        interrupted = interrupted_at(step, lambda: loop.do(lambda: None))
        assert ends(lambda: loop.do(lambda: None)), step
    assert step > 1


def test_it_is_set_until_it_is_cleared() -> None:
    latch = Latch()
    assert not latch.wait(0)
    latch.set()
    latch.set()
    assert latch.wait()
    assert latch.wait(0)
    latch.clear()
    assert not latch.wait(0)


def test_all_who_wait_go_on() -> None:
    latch = Latch()
    waiting = [threading.Thread(target=latch.wait, daemon=True) for _ in range(3)]
    for each in waiting:
        each.start()
    latch.set()
    for each in waiting:
        each.join(PATIENCE)
    assert not any(each.is_alive() for each in waiting)
