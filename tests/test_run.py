"""A run goes from process to process in one variable, and arrives as it was."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from harness.errors import HarnessError
from harness.kernels.run import VARIABLE, Run, entered
from harness.kernels.workers.remote import Remote
from harness.plugin.survey import RUN, own_run, run_of

ROOT = Path(__file__).resolve().parent.parent
WHOLE = Run(
    Path("/tmp/a run/2026"),
    "embedded kernel 7.3 (built), virtual time, seed 0",
    {"/src/keepalived@v2.3.3": "0123abc"},
    {"test_a.py::test_x[1]": "it ends", "test_a.py::test_y": "it ends", "test_b.py::z": "other"},
)


@pytest.mark.parametrize("run", [WHOLE, Run(Path("/tmp/run"))])
def test_a_run_arrives_as_it_was(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in run.environment().items():
        monkeypatch.setenv(name, value)
    assert entered() == run


def test_a_problem_of_many_scenarios_is_handed_on_once() -> None:
    """One variable has 128 KiB at most."""
    assert WHOLE.environment()[VARIABLE].count("it ends") == 1


def test_a_process_without_a_run_knows_that(
    monkeypatch: pytest.MonkeyPatch, pytester: pytest.Pytester
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    config = pytester.parseconfig()
    assert entered() is None
    assert run_of(config) is None
    with pytest.raises(HarnessError, match="part of no run"):
        own_run(config)
    config.stash[RUN] = WHOLE
    assert own_run(config) is WHOLE


def test_a_worker_elsewhere_has_a_folder_and_a_kernel_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    words = shlex.split(Remote(("there",), Path("/tmp/lvs")).start(["python", "-m", "x"], WHOLE))
    (handed_on,) = [word for word in shlex.split(words[-1]) if word.startswith(f"{VARIABLE}=")]
    monkeypatch.setenv(VARIABLE, handed_on.partition("=")[2])
    there = entered()
    assert there == Run(Path("/tmp/lvs"), "", WHOLE.commits, WHOLE.fatal)


def test_nothing_else_is_handed_on_in_the_environment() -> None:
    """Within a process a run is an argument: see harness/kernels/run.py."""
    named = {
        file.relative_to(ROOT).as_posix()
        for file in (ROOT / "harness").rglob("*.py")
        if "LVS_HARNESS_" in file.read_text(encoding="utf-8")
    }
    assert named == {"harness/kernels/choice.py", "harness/kernels/run.py"}
