"""One failure to send: a small bundle that can be run again, and a text for an issue tracker."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path

import pytest

from harness import cli
from harness.errors import HarnessError
from harness.events import make
from harness.repeating import reproduced
from harness.report import artifacts, bundle, reproduction
from tests.runs import EVENTS, VIP, make_run

TEST = "scenarios/test_x.py::test_it[PowerOff]"
CONF = "vrrp_instance VI_1 {\n  auth_pass s3cret\n}\n"
SOURCES = {
    "scenarios/test_x.py": "from scenarios.test_base import *\n",
    "scenarios/test_base.py": "",
    "scenarios/test_other.py": "",
    "scenarios/conftest.py": "",
    "topologies/pair.py": "",
}
LATE = make(
    "judged",
    15.2,
    "director2",
    what=f"takes {VIP}",
    since=11,
    earliest=13,
    latest=14,
    measured=14.6,
    met=False,
)
MESSAGE = "> assert took in due\nE   assert 3.6 in Due(earliest=2, latest=3)\nE    +  where ```x```"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run of one scenario that failed and another one that passed, with what they were made
    of.
    """
    rules = {"takeover": "The silence and the skew, of ``backup``."}
    about = {"says": "A backup takes over.", "rules": rules, "marks": ["failover"]}
    folder = make_run(tmp_path / "run", [*EVENTS[:-1], LATE], **about)
    artifacts.update(folder / "test_it" / artifacts.ABOUT, {"test": TEST, "message": MESSAGE})
    (folder / "test_it" / "director1").mkdir()
    (folder / "test_it" / "director1" / "keepalived.conf").write_text(CONF)
    (folder / "test_it" / artifacts.CAPTURE).write_bytes(b"\0\1s3cret\0\0\2")
    other = folder / "test_it_again"
    other.mkdir()
    artifacts.write_json(
        other / artifacts.ABOUT, {"test": "scenarios/test_other.py::test_it", "outcome": "passed"}
    )
    (other / artifacts.TIMELINE).write_text("")
    for name, text in SOURCES.items():
        (folder / artifacts.SOURCES / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / artifacts.SOURCES / name).write_text(text)
    sums = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in SOURCES.items()}
    known = {"clock": "virtual", "seed": 7, "sources": sums, "versions": {"keepalived": "2.2.7"}}
    artifacts.update(folder / artifacts.RUN, known)
    return folder


@pytest.fixture
def made(run: Path, tmp_path: Path) -> Path:
    target, _ = reproduction.make(run, "poweroff", tmp_path / "one.zip")
    return target


def test_it_is_a_bundle_of_this_scenario_and_of_what_it_needs(made: Path) -> None:
    opened = bundle.read(made)
    assert [scenario["test"] for scenario in opened.manifest["scenarios"]] == [TEST]
    assert set(opened.sources) == set(SOURCES) - {"scenarios/test_other.py"}
    assert "run/report.html" in opened.files
    assert "run/test_it/capture.pcapng" in opened.files
    assert not [name for name in opened.files if "again" in name]
    assert json.loads(opened.files["run/run.json"])["order"] == [TEST]


def test_no_password_is_in_it_nor_in_its_page_and_text(made: Path) -> None:
    with zipfile.ZipFile(made) as archive:
        assert not [name for name in archive.namelist() if b"s3cret" in archive.read(name)]
    assert "s3cret" not in made.with_suffix(".md").read_text()


def test_the_text_says_what_was_expected_by_which_rule_what_happened_and_how_to_run_it(
    made: Path,
) -> None:
    text = made.with_suffix(".md").read_text()
    assert (
        text.splitlines()[0]
        == f"# director2 takes {VIP} after 3600.0 ms: NOT IN 2000.0 to 3000.0 ms"
    )
    assert "By the rule `takeover`: The silence and the skew, of backup." in text
    assert f"| director2 | takes {VIP} | 2000.0 to 3000.0 ms | 3600.0 ms | **missed** |" in text
    assert "director1: PowerOff injected" in text
    assert "- keepalived: 2.2.7" in text
    assert "lvs-harness reproduce one.zip" in text
    assert f"pytest '{TEST}' --seed 7 --clock virtual" in text
    assert "<details><summary>director1/keepalived.conf</summary>" in text


def test_the_text_runs_the_implementation_that_was_tried(run: Path, tmp_path: Path) -> None:
    selection = {"image": ["trixie+frr"], "keepalived": [], "matrix": []}
    artifacts.update(run / artifacts.RUN, {"selection": selection, "speaker": "frr"})
    target, _ = reproduction.make(run, "poweroff", tmp_path / "frr.zip")
    command = f"pytest '{TEST}' --seed 7 --clock virtual --image=trixie+frr --speaker=frr"
    assert command in target.with_suffix(".md").read_text()


def test_no_text_of_a_scenario_ends_its_block(made: Path) -> None:
    assert "````text\n> assert" in made.with_suffix(".md").read_text()


def test_which_scenario_is_meant_is_asked(run: Path) -> None:
    with pytest.raises(
        HarnessError, match=r"no scenario called 'nope': say which of .*\(failed\), .*\(passed\)"
    ):
        reproduction.choose(artifacts.read_run(run), "nope")
    artifacts.update(run / "test_it" / artifacts.ABOUT, {"outcome": "passed"})
    with pytest.raises(HarnessError, match="2 scenarios with 'test_it' in their names: say which"):
        reproduction.choose(artifacts.read_run(run), "test_it")


def test_of_several_the_only_one_that_failed_is_meant(run: Path) -> None:
    assert reproduction.choose(artifacts.read_run(run), "test_it").name == TEST


def test_the_command_says_where_both_are(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target = tmp_path / "one.zip"
    assert cli.main(["bundle", str(run), "--scenario", TEST, "--output", str(target)]) == 0
    assert capsys.readouterr().out.splitlines()[-2:] == [str(tmp_path / "one.md"), str(target)]
    assert cli.main(["bundle", str(run), "--scenario", TEST, "--output", str(target)]) == 1
    assert "is there already" in capsys.readouterr().err


@pytest.mark.parametrize("earlier", [0, 2])
def test_what_ran_before_on_its_cluster_is_named_where_a_verdict_is_another(
    run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], earlier: int
) -> None:
    artifacts.update(run / "test_it" / artifacts.ABOUT, {"earlier": earlier})
    made, _ = reproduction.make(run, "poweroff", tmp_path / "one.zip")
    here = make_run(tmp_path / "here")
    about = {"test": TEST, "outcome": "passed", "earlier": 0}
    artifacts.update(here / "test_it" / artifacts.ABOUT, about)

    assert reproduced.compare(bundle.read(made), here) == 1

    said = capsys.readouterr().out
    assert f"{TEST}: passed, and was failed" in said
    told = "its cluster had lived through 2 other scenarios there, and through 0 here"
    assert (told in said) == (earlier == 2)
