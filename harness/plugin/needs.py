"""What a scenario needs that not every machine has: it is skipped by name and version, never passed in silence."""

from __future__ import annotations

import shutil

import pytest

from harness.daemons import daemon, keepalived
from harness.errors import HarnessError


def pytest_configure(config: pytest.Config) -> None:
    """Declare the markers."""
    config.addinivalue_line(
        "markers",
        "needs(feature, keepalived=VERSION, program=NAME): the scenario is skipped where keepalived is older, or the"
        " program is not installed",
    )
    config.addinivalue_line(
        "markers", "known_defect(reference, what): the scenario asserts exactly how keepalived or the kernel misbehaves"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what this machine cannot do."""
    for marker in item.iter_markers("needs"):
        if (lacking := lacks(item.nodeid, *marker.args, **marker.kwargs)) is not None:
            pytest.skip(lacking)


def lacks(scenario: str, *features: str, **wanted: str) -> str | None:
    """What is missing for a feature, in words; None if nothing. HarnessError if the mark is wrong."""
    if len(features) != 1 or not wanted or wanted.keys() - {"keepalived", "program"}:
        raise HarnessError(
            f'{scenario}: say pytest.mark.needs("a feature", keepalived="2.2.8") or program="a program\'s name"'
        )
    (feature,) = features
    since = wanted.get("keepalived")
    if since is not None and keepalived.parse_version(since) > (installed := keepalived.installed_version()):
        return f"keepalived {'.'.join(map(str, installed))} lacks {feature} (since {since})"
    program = wanted.get("program")
    if program is not None and shutil.which(program, path=daemon.SEARCH) is None:
        return f"{feature}: the program {program} is not installed"
    return None
