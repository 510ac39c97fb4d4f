"""Bisecting releases: few runs, the right pair, and no answer where there is none."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from harness.cli import bisect
from harness.cli.bisect import Release, Verdict, _between, narrow
from harness.errors import HarnessError
from harness.images import cache, program

RELEASES = [Release("2.1.5", "bullseye"), Release("2.2.7", "bookworm"), Release("2.3.3", "trixie")]


def judge(
    first_bad: int, untestable: tuple[int, ...] = ()
) -> tuple[Callable[[int], Verdict], list[int]]:
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


@pytest.mark.parametrize(
    ("first_bad", "told"), [(0, "0 is bad and not good"), (11, "9 is good and not bad")]
)
def test_ends_that_are_not_what_they_should_be_are_told(first_bad: int, told: str) -> None:
    with pytest.raises(HarnessError, match=f"{told}: nothing to bisect"):
        narrow(range(10), judge(first_bad)[0])


def test_a_release_is_named_by_its_version_or_its_name() -> None:
    assert _between(RELEASES, "v2.1.5", "trixie") == RELEASES
    assert _between(RELEASES, "bullseye", "2.2.7") == RELEASES[:2]


def test_where_the_good_one_is_the_newer_the_one_that_mended_it_is_found() -> None:
    backwards = _between(RELEASES, "2.3.3", "bullseye")
    assert backwards == RELEASES[::-1]
    good, bad = narrow(
        backwards, lambda one: Verdict.BAD if one.name == "bullseye" else Verdict.GOOD
    )
    assert (good.name, bad.name) == ("bookworm", "bullseye")


def commits(checkout: Path, count: int) -> list[str]:
    """A checkout of so many commits, oldest first, with a tag ``v1.0`` at the first one."""
    git = ["git", "-C", str(checkout), "-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run(["git", "init", "--quiet", str(checkout)], check=True)
    made = []
    for number in range(count):
        subprocess.run([*git, "commit", "--quiet", "--allow-empty", "-m", str(number)], check=True)
        asked = subprocess.run(
            [*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True
        )
        made.append(asked.stdout.strip())
    subprocess.run([*git, "tag", "v1.0", made[0]], check=True)
    return made


@pytest.mark.parametrize("mended", [False, True])
def test_commits_are_bisected_in_both_directions(
    mended: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    made = commits(tmp_path / "it", 9)

    def judged(name: str, arguments: Sequence[str]) -> Verdict:
        late = made.index(name.partition("@")[2]) >= 6
        return Verdict.GOOD if late is mended else Verdict.BAD

    monkeypatch.setattr(bisect, "_judge_commit", judged)
    ends = (made[-1], "1.0") if mended else ("1.0", made[-1])
    assert bisect._bisect_commits(tmp_path / "it", *ends, []) == 0
    word = "mended" if mended else "bad"
    assert f"{made[6]} is the first {word} commit" in capsys.readouterr().out


def test_a_commit_that_was_made_is_known_where_its_checkout_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the embedded kernel nothing of a checkout can be read."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(program, "_commits", {})
    (commit,) = commits(tmp_path / "it", 1)
    name = f"{tmp_path}/it@1.0"
    built = cache.location() / f"keepalived-commit-{commit[:12]}"
    built.mkdir(parents=True)
    program.make(name, print)
    made = program.commits()
    (tmp_path / "it").rename(tmp_path / "gone")
    monkeypatch.setattr(program, "_commits", {})
    assert not program.is_one(name)
    program.remember(made)
    assert program.is_one(name)
    assert program.find(name) == built


@pytest.mark.parametrize(
    ("good", "bad", "told"),
    [
        (
            "2.1.5",
            "2.2.9",
            r"no keepalived 2.2.9 is available here; there are 2.1.5 \(bullseye\), .*give --git",
        ),
        ("2.1.5", "bullseye", "2.1.5 and bullseye are the same keepalived: nothing to bisect"),
    ],
)
def test_a_span_that_is_none_is_refused(good: str, bad: str, told: str) -> None:
    with pytest.raises(HarnessError, match=told):
        _between(RELEASES, good, bad)
