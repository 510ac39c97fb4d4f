"""lvs-harness: what stands behind ``--`` is for pytest, whatever stands before it."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from harness.cli import main

EXAMPLE = Path(__file__).parents[1] / "examples/two-directors"
FILES = [str(EXAMPLE / "lb1.conf"), str(EXAMPLE / "lb2.conf")]


@pytest.mark.parametrize("own", [[*FILES], [*FILES, "--explain"], ["--set", "eth0=192.0.2.0/24", *FILES]])
def test_options_behind_the_dashes_are_passed_on(own: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    ran: list[list[str]] = []

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        ran.append(command)
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setattr(subprocess, "run", run)
    assert main(["check", *own, "--", "--kernel", "uml", "-k", "loss"]) == 0
    assert ran[0][-4:] == ["--kernel", "uml", "-k", "loss"]


def test_a_command_that_passes_nothing_on_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["doctor", "--", "-k", "loss"])
    assert "doctor passes nothing on to pytest: -- -k loss" in capsys.readouterr().err
