"""Why a scenario failed, in the words of the statement that failed and of its error."""

from __future__ import annotations

import pytest

from harness.plugin import private_pytest


def failed_because(
    item: pytest.Item, excinfo: pytest.ExceptionInfo[BaseException], reason: str
) -> bool:
    """Whether it failed for a stated reason, see :func:`harness.scenario.control.explains`."""
    from harness.scenario.control import explains

    return explains(reason, _statement(item, excinfo), str(excinfo.value))


def _statement(item: pytest.Item, excinfo: pytest.ExceptionInfo[BaseException]) -> str:
    """The statement of the scenario's own file that failed."""
    entry = private_pytest.failed_in(item, excinfo)
    return "" if entry is None else str(entry.statement)
