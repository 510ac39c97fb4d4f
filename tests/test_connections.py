"""Connections that last: what is read of an answer, and what is told of a stream."""

from __future__ import annotations

import pytest

from harness.observers.connections import Stream, _length


@pytest.mark.parametrize(
    ("head", "length"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5", 5),
        (b"HTTP/1.1 304 x\r\ncontent-length:x", 0),
        (b"HTTP/1.1 204 x", 0),
    ],
)
def test_an_answer_is_as_long_as_its_head_says(head: bytes, length: int) -> None:
    assert _length(head) == length


def test_the_longest_gap_is_between_two_pieces_or_an_end() -> None:
    stream = Stream(pieces=[(1.0, 10), (1.5, 20), (4.0, 30)])
    assert stream.gap(1.0, 4.5) == 2.5
    assert stream.gap(4.5, 9.0) == 4.5
    assert stream.received == 30
    assert Stream().gap(0.0, 2.0) == 2.0
    assert Stream().received == 0
