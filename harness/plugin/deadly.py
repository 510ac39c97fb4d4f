"""Topologies that end the process which builds them, or never end: their scenarios fail, and nobody
builds them again.

Known before the run (:mod:`harness.plugin.collecting`), and handed on to whoever runs scenarios, on
any kernel.
"""

from __future__ import annotations

import json
import os
from collections.abc import Generator, Mapping

import pytest

from harness.errors import HarnessError

_VARIABLE = "LVS_HARNESS_DEADLY"


def hand_on(problems: Mapping[str, str]) -> None:
    """To this process and all that it starts: what is wrong, by scenario. Each problem is
    written once.
    """
    grouped: dict[str, list[str]] = {}
    for scenario, problem in problems.items():
        grouped.setdefault(problem, []).append(scenario)
    os.environ.pop(_VARIABLE, None)
    if grouped:
        os.environ[_VARIABLE] = json.dumps(grouped)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None]:
    """Fail the scenario before anything asks for its topology."""
    if known := os.environ.get(_VARIABLE):
        for problem, scenarios in json.loads(known).items():
            if item.nodeid in scenarios:
                raise HarnessError(problem)
    return (yield)
