"""``--in-real-time core``: where time is real and nothing has been selected, a core of the
scenarios is enough.

In virtual time all scenarios take a minute, in real time half an hour. Which ones are the core is
for the scenarios to say, by the marker of that name.
"""

from __future__ import annotations

import pytest

from harness.counting import counted
from harness.kernels import choice
from harness.plugin.survey import survey_of

CORE = "core"

SECONDS = 6
"""How long a scenario lasts in real time on average: 328 took 32 min 14 s (docs/first-hour.md)."""

WORTH_TELLING = 60
"""Shorter runs, in seconds, need no announcement."""


NARROWED = pytest.StashKey[bool]()
"""Whether this run has been narrowed to the core."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option."""
    parser.getgroup("lvs-harness").addoption(
        "--in-real-time",
        choices=("all", CORE),
        default="all",
        help="where time is real and nothing is selected by -m, -k, a file, --kernel or --clock:"
        " run all scenarios, or"
        " those with the marker core, which take less than three minutes (default: %(default)s)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    config.addinivalue_line(
        "markers", f"{CORE}: what is run where there is no virtual time and nothing is selected"
    )


def narrow(config: pytest.Config) -> None:
    """Select the core, if this run is to be narrowed. HarnessError if there is no kernel for it
    at all.
    """
    option = config.option
    narrowed = (
        option.in_real_time == CORE
        and not _selected(config)
        and not choice.choose(option.kernel, option.clock, option.seed).virtual
    )
    config.stash[NARROWED] = narrowed
    if narrowed:
        option.markexpr = CORE


def _selected(config: pytest.Config) -> bool:
    """Whether the user has said what to run, or in which time."""
    option = config.option
    asked_for = (
        option.markexpr or option.keyword or option.kernel != "auto" or option.clock != "auto"
    )
    return bool(asked_for) or any("::" in path or path.endswith(".py") for path in config.args)


def arguments(config: pytest.Config) -> list[str]:
    """What a pytest that is started in a guest needs to select the same."""
    return ["-m", CORE] if config.stash.get(NARROWED, False) else []


def announcement(config: pytest.Config, virtual: bool, workers: int) -> str:
    """What the header adds where time is real: how long the run takes, and which run would have
    been the whole one.
    """
    if virtual:
        return ""
    scenarios, deselected = survey_of(config).users, survey_of(config).deselected
    whole = _minutes(scenarios + deselected, workers)
    if config.stash.get(NARROWED, False):
        return (
            f"; without virtual time only the core: {scenarios} of {scenarios + deselected}"
            f" scenarios, about"
            f" {_minutes(scenarios, workers)} (all of them, about {whole}: --in-real-time all)"
        )
    if scenarios * SECONDS / workers < WORTH_TELLING:
        return ""
    return f"; {counted(scenarios, 'scenario')}, about {_minutes(scenarios, workers)}"


def _minutes(scenarios: int, workers: int) -> str:
    return f"{max(1, round(scenarios * SECONDS / workers / 60))} min"
