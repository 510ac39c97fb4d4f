"""Plugins that come with what the harness needs, where nothing of theirs was used."""

from __future__ import annotations

import sys

import pytest

from harness.plugin import parallel

HYPOTHESIS = "hypothesispytest"
"""What pytest calls the plugin of Hypothesis, which ``lvs-harness search`` needs."""


@pytest.hookimpl(tryfirst=True)  # before the terminal has the summaries written
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Have nothing told of Hypothesis where no test uses it.

    Its plugin imports all of it to find that there is nothing to tell (``pytest_terminal_summary``
    of ``_hypothesis_pytestplugin``), which takes half a second, and longer in a guest. Where there
    are workers, they know what was used.
    """
    plugins = session.config.pluginmanager
    unused = "hypothesis" not in sys.modules and not parallel.workers_wanted(session.config)
    if unused and plugins.hasplugin(HYPOTHESIS):
        plugins.unregister(name=HYPOTHESIS)
