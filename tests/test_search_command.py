"""``lvs-harness search``: what it passes on, and one sentence for what cannot be searched."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NoReturn

import pytest

from harness.cli import main
from harness.plugin import search

EXAMPLE = Path(__file__).parents[1] / "examples/two-directors"
FILES = [str(EXAMPLE / "lb1.conf"), str(EXAMPLE / "lb2.conf")]


@pytest.fixture
def ran(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The commands that this process would have become."""
    commands: list[list[str]] = []

    def become(program: str, command: list[str]) -> NoReturn:
        commands.append(command)
        raise SystemExit(0)

    monkeypatch.setattr(os, "execv", become)
    return commands


@pytest.mark.parametrize(
    ("given", "passed"),
    [
        (["director_pair"], ["--searched", "director_pair"]),
        (["forwarding:two_lans"], ["--searched", "forwarding:two_lans"]),
        (FILES, ["--director", FILES[0], "--director", FILES[1]]),
        (
            [f"lb1={FILES[0]}", "--set", "eth0=192.0.2.0/24"],
            ["--director", f"lb1={FILES[0]}", "--set"],
        ),
        (["director_pair", "--examples", "7", "--seed", "3"], ["--examples=7", "--seed=3"]),
        (["director_pair", "--without", "PowerOff"], ["--without=PowerOff"]),
        (["director_pair", "--minutes", "5"], ["--minutes=5.0"]),
    ],
)
def test_what_is_searched_is_passed_on(
    given: list[str], passed: list[str], ran: list[list[str]]
) -> None:
    with pytest.raises(SystemExit):
        main(["search", *given, "--", "-n", "2"])

    (command,) = ran
    assert command[-2:] == ["-n", "2"]
    assert [word for word in command if word in passed] == passed


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["nothing"], "there is no topology nothing; there are: "),
        (["missing.conf"], "missing.conf"),
        (["director_pair", *FILES], "give one topology or directors' configurations, not both"),
        (
            ["director_pair", "farm"],
            "one topology is searched at a time, not director_pair and farm",
        ),
        (
            ["director_pair", "--examples", "0"],
            "--examples 0: give the number of sequences, 1 to 1000000",
        ),
        (
            ["director_pair", "--minutes", "0"],
            "--minutes 0: give the minutes that it may take, more than 0",
        ),
        (
            ["director_pair", "--without", "Poweroff"],
            "--without Poweroff: there is no such deed; there are ",
        ),
        (
            ["without_keepalived:ldirectord"],
            "has no director that runs keepalived, so there is nothing to search",
        ),
    ],
)
def test_what_cannot_be_searched_is_told_in_a_sentence(
    given: list[str], told: str, ran: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    status = main(["search", *given])

    said = capsys.readouterr().err
    assert status == 4
    assert told in said
    assert said.count("\n") == 1
    assert not ran


def test_workers_look_at_the_wall_clock_without_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other one has taken its old file away, and not yet made its new one."""
    touch = Path.touch

    def interrupted(stamp: Path) -> None:
        touch(stamp)
        monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw1")
        monkeypatch.setattr(Path, "touch", lambda _: None)
        with pytest.raises(FileNotFoundError):
            search._wall(tmp_path)

    monkeypatch.setenv("PYTEST_XDIST_WORKER", "gw0")
    monkeypatch.setattr(Path, "touch", interrupted)
    assert search._wall(tmp_path) > 0
