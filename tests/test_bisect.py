"""Bisecting releases: few runs, the right pair, and no answer where there is none."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.cli.bisect import Release, Verdict, _between, narrow
from harness.errors import HarnessError

RELEASES = [Release("2.1.5", "bullseye"), Release("2.2.7", "bookworm"), Release("2.3.3", "trixie")]


def judge(first_bad: int, untestable: tuple[int, ...] = ()) -> tuple[Callable[[int], Verdict], list[int]]:
    asked: list[int] = []

    def verdict(number: int) -> Verdict:
        asked.append(number)
        if number in untestable:
            return Verdict.UNTESTABLE
        return Verdict.BAD if number >= first_bad else Verdict.GOOD

    return verdict, asked


@pytest.mark.parametrize("first_bad", range(1, 100))
def test_the_first_bad_one_is_found_in_few_runs(first_bad: int) -> None:
    verdict, asked = judge(first_bad)
    assert narrow(range(100), verdict) == (first_bad - 1, first_bad)
    assert len(asked) <= 9


def test_what_cannot_be_tested_is_passed_over() -> None:
    verdict, _ = judge(6, untestable=(4, 5))
    assert narrow(range(10), verdict) == (3, 6)


@pytest.mark.parametrize(("first_bad", "told"), [(0, "0 is bad and not good"), (11, "9 is good and not bad")])
def test_ends_that_are_not_what_they_should_be_are_told(first_bad: int, told: str) -> None:
    with pytest.raises(HarnessError, match=f"{told}: nothing to bisect"):
        narrow(range(10), judge(first_bad)[0])


def test_a_release_is_named_by_its_version_or_its_name() -> None:
    assert _between(RELEASES, "v2.1.5", "trixie") == RELEASES
    assert _between(RELEASES, "bullseye", "2.2.7") == RELEASES[:2]


@pytest.mark.parametrize(
    ("good", "bad", "told"),
    [
        ("2.1.5", "2.2.9", r"no keepalived 2.2.9 is available here; there are 2.1.5 \(bullseye\), .*give --git"),
        ("2.3.3", "2.1.5", "2.3.3 is not before 2.1.5"),
        ("2.1.5", "2.1.5", "2.1.5 is not before 2.1.5"),
    ],
)
def test_a_span_that_is_none_is_refused(good: str, bad: str, told: str) -> None:
    with pytest.raises(HarnessError, match=told):
        _between(RELEASES, good, bad)
