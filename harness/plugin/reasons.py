"""Labels of statements, as controls and declared bugs name them: whether they are there, and which
of them has failed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from harness.errors import HarnessError
from harness.kernels import choice
from harness.plugin import parallel
from harness.plugin.marks import controls_of
from harness.plugin.regressions import bug_of


def pytest_collection_finish(session: pytest.Session) -> None:
    """Refuse a label that no statement has, or more than one. Scenarios are checked where they are
    collected first, which is before any of them runs.
    """
    if choice.in_guest() or parallel.is_worker(session.config):
        return
    from harness.scenario.labels import named_by

    checked = set()
    try:
        for item in session.items:
            if not isinstance(item, pytest.Function):
                continue
            for who, caught in _named(item):
                if (item.function, caught) not in checked:
                    checked.add((item.function, caught))
                    named_by(item.function, caught, f"{item.nodeid}: {who}")
    except HarnessError as problem:
        raise pytest.UsageError(str(problem)) from None


def _named(item: pytest.Item) -> Iterator[tuple[str, tuple[str, ...]]]:
    """The controls and the bug of a scenario, in words, with the labels that each names."""
    for control in controls_of(item):
        yield f"control {control.name!r}", control.caught
    if (bug := bug_of(item)) is not None:
        yield f"regression {bug.reference!r}", bug.caught


def label_that_failed(
    item: pytest.Item, call: pytest.CallInfo[Any], caught: tuple[str, ...]
) -> str | None:
    """The one of the labels ``caught`` whose statement failed; None if another statement did."""
    from harness.scenario.labels import named_by

    if call.excinfo is None or call.when != "call" or not isinstance(item, pytest.Function):
        return None
    for statement in named_by(item.function, caught, item.nodeid):
        if statement.failed_in(call.excinfo.tb):
            return statement.label
    return None
