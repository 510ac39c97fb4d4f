"""Which cluster a scenario wants: one key for all who ask whether two may share one, and the
order that follows.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.check.configured import Configured
from harness.errors import HarnessError
from harness.images.selection import Selection
from harness.spec import ClusterSpec
from harness.topology.named import topology_of
from topologies.director_group import DirectorGroup
from topologies.director_pair import DirectorPair

PAIR = ClusterSpec(DirectorPair, {"scheduler": "wlc", "priorities": (90, 80)})
OTHERS = {
    "another topology": replace(PAIR, source=DirectorGroup),
    "other parameters": replace(PAIR, parameters={"scheduler": "rr", "priorities": (90, 80)}),
    "edits": PAIR.changed({}, {"director1": ("priority 90", "priority 91")}),
    "images": replace(PAIR, selection=Selection({"": "trixie"})),
}


@pytest.mark.parametrize("difference", OTHERS)
def test_what_makes_it_another_cluster(difference: str) -> None:
    assert OTHERS[difference].key != PAIR.key
    assert not OTHERS[difference].may_share(PAIR)


def test_the_order_of_parameters_makes_no_difference() -> None:
    same = replace(PAIR, parameters={"priorities": (90, 80), "scheduler": "wlc"})
    assert same.key == PAIR.key
    assert same.may_share(PAIR)


def test_a_fresh_one_is_shared_by_those_that_come_after_it_only() -> None:
    fresh = replace(PAIR, fresh=True)
    assert fresh.key == PAIR.key
    assert PAIR.may_share(fresh)
    assert not fresh.may_share(PAIR)


def test_two_of_one_name_are_not_the_same() -> None:
    sources = [lambda: DirectorPair(), lambda: DirectorPair()]
    assert not ClusterSpec(sources[0]).may_share(ClusterSpec(sources[1]))


def test_a_control_changes_parameters_and_edits() -> None:
    changed = PAIR.changed({"scheduler": "rr"}, {"director1": ("a", "b")})
    assert dict(changed.parameters) == {"scheduler": "rr", "priorities": (90, 80)}
    assert dict(changed.edits) == {"director1": ("a", "b")}


def test_files_are_told_apart_by_what_corrects_their_assumptions(tmp_path: Path) -> None:
    file = tmp_path / "lb1.conf"
    file.write_text("vrrp_instance V {}\n")
    plain = ClusterSpec(Configured(str(file)))
    assert plain.key != ClusterSpec(Configured(str(file), settings={"eth0": "10.0.0.0/24"})).key
    with pytest.raises(HarnessError, match=r"lb1\.conf: keepalived has to read this first"):
        plain.plan()


def test_a_scenario_that_wants_the_same_says_so_in_python(tmp_path: Path) -> None:
    file = tmp_path / "lb 1.conf"
    file.write_text("vrrp_instance V {}\n")
    settings = {"eth0": "10.0.0.0/24"}
    own = ClusterSpec(Configured(str(file), settings=settings)).origin("lb 1.conf")
    assert own.expression == f"configured({str(file)!r}, **{settings!r})"
    assert own.imports == ("from harness.check.configured import configured",)

    varied = ClusterSpec(DirectorPair, {"scheduler": "wlc", "priorities": (100, 90)})
    named = varied.origin("director_pair", {"priorities": (100, 90)})
    assert named.expression == "DirectorPair, scheduler='wlc'"
    assert named.imports == ("from topologies.director_pair import DirectorPair",)


def test_a_topology_of_a_file_is_named_by_the_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(
        "from topologies.director_pair import DirectorPair\n"
        "class Mine(DirectorPair): pass\ntopos = {'mine': Mine}\n"
    )
    made = ClusterSpec(topology_of(str(file))).origin(str(file))
    assert made.expression == f"topology_of({str(file)!r})"
    assert made.imports == ("from harness.topology.named import topology_of",)


SCENARIOS = """
    import pytest
    from harness.scenario import fresh_topology, topology
    from topologies.director_pair import DirectorPair

    PLAIN, OTHER = topology(DirectorPair), topology(DirectorPair, scheduler="wlc")

    @PLAIN
    def test_1(cluster): pass
    @OTHER
    def test_2(cluster): pass
    @PLAIN
    def test_3(cluster): pass
    def test_without(): pass
    @fresh_topology(DirectorPair)
    def test_4(cluster): pass
    @OTHER
    def test_5(cluster): pass
    @PLAIN
    def test_6(cluster): pass
"""


@pytest.mark.parametrize(
    ("options", "order"),
    [
        ([], ["1", "3", "6", "2", "5", "without", "4"]),
        (["--controls"], ["1", "2", "3", "without", "4", "5", "6"]),
    ],
)
def test_a_serial_run_is_grouped_by_cluster(
    pytester: pytest.Pytester, options: list[str], order: list[str]
) -> None:
    pytester.makepyfile(SCENARIOS)
    result = pytester.runpytest("--collect-only", "-q", *options)
    names = [line.rpartition("::test_")[2] for line in result.outlines if "::" in line]
    assert names == order
