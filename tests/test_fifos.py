"""Lines out of a FIFO: whole ones, in order, and none lost at the end."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator

import pytest

from harness.observers.fifos import FifoObserver
from harness.observers.loop import Loop


@pytest.fixture
def loop() -> Iterator[Loop]:
    running = Loop()
    running.start()
    yield running
    running.stop()


def test_lines_are_handed_on_as_they_are_completed(loop: Loop) -> None:
    reader, writer = os.pipe2(os.O_NONBLOCK)
    lines: list[str] = []
    third = threading.Event()

    def heard(line: str) -> None:
        lines.append(line)
        if len(lines) == 3:
            third.set()

    fifo = FifoObserver(loop, reader, heard)
    for part in (b"one\ntw", b"o\n", b"three\nfo"):
        os.write(writer, part)
    assert third.wait(10)
    os.write(writer, b"ur\n")
    loop.do(fifo.close)
    os.close(writer)
    assert lines == ["one", "two", "three", "four"]
