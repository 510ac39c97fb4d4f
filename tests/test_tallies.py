"""What the tests of a search tell of themselves is added up, and told as workers end them."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.plugin.tallies import TALLY, _Tallies, left

ONE = {"sequences": 25, "smaller": 3, "seconds": 360.0, "clusters": 2, "found": 1}


def report(known: dict[str, int], **more: Any) -> Any:
    properties = [("other", 1), (TALLY, {**ONE, "known": known})]
    return SimpleNamespace(when="call", user_properties=properties, **more)


def summary(tallies: _Tallies) -> list[str]:
    lines: list[str] = []
    reporter: Any = SimpleNamespace(write_line=lines.append)
    config: Any = SimpleNamespace(stash={})
    tallies.pytest_terminal_summary(reporter, config)
    return lines


def test_several_parts_are_one_search(capsys: pytest.CaptureFixture[str]) -> None:
    tallies = _Tallies()
    tallies.pytest_runtest_logreport(report({"a.py": 2}, node="gw0"))
    tallies.pytest_runtest_logreport(report({"a.py": 1, "b.py": 1}, node="gw1"))

    said = capsys.readouterr().out.split("\n")
    assert [line.partition(";")[0] for line in said if line] == [
        "search: 25 sequences, 1 found",
        "search: 50 sequences, 2 found",
    ]
    assert summary(tallies) == [
        "search: in all 50 sequences and 6 smaller ones, 0.20 h simulated, 4 clusters, 2 found,"
        " known: a.py 3 times, b.py 1 time"
    ]


def test_a_search_of_one_part_and_other_tests_have_nothing_to_add(
    capsys: pytest.CaptureFixture[str],
) -> None:
    tallies = _Tallies()
    other: Any = SimpleNamespace(when="call", user_properties=[])
    tallies.pytest_runtest_logreport(report({}))
    tallies.pytest_runtest_logreport(other)

    assert capsys.readouterr().out == ""
    assert summary(tallies) == []


@pytest.mark.parametrize("told", [1, {}, {**ONE, "known": {"\x1b[2J": 1}}, {**ONE, "found": "x"}])
def test_what_a_guest_may_have_made_up_is_not_counted(told: Any) -> None:
    tallies = _Tallies()
    for _ in range(2):
        made: Any = SimpleNamespace(when="call", user_properties=[(TALLY, told)])
        tallies.pytest_runtest_logreport(made)
    assert summary(tallies) == []


def test_what_was_left_is_named_as_far_as_a_terminal_may_have_it(tmp_path: Path) -> None:
    for name in (
        "found_a/test_a.py",
        "found_b/test_\x1b[2J.py",
        "found_\x1b[2J/test_d.py",
        "found_c/report.md",
    ):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).touch()

    assert left(tmp_path) == [tmp_path / "found_a/test_a.py"]
