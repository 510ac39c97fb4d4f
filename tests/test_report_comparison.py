"""The page that sets two runs beside each other: by name, by version, and what differs first."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.report import artifacts, page
from tests.runs import make_run


def test_two_runs_are_compared_by_name(tmp_path: Path) -> None:
    first, second = make_run(tmp_path / "a"), make_run(tmp_path / "b")
    artifacts.update(second / "test_it" / artifacts.ABOUT, {"outcome": "passed"})
    text = page.write_comparison(first, second, tmp_path / "compare.html").read_text()
    assert 'data-outcomes="failed passed"' in text
    assert 'href="b/test_it/timeline.jsonl"' in text


@pytest.mark.parametrize(
    ("selection", "images", "told"),
    [
        ({}, {}, "2.2.7"),
        ({"image": ["trixie"]}, {"trixie": "2.3.3"}, "2.3.3 (trixie)"),
        (
            {"image": ["director2=trixie"]},
            {"trixie": "2.3.3"},
            "2.2.7 (this machine), 2.3.3 (trixie)",
        ),
    ],
)
def test_a_comparison_says_which_keepalived_ran(
    selection: dict[str, list[str]], images: dict[str, str], told: str, tmp_path: Path
) -> None:
    first, second = make_run(tmp_path / "a"), make_run(tmp_path / "b")
    artifacts.update(first / artifacts.RUN, {"versions": {"keepalived": "2.1.5"}})
    about = {"versions": {"keepalived": "2.2.7"}, "selection": selection, "images": images}
    artifacts.update(second / artifacts.RUN, about)
    text = page.write_comparison(first, second, tmp_path / "both.html").read_text()
    assert "A: a, keepalived 2.1.5<" in text
    assert f"B: b, keepalived {told}<" in text


def test_a_comparison_shows_behaviours_that_differ_first_and_folds_the_others(
    tmp_path: Path,
) -> None:
    """Case by case would hide that it is one behaviour."""
    first, second = tmp_path / "a", tmp_path / "b"
    for folder, outcomes in ((first, "ppp"), (second, "pff")):
        make_run(folder)
        for number, outcome in enumerate(outcomes):
            scenario = folder / f"test_{number}"
            scenario.mkdir()
            name = "t.py::test_same" if number == 0 else f"t.py::test_it[{number}]"
            ended = {
                "test": name,
                "outcome": {"p": "passed", "f": "failed"}[outcome],
                "message": "E   why" * (outcome == "f"),
            }
            artifacts.write_json(scenario / artifacts.ABOUT, ended)
            (scenario / artifacts.TIMELINE).write_text("")
    text = page.write_comparison(first, second, tmp_path / "compare.html").read_text()
    assert "<h2>1 behaviour differs, the others are equal</h2>" in text
    assert "2 of 2" in text
    assert "2 scenarios ended alike in both runs" in text
    assert (
        text.index("t.py::test_it[1]")
        < text.index("ended alike")
        < text.index('data-name="t.py::test_same"')
    )
