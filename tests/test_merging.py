"""Shards of a suite made one run, and those that do not fit together."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.errors import HarnessError
from harness.report import artifacts
from harness.report.merging import merge


def shard(folder: Path, number: str, test: str, division: str = "abc", status: int = 0) -> Path:
    (folder / test).mkdir(parents=True)
    artifacts.update(
        folder / artifacts.RUN,
        {"shard": number, "division": division, "order": [test], "status": status},
    )
    artifacts.update(folder / test / artifacts.ABOUT, {"test": test, "outcome": "passed"})
    return folder


def test_shards_become_one_run(tmp_path: Path) -> None:
    folders = [
        shard(tmp_path / "b", "2/2", "test_two", status=1),
        shard(tmp_path / "a", "1/2", "test_one"),
    ]
    run = artifacts.read_run(merge(folders, tmp_path / "artifacts"))
    assert [scenario.name for scenario in run.scenarios] == ["test_two", "test_one"]
    assert run.about["status"] == 1
    assert "shard" not in run.about
    assert run.problems == []


def test_scenarios_of_one_name_are_both_kept(tmp_path: Path) -> None:
    folders = [
        shard(tmp_path / name, number, "test_it") for name, number in (("a", "1/2"), ("b", "2/2"))
    ]
    assert len(artifacts.read_run(merge(folders, tmp_path / "artifacts")).scenarios) == 2


@pytest.mark.parametrize(
    ("shards", "problem"),
    [
        ([("1/3", "abc"), ("3/3", "abc")], "shard 2/3 is missing"),
        ([("1/2", "abc"), ("1/2", "abc"), ("2/2", "abc")], "shard 1/2 is there twice"),
        ([("1/2", "abc"), ("2/2", "xyz")], "different divisions"),
    ],
)
def test_shards_that_do_not_fit_are_refused(
    tmp_path: Path, shards: list[tuple[str, str]], problem: str
) -> None:
    folders = [
        shard(tmp_path / str(n), number, f"test_{n}", division)
        for n, (number, division) in enumerate(shards)
    ]
    with pytest.raises(HarnessError, match=problem):
        merge(folders, tmp_path / "artifacts")
    assert not (tmp_path / "artifacts").exists()


def test_a_run_that_did_not_end_leaves_the_whole_without_an_end(tmp_path: Path) -> None:
    folders = [shard(tmp_path / "a", "1/2", "test_one"), shard(tmp_path / "b", "2/2", "test_two")]
    about = json.loads((folders[0] / artifacts.RUN).read_text())
    del about["status"]
    (folders[0] / artifacts.RUN).write_text(json.dumps(about))
    assert artifacts.read_run(merge(folders, tmp_path / "artifacts")).problems
