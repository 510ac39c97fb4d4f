"""What cannot be written of a run, such as on a full disk, is told at its end; a run with gaps
is no pass.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from harness.errors import HarnessError

_PROBLEM = pytest.StashKey[str]()


@contextmanager
def told(config: pytest.Config) -> Iterator[None]:
    """For hooks, where an exception would be an internal error of pytest's."""
    try:
        yield
    except HarnessError as problem:
        config.stash.setdefault(_PROBLEM, str(problem))  # whatever follows has the same cause


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """A run of which something could not be written does not pass."""
    if _PROBLEM in session.config.stash and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say what could not be written first."""
    if problem := config.stash.get(_PROBLEM, None):
        terminalreporter.line(f"lvs-harness: {problem}", red=True)
