"""``lvs-harness kernel ensure``: when a kernel is made first, and what is said where it cannot
be.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.cli import main
from harness.errors import HarnessError
from harness.kernels import choice
from harness.kernels.making import build as building


@pytest.fixture
def builds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """An empty cache, and a build that only notes that it has been asked for."""
    asked: list[str] = []
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(building, "missing_tools", lambda: [])
    monkeypatch.setattr(building, "build", lambda progress: asked.append("built"))
    monkeypatch.setattr(choice, "unsuited", lambda: None)
    return asked


def fail_with(problem: HarnessError, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: Any) -> None:
        raise problem

    monkeypatch.setattr(building, "build", fail)


@pytest.mark.parametrize(
    "passed", [[], ["-k", "failover"], ["--kernel", "uml"], ["--clock", "virtual"]]
)
def test_kernel_is_made_first_and_that_is_said_before(
    builds: list[str], passed: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["kernel", "ensure", "--", *passed]) == 0
    assert builds == ["built"]
    said = capsys.readouterr().out
    assert "making a kernel with virtual time first" in said
    assert "minutes on two processors" in said


@pytest.mark.parametrize(
    "passed",
    [
        ["--clock", "real"],
        ["--kernel", "native"],
        ["--kernel=/usr/bin/linux.uml"],
        ["--clock=real"],
    ],
)
def test_a_run_that_asks_for_another_kernel_waits_for_none(
    builds: list[str], passed: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["kernel", "ensure", "--", *passed]) == 0
    assert (builds, capsys.readouterr().out) == ([], "")


def test_what_is_missing_is_said_in_one_line(
    builds: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(building, "missing_tools", lambda: ["gcc", "make"])
    assert main(["kernel", "ensure", "--installer", "/bin/false"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said == [
        "lvs-harness: no virtual time: building its kernel takes gcc, make, which are not installed"
    ]
    assert builds == []


def test_without_a_network_the_run_goes_on(
    builds: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fail_with(
        building.CannotBuild("no kernel source can be had; check the network\nLog: ..."),
        monkeypatch,
    )
    assert main(["kernel", "ensure"]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == "lvs-harness: no virtual time: no kernel source can be had; check the network"


def test_a_build_that_fails_half_way_ends_the_run_and_names_the_way_out(
    builds: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fail_with(HarnessError("kernel: no space left on the disk"), monkeypatch)
    assert main(["kernel", "ensure"]) == 1
    said = capsys.readouterr().err
    assert "no space left" in said
    assert "--clock real -m core" in said


def test_another_architecture_is_told_what_it_can_have(
    builds: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.undo()
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    monkeypatch.setenv("XDG_CACHE_HOME", "/nonexistent")
    assert main(["kernel", "ensure"]) == 0
    said = capsys.readouterr().out
    assert "this machine is aarch64" in said
    assert "modprobe ip_vs" in said
    with pytest.raises(HarnessError, match="x86_64 alone"):
        choice.choose("uml", "auto", 0)
