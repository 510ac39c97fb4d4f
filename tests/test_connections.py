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


def test_what_has_come_of_a_stream_is_what_its_last_piece_says() -> None:
    assert Stream(pieces=[(1.0, 10), (1.5, 20), (4.0, 30)]).received == 30
    assert Stream().received == 0
