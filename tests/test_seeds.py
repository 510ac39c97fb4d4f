"""Where measured times lie in their windows: pure, from timelines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.repeating import seeds
from harness.repeating.seeds import filled, histogram, outside, shares, table


def judged(measured: float | None, earliest: float = 10.0, latest: float = 12.0) -> str:
    times = {"measured": measured, "earliest": earliest, "latest": latest}
    return json.dumps({"kind": "judged", "what": "takes it", **times})


def test_a_time_s_share_of_its_window() -> None:
    lines = [
        judged(10.0),
        judged(11.0),
        judged(13.0),
        judged(None),
        judged(5.0, 5.0, 5.0),
        '{"kind": "log"}',
    ]
    found = shares(lines)
    assert {what for what, _ in found} == {"takes it"}
    assert [share for _, share in found] == pytest.approx([0.0, 0.5, 1.5])


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


FOUND = {
    ("good", "takes it"): [0.0, 1.0],
    ("narrow", "takes it"): [0.4, 0.5],
    ("late", "takes it"): [0.5, 1.2],
    ("late", "adds <it>"): [0.1, 0.95],
}


def test_the_table_begins_with_what_lies_outside_and_is_least_filled() -> None:
    lines = table(FOUND)
    assert [line.split("  ")[0] for line in lines[1:5]] == [
        "late: takes it",
        "narrow: takes it",
        "late: adds <it>",
        "good: takes it",
    ]
    assert lines[-1] == "2 of 4 fill 80% of their windows or more; 1 times lie outside"


def test_the_page_has_a_bar_for_each_part_and_a_mark_for_what_lies_outside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(seeds, "_FOLDER", tmp_path)
    text = seeds.draw(FOUND, 20).read_text()
    assert text.count("<article") == 4
    assert text.count('class="bar outside"') == 1
    assert text.count("<b ") == 8
    assert "adds &lt;it&gt;" in text
