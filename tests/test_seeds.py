"""Where measured times lie in their windows: pure, from timelines."""

from __future__ import annotations

import json

import pytest

from harness.repeating.seeds import filled, histogram, outside, shares, table


def judged(measured: float | None, earliest: float = 10.0, latest: float = 12.0) -> str:
    return json.dumps(
        {"kind": "judged", "measured": measured, "earliest": earliest, "latest": latest}
    )


def test_a_time_s_share_of_its_window() -> None:
    lines = [
        judged(10.0),
        judged(11.0),
        judged(13.0),
        judged(None),
        judged(5.0, 5.0, 5.0),
        '{"kind": "log"}',
    ]
    assert shares(lines) == pytest.approx([0.0, 0.5, 1.5])


def test_what_lies_outside_is_counted_and_fills_nothing() -> None:
    values = [-0.1, 0.2, 0.9, 1.1]
    assert outside(values) == 2
    assert filled(values) == pytest.approx(0.7)
    assert filled([2.0]) == 0


def test_the_histogram_has_its_darkest_character_where_most_lie() -> None:
    drawn = histogram([0.0, 0.01, 0.02, 1.0, 7.0])
    assert len(drawn) == 20
    assert drawn[0] == "@"
    assert drawn[-1] not in " @"
    assert set(drawn[1:-1]) == {" "}


def test_the_table_begins_with_what_lies_outside_and_is_least_filled() -> None:
    lines = table({"good": [0.0, 1.0], "narrow": [0.4, 0.5], "late": [0.5, 1.2]})
    assert [line.split()[0] for line in lines[1:4]] == ["late", "narrow", "good"]
    assert lines[-1] == "1 of 3 fill 80% of their windows or more"
