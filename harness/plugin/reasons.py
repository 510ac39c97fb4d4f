"""Why a scenario failed, in the words of the statement that failed and of its error."""

from __future__ import annotations

import pytest


def failed_because(item: pytest.Item, excinfo: pytest.ExceptionInfo[BaseException], reason: str) -> bool:
    """Whether it failed for a stated reason, see :func:`harness.controls.explains`."""
    from harness.controls import explains

    return explains(reason, _statement(item, excinfo), str(excinfo.value))


def _statement(item: pytest.Item, excinfo: pytest.ExceptionInfo[BaseException]) -> str:
    """The statement of the scenario's own file that failed."""
    own = [entry for entry in excinfo.traceback if str(entry.path) == str(item.path)]
    return str(own[-1].statement) if own else ""
