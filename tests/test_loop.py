"""The observers' thread: everything in its order, everything once, and no failure that looks
like quiet.
"""

from __future__ import annotations

import os
import selectors
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from harness.clock import now
from harness.errors import HarnessError
from harness.events import Log
from harness.observers.logs import LogObserver
from harness.observers.loop import Loop
from harness.timeline import Timeline


@pytest.fixture
def loop() -> Iterator[Loop]:
    made = Loop()
    made.start()
    yield made
    if made.failure is None:
        made.stop()


def test_work_is_done_in_the_loop_s_thread_and_its_outcome_given_back(loop: Loop) -> None:
    assert loop.do(lambda: threading.current_thread().name) == "observers"
    assert loop.do(lambda: loop.do(lambda: "within")) == "within"
    with pytest.raises(ZeroDivisionError):
        loop.do(lambda: 1 // 0)
    assert loop.do(lambda: "goes on") == "goes on"


def test_whoever_comes_after_its_end_disturbs_nobody() -> None:
    """Such as a thread that still imports: the wake-up's descriptor may be another file by now."""
    loop = Loop()
    loop.start()
    loop.stop()
    reader, writer = os.pipe()  # the lowest free descriptors
    done: list[None] = []
    loop.hand(lambda: done.append(None))
    os.set_blocking(reader, False)
    with pytest.raises(BlockingIOError):
        os.read(reader, 8)
    assert done == []
    with pytest.raises(RuntimeError, match="stopped"):
        loop.do(lambda: None)
    os.close(reader)
    os.close(writer)


def test_timers_come_in_the_order_of_their_instants(loop: Loop) -> None:
    seen: list[str] = []
    ended = threading.Event()
    soon = now() + 0.01

    def set_timers() -> None:
        for name, instant in (
            ("last", soon + 0.002),
            ("first", soon),
            ("also first", soon),
            ("past", 0.0),
        ):
            loop.at(instant, lambda name=name: seen.append(name))  # type: ignore[misc]
        loop.at(soon + 0.004, ended.set)

    loop.do(set_timers)
    assert ended.wait(10)
    assert seen == ["past", "first", "also first", "last"]


def test_watched_descriptor_calls_back_until_it_is_forgotten(loop: Loop) -> None:
    reader, writer = os.pipe()
    seen: list[bytes] = []
    arrived = threading.Event()

    def read() -> None:
        seen.append(os.read(reader, 1))
        arrived.set()

    loop.do(lambda: loop.watch(reader, read))
    for letter in (b"a", b"b"):
        arrived.clear()
        os.write(writer, letter)
        assert arrived.wait(10)
    loop.do(lambda: loop.unwatch(reader))
    os.write(writer, b"c")
    loop.do(lambda: None)
    assert seen == [b"a", b"b"]
    for end in (reader, writer):
        os.close(end)


def test_a_callback_may_forget_another_that_is_ready_too(loop: Loop) -> None:
    pipes = [os.pipe() for _ in range(2)]
    seen: list[int] = []

    def read(number: int) -> None:
        seen.append(number)
        for reader, _ in pipes:
            loop.unwatch(reader)

    def set_up() -> None:
        for number, (reader, writer) in enumerate(pipes):
            loop.watch(reader, partial(read, number), selectors.EVENT_READ)
            os.write(writer, b"x")

    loop.do(set_up)
    loop.do(lambda: None)
    loop.do(lambda: None)
    assert len(seen) == 1
    for pipe in pipes:
        for end in pipe:
            os.close(end)


@pytest.mark.parametrize(
    ("problem", "raised", "message"),
    [
        (
            OSError(28, "No space left on device"),
            HarnessError,
            "recording stopped, .* No space left on device",
        ),
        (HarnessError("frames were lost"), HarnessError, "recording stopped, .*: frames were lost"),
        (
            KeyError("attribute"),
            RuntimeError,
            "an observer failed, so the timeline is not complete",
        ),
    ],
)
def test_a_broken_observer_is_loud_wherever_somebody_asks(
    loop: Loop, problem: Exception, raised: type[Exception], message: str
) -> None:
    broken = threading.Event()

    def break_down() -> None:
        broken.set()
        raise problem

    loop.hand(break_down)
    assert broken.wait(10)
    loop._thread.join()
    for ask in (loop.check, lambda: loop.do(lambda: None), loop.stop):
        with pytest.raises(raised, match=message):
            ask()


def test_nobody_waits_for_ever_for_a_loop_that_is_gone(loop: Loop) -> None:
    """Work handed over beside the work that breaks the loop is still done."""
    done = threading.Event()

    def break_down() -> None:
        loop.hand(done.set)
        raise KeyError

    loop.hand(break_down)
    assert done.wait(10)


def test_work_handed_over_while_the_loop_breaks_is_done_by_whoever_waits_for_it(
    loop: Loop, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop.hand(lambda: print(1 // 0))
    loop._thread.join()
    monkeypatch.setattr(loop, "check", lambda: None)  # as if it had broken just after
    assert loop.do(lambda: "done") == "done"


# -- logs ------------------------------------------------------------------------------------------


def test_every_line_of_a_log_is_kept_and_recorded(loop: Loop, tmp_path: Path) -> None:
    timeline, said = Timeline(), list[str]()
    log = LogObserver(loop, timeline, "web1", "httpd", tmp_path / "web1", said.append)
    with os.fdopen(log.writer, "wb", buffering=0) as writer:
        for piece in (b"one\ntw", b"o\n", "dreißig \n".encode()[:5], b"\x9fig \xff"):
            writer.write(piece)
    last = timeline.wait_for(Log, until=timeline.now() + 10, line="dreißig \ufffd")
    assert [event.line for event in timeline.events(Log, node="web1", daemon="httpd")] == [
        "one",
        "two",
        last.line,
    ]
    assert said == ["one", "two", last.line]
    assert (tmp_path / "web1/httpd.log").read_bytes() == b"one\ntwo\ndrei\xc3\x9fig \xff"
    loop.do(log.close)


def test_a_log_that_cannot_be_written_is_loud(loop: Loop, tmp_path: Path) -> None:
    (tmp_path / "httpd.log").symlink_to("/dev/full")
    log = LogObserver(loop, Timeline(), "web1", "httpd", tmp_path, lambda line: None)
    os.write(log.writer, b"one line\n")
    loop._thread.join()
    with pytest.raises(HarnessError, match=r"recording stopped, .*No space left on device"):
        loop.check()
    log.close()
    os.close(log.writer)
