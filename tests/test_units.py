"""Which scenarios run together, in which order, and in which shard."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.errors import HarnessError
from harness.plugin import units
from harness.plugin.units import Shard

CLUSTERS = {f"{cluster}{number}": cluster for cluster in "abc" for number in range(4)}


def test_a_unit_is_for_one_cluster_and_in_order() -> None:
    mixed = {"a1": "a", "b1": "b", "a2": "a", "b2": "b"}
    assert units.units(mixed, {}, 1) == [["a1", "a2"], ["b1", "b2"]]


def test_a_unit_that_would_keep_one_worker_busy_alone_is_cut() -> None:
    one_cluster = dict.fromkeys("abcdefgh", "x")
    assert units.units(one_cluster, {}, 1) == [list("abcdefgh")]
    assert units.units(one_cluster, {}, 2) == [["a", "b"], ["c", "d"], ["e", "f"], ["g", "h"]]
    long = {**dict.fromkeys(one_cluster, 1.0), "a": 100.0}
    assert units.units(one_cluster, long, 2) == [["a"], list("bcdefgh")]


def test_what_lasts_longest_comes_first() -> None:
    made = units.units(CLUSTERS, {"b2": 9.0}, 1)
    assert [unit[0] for unit in units.longest_first(made, {})] == ["a0", "b0", "c0"]
    known = {**dict.fromkeys(CLUSTERS, 1.0), "b2": 9.0}
    assert [unit[0] for unit in units.longest_first(made, known)] == ["b0", "a0", "c0"]


def test_a_scenario_that_has_never_run_lasts_as_long_as_others() -> None:
    assert units.lasts({"a": 2.0, "b": 4.0, "gone": 99.0}, ["a", "b", "new"]) == {
        "a": 2.0,
        "b": 4.0,
        "new": 3.0,
    }
    assert units.lasts({}, ["new"]) == {"new": units.UNKNOWN}


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_shards_have_every_scenario_once_and_last_the_same(count: int) -> None:
    durations = {one: float(number) for number, one in enumerate(CLUSTERS, start=1)}
    made = units.shards(CLUSTERS, durations, count)
    assert sorted(one for shard in made for one in shard) == sorted(CLUSTERS)
    sums = [sum(durations[one] for one in shard) for shard in made]
    assert max(sums) - min(sums) <= sum(sums) / count


def test_more_shards_than_scenarios_leave_some_empty() -> None:
    assert units.shards({"a": "x"}, {}, 3) == [["a"], [], []]


def test_divisions_that_differ_have_different_fingerprints() -> None:
    assert units.fingerprint([["a", "b"], ["c"]]) == units.fingerprint([["b", "a"], ["c"]])
    assert units.fingerprint([["a", "b"], ["c"]]) != units.fingerprint([["a"], ["b", "c"]])


def test_shard_is_the_kth_of_n() -> None:
    assert Shard.of("2/3") == Shard(2, 3)


@pytest.mark.parametrize("text", ["3/2", "0/2", "1/0", "1", "a/b", "-1/2", "1/2/3", ""])
def test_what_is_no_shard_is_refused(text: str) -> None:
    with pytest.raises(HarnessError, match="1/3, 2/3, 3/3"):
        Shard.of(text)


def test_durations_of_all_shards_are_gathered(tmp_path: Path) -> None:
    for shard, content in (("a", '{"one": 1.0}'), ("b", '{"two": 2.0}')):
        path = tmp_path / shard / "v" / units.DURATIONS
        path.parent.mkdir(parents=True)
        path.write_text(content)
    units.gather(tmp_path / "all", [tmp_path / "a", tmp_path / "b", tmp_path / "none"])
    assert json.loads((tmp_path / "all" / "v" / units.DURATIONS).read_text()) == {
        "one": 1.0,
        "two": 2.0,
    }
