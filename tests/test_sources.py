"""What a run keeps of its sources is no scenario of a later run."""

from pathlib import Path

import pytest


@pytest.fixture
def sources(pytester: pytest.Pytester) -> Path:
    """A folder with a scenario, and the copy of it that an earlier run has kept."""
    run = pytester.path / "artifacts" / "2026-01-01_00-00-00"
    (run / "sources").mkdir(parents=True)
    (run / "run.json").write_text("{}")
    for folder in (pytester.path, run / "sources"):
        (folder / "test_it.py").write_text("def test_it(): pass\n")
    return run / "sources"


def test_a_second_run_in_the_folder_of_a_first_collects_no_copies(
    pytester: pytest.Pytester, sources: Path
) -> None:
    result = pytester.runpytest("-p", "no:cacheprovider")
    assert result.parseoutcomes() == {"passed": 1}


def test_copies_that_are_named_are_collected(pytester: pytest.Pytester, sources: Path) -> None:
    for named in (sources, sources / "test_it.py"):
        result = pytester.runpytest_subprocess("-p", "no:cacheprovider", str(named))
        assert result.parseoutcomes() == {"passed": 1}


def test_sources_of_something_else_are_collected(pytester: pytest.Pytester, sources: Path) -> None:
    (sources.parent / "run.json").unlink()
    (pytester.path / "test_it.py").unlink()
    result = pytester.runpytest("-p", "no:cacheprovider")
    assert result.parseoutcomes() == {"passed": 1}
