"""lvs-harness: what stands behind ``--`` is for pytest, whatever stands before it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NoReturn

import pytest

from harness.cli import main
from harness.cli.check import UNUSABLE, _settings
from harness.errors import HarnessError

EXAMPLE = Path(__file__).parents[1] / "examples/two-directors"
FILES = [str(EXAMPLE / "lb1.conf"), str(EXAMPLE / "lb2.conf")]


@pytest.mark.parametrize(
    "own", [[*FILES], [*FILES, "--explain"], ["--set", "eth0=192.0.2.0/24", *FILES]]
)
def test_options_behind_the_dashes_are_passed_on(
    own: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = _command_of(["check", *own, "--", "--kernel", "uml", "-k", "loss"], monkeypatch)
    assert ran[-4:] == ["--kernel", "uml", "-k", "loss"]


@pytest.mark.parametrize("command", ["check", "search"])
@pytest.mark.parametrize("option", ["--image", "--keepalived"])
def test_what_keepalived_runs_is_said_without_dashes(
    command: str, option: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran = _command_of([command, *FILES, option, "trixie", "--", "-k", "loss"], monkeypatch)
    assert ran[ran.index(option) + 1] == "trixie"


def test_an_upgrade_is_from_one_release(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", *FILES, "--then", "trixie"]) == UNUSABLE
    assert "--image bookworm --then trixie" in capsys.readouterr().err


def _command_of(words: list[str], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a command becomes, instead of which nothing is run."""
    ran: list[list[str]] = []

    def become(program: str, command: list[str]) -> NoReturn:
        ran.append(command)
        raise SystemExit(0)

    monkeypatch.setattr(os, "execv", become)
    with pytest.raises(SystemExit):
        main(words)
    return ran[0]


def test_a_command_that_passes_nothing_on_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["doctor", "--", "-k", "loss"])
    assert "doctor passes nothing on to pytest: -- -k loss" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"[set", r"mine.toml: Expected '\]'"),
        (b"\xd0\0", "mine.toml: 'utf-8' codec can't decode"),
        (b"set = 5", r"mine.toml: set: assumptions are a table: \[set\]"),
        (b'eth0 = "192.0.2.0/24"', r"mine.toml: eth0: assumptions are a table: \[set\]"),
    ],
)
def test_a_file_of_assumptions_that_is_none_is_told(
    content: bytes, told: str, tmp_path: Path
) -> None:
    (tmp_path / "mine.toml").write_bytes(content)
    with pytest.raises(HarnessError, match=told):
        _settings(tmp_path / "mine.toml", tmp_path)


def test_a_table_below_a_table_names_a_director(tmp_path: Path) -> None:
    (tmp_path / "lvs-harness.toml").write_text(
        '[set]\neth0 = "192.0.2.0/24"\n[set.lb1]\neth0 = "192.0.2.3"\n'
    )
    settings, _ = _settings(None, tmp_path / "lb1.conf")
    assert settings == {"eth0": "192.0.2.0/24", "lb1.eth0": "192.0.2.3"}
