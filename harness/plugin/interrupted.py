"""Ctrl-C ends a run in order: its clusters are taken down, and what was found until then is told. A
second Ctrl-C, as people press it, takes nothing of that.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.kernels.host import interrupts


class _Ending:
    """Notices that a run is interrupted. At a prompt, where Ctrl-C ends no run, it is as always."""

    def __init__(self) -> None:
        self.restore: Callable[[], None] = lambda: None

    @pytest.hookimpl(tryfirst=True)
    def pytest_keyboard_interrupt(self) -> None:
        """The run was interrupted; from here on it ends."""
        self.restore = interrupts.begin_end()


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Take part until the end: pytest may run within a process that goes on."""
    ending = _Ending()
    config.pluginmanager.register(ending)
    config.add_cleanup(lambda: ending.restore())
