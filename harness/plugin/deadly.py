"""Topologies that end the process which builds them, or never end: their scenarios fail, and nobody
builds them again.

Known before the run (:mod:`harness.plugin.collecting`), and handed on with it to whoever runs
scenarios, on any kernel.
"""

from __future__ import annotations

from collections.abc import Generator

import pytest

from harness.errors import HarnessError
from harness.plugin.survey import run_of


@pytest.hookimpl(wrapper=True)
def pytest_runtest_setup(item: pytest.Item) -> Generator[None]:
    """Fail the scenario before anything asks for its topology."""
    run = run_of(item.config)
    if run is not None and item.nodeid in run.fatal:
        raise HarnessError(run.fatal[item.nodeid])
    return (yield)
