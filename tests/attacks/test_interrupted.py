"""A reproduction that is interrupted says so, and what was found until then; not that nothing
is the same.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.repeating import reproduced
from harness.report import artifacts, bundle
from tests.attacks.folders import new_run
from tests.runs import make_run


def test_an_interrupted_reproduction_tells_what_had_ended(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    there = new_run(tmp_path / "run")
    other = there / "test_other"
    other.mkdir()
    artifacts.update(
        other / artifacts.ABOUT, {"test": "test_x.py::test_other", "outcome": "passed"}
    )
    bundle.make(there, tmp_path / "b.zip")
    here = make_run(tmp_path / "here")
    about = json.loads((here / "test_it" / artifacts.ABOUT).read_text())
    (here / "test_it" / artifacts.ABOUT).write_text(
        json.dumps({**about, "test": "test_x.py::test_it"})
    )
    (here / "test_other").mkdir()
    artifacts.update(
        here / "test_other" / artifacts.ABOUT, {"test": "test_x.py::test_other", "outcome": None}
    )

    assert reproduced.compare(bundle.read(tmp_path / "b.zip"), here, interrupted=True) == 130

    said = capsys.readouterr().out
    assert "1 of 1 verdicts are the same" in said
    assert "interrupted: that is what was found until then; 1 of 2 tests had not ended" in said
    assert "test_other" not in said
