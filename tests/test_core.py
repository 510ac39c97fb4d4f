"""What is run where time is real, how long that takes, and how many workers a run gets that
leaves it open.
"""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from harness.kernels import choice
from harness.kernels.host import memory
from harness.plugin import catalogue, core, parallel
from harness.plugin.survey import SURVEY, Survey

DEFAULT = ("--in-real-time", "core")


@pytest.fixture
def virtual(monkeypatch: pytest.MonkeyPatch) -> dict[str, bool]:
    """Whether the kernel that is chosen has virtual time; at first it has not."""
    chosen = {"virtual": False}
    monkeypatch.setattr(
        choice, "choose", lambda *_: choice.Choice(None, chosen["virtual"], "for a test")
    )
    return chosen


def narrowed(pytester: pytest.Pytester, *arguments: str) -> bool:
    config = pytester.parseconfig(*arguments)
    core.narrow(config)
    assert (config.option.markexpr == "core") == config.stash[core.NARROWED]
    assert (core.arguments(config) == ["-m", "core"]) == config.stash[core.NARROWED]
    return config.stash[core.NARROWED]


@pytest.mark.usefixtures("virtual")
def test_without_virtual_time_a_default_run_is_the_core(pytester: pytest.Pytester) -> None:
    assert narrowed(pytester, *DEFAULT)


def test_in_virtual_time_all_is_run(pytester: pytest.Pytester, virtual: dict[str, bool]) -> None:
    virtual["virtual"] = True
    assert not narrowed(pytester, *DEFAULT)


@pytest.mark.usefixtures("virtual")
@pytest.mark.parametrize(
    "asked",
    [
        ("--in-real-time", "all"),
        ("--kernel", "/usr/bin/linux.uml"),
        ("--clock", "real"),
        ("-k", "failover"),
        ("-m", "failover"),
        ("test_x.py",),
        ("test_x.py::test_it",),
    ],
)
def test_whoever_selects_gets_what_is_selected(
    pytester: pytest.Pytester, asked: tuple[str, ...]
) -> None:
    pytester.makepyfile(test_x="def test_it(): pass")
    config = pytester.parseconfig(*DEFAULT, *asked)
    core.narrow(config)
    assert not config.stash[core.NARROWED]
    assert core.arguments(config) == []


@pytest.mark.usefixtures("virtual")
def test_header_says_how_long_real_time_takes(pytester: pytest.Pytester) -> None:
    config = pytester.parseconfig("--kernel", "/usr/bin/linux.uml")
    core.narrow(config)
    config.stash[SURVEY] = Survey(users=328)
    assert core.announcement(config, False, 1) == "; 328 scenarios, about 33 min"
    assert core.announcement(config, False, 2) == "; 328 scenarios, about 16 min"
    assert core.announcement(config, True, 1) == ""
    config.stash[SURVEY] = Survey(users=5)
    assert core.announcement(config, False, 1) == ""


@pytest.mark.usefixtures("virtual")
def test_header_of_the_core_says_what_all_would_take(pytester: pytest.Pytester) -> None:
    config = pytester.parseconfig(*DEFAULT)
    core.narrow(config)
    config.stash[SURVEY] = Survey(users=30, deselected=298)
    said = core.announcement(config, False, 1)
    assert (
        "30 of 328 scenarios, about 3 min (all of them, about 33 min: --in-real-time all)" in said
    )


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """A machine's processors and how many workers fit into its memory."""
    has = {"processors": 4, "fit": 100}
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(has["processors"])))
    monkeypatch.setattr(memory, "left", lambda: has["fit"] * memory.taken(0))
    return has


def many(scenarios: int, clusters: int) -> dict[str, str]:
    return {f"test_x.py::test_{number}": str(number % clusters) for number in range(scenarios)}


def paid(
    pytester: pytest.Pytester, clusters: dict[str, str], *options: str, virtual: bool = True
) -> int | None:
    config: Any = pytester.parseconfig("-p", "no:cacheprovider", "-n", "auto", *options)
    return parallel.workers_that_pay(config, clusters, virtual)


def test_workers_are_as_many_as_processors_and_never_more_than_memory_allows(
    pytester: pytest.Pytester, machine: dict[str, int]
) -> None:
    assert paid(pytester, many(300, 50)) == 4
    machine["fit"] = 3
    assert paid(pytester, many(300, 50)) == 3
    machine["fit"] = 1
    assert paid(pytester, many(300, 50)) is None


@pytest.mark.usefixtures("machine")
def test_few_scenarios_are_run_without_workers(pytester: pytest.Pytester) -> None:
    assert paid(pytester, many(2, 2)) is None
    assert paid(pytester, many(6, 6)) == 2
    assert paid(pytester, many(6, 6), virtual=False) == 4


def test_tests_without_a_cluster_have_the_workers_that_are_asked_for(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile("def test_it(): pass")
    result = pytester.runpytest_subprocess("-n", "auto", "-v")
    result.stdout.fnmatch_lines(["created: */* worker*", "*1 passed*"])


@pytest.mark.usefixtures("machine")
def test_a_debugger_has_no_workers(pytester: pytest.Pytester) -> None:
    assert paid(pytester, many(300, 50), "--pdb") is None


@pytest.mark.parametrize("option", ["--pause", "--shell-on-failure"])
def test_a_prompt_goes_before_automatic_workers(pytester: pytest.Pytester, option: str) -> None:
    pytester.makepyfile("def test_it(): pass")
    assert pytester.runpytest("-n", "auto", option).ret == pytest.ExitCode.OK


def test_core_names_scenarios_that_there_are_and_has_every_marker(
    pytestconfig: pytest.Config,
) -> None:
    scenarios = pytestconfig.rootpath / "scenarios"
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--collect-only",
        "-q",
        "-p",
        "no:cacheprovider",
        "-m",
        "core",
    ]
    listed = subprocess.run(
        [*command, scenarios], cwd=pytestconfig.rootpath, capture_output=True, text=True
    ).stdout
    lines = (scenarios / "core.txt").read_text().splitlines()
    named = [line for line in lines if line and not line.startswith("#")]
    assert sorted(named) == sorted(
        line.removeprefix("scenarios/") for line in listed.splitlines() if "::" in line
    )
    described = catalogue.scenarios([str(scenarios)], "core")
    behaviours = {mark for one in catalogue.scenarios([str(scenarios)]) for mark in one.marks}
    assert {mark for one in described for mark in one.marks} == behaviours
