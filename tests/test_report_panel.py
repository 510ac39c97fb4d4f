"""What is told of one scenario: its margin, its reason and its causes."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.events import make
from harness.report import artifacts, page, panel
from tests.runs import make_run, run

__all__ = ["run"]


@pytest.mark.parametrize(
    ("measured", "margin"),
    [(13.6, 0), (14.15, 50), (14.7, 0), (14.8, -9.09), (12.5, -100), (None, -100)],
)
def test_the_margin_is_how_near_it_was_to_an_edge_of_its_window(
    tmp_path: Path, measured: float | None, margin: float
) -> None:
    due = {"what": "x", "since": 11, "latest": 14.7}
    event = (
        make("missed", 15.1, "director2", **due)
        if measured is None
        else make(
            "judged", 15.1, "director2", earliest=13.6, measured=measured, met=margin >= 0, **due
        )
    )
    scenario = artifacts.read_scenario(make_run(tmp_path / "run", [event]) / "test_it")
    assert panel.margin(scenario) == pytest.approx(margin, abs=0.01)
    (bullet,) = panel.bullets(scenario)
    assert bullet.met == (margin >= 0)
    assert 0 <= bullet.opens <= bullet.closes <= 100
    assert (bullet.at is None) == (measured is None)


def test_the_reason_is_the_cause_or_the_window_or_what_was_raised(tmp_path: Path) -> None:
    late = make(
        "judged",
        15.1,
        "d",
        what="comes",
        since=11,
        earliest=12,
        latest=13,
        measured=14.6,
        met=False,
    )
    said = {
        "E   looks like: VRID mismatch (d): x; y\nE  assert 3 in Due(earliest=1,"
        " latest=2)": "looks like: VRID",
        "> assert\nE  AssertionError: assert 3.6 in Due(earliest=1,"
        " latest=2)": "d comes after 3600.0 ms: NOT IN",
        "> assert\nE  assert d comes after 3600.0 ms: NOT IN 1000.0 to 2000.0"
        " ms": "d comes after 3600.0 ms: NOT IN",
        "> assert\nE  AssertionError: assert 'a' == 'b'": "AssertionError: assert 'a' == 'b'",
        "d comes: due within 3 s, and it has not\n\n>"
        " line": "d comes: due within 3 s, and it has not",
        "": "",
    }
    for number, (message, reason) in enumerate(said.items()):
        folder = make_run(tmp_path / str(number), [late])
        artifacts.update(folder / "test_it" / artifacts.ABOUT, {"message": message})
        found = artifacts.read_scenario(folder / "test_it").reason
        assert found.startswith(reason)
        assert bool(found) == bool(reason)


def test_what_shows_a_cause_is_below_it(run: Path) -> None:
    message = (
        "E   looks like: a (d): x; y\nE       at 3.609 s d: advert 51\nE   looks like: b"
        " (e): z\n\n    def test_it():"
    )
    artifacts.update(run / "test_it" / artifacts.ABOUT, {"message": message})
    drawn_panel = panel.panel(artifacts.read_scenario(run / "test_it"), run)
    assert drawn_panel["causes"] == [("a (d): x; y", ["at 3.609 s d: advert 51"]), ("b (e): z", [])]
    assert "<li>at 3.609 s d: advert 51</li>" in page.write(run).read_text()


def test_the_reason_of_a_bug_that_was_shown_is_the_bug(run: Path) -> None:
    message = "bug shown in 2.2.7: it is old (abc)\n\n> assert\nE  assert 1 == 2"
    artifacts.update(
        run / "test_it" / artifacts.ABOUT, {"message": message, "outcome": "bug-shown"}
    )
    assert artifacts.read_scenario(run / "test_it").reason == "bug shown in 2.2.7: it is old (abc)"
