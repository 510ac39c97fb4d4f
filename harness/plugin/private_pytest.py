"""Everything that the harness uses of pytest and that pytest does not document: here and nowhere
else.

So where a new pytest has changed one of these, ``tests/test_private_names.py`` names it.
What is private in pytest-xdist is in :mod:`harness.plugin.private_xdist`.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any

import pytest
from _pytest._code.code import TracebackEntry
from _pytest._io import TerminalWriter
from _pytest.junitxml import xml_key
from _pytest.main import Session
from _pytest.outcomes import Exit

__all__ = ["Exit", "TerminalWriter"]


# -- collecting -----------------------------------------------------------------------------------


def session_that_collects(config: pytest.Config) -> pytest.Session:
    """A session that has begun, in a process that ends when it has collected, and shows nothing."""
    config._do_configure()
    if (reporter := config.pluginmanager.get_plugin("terminalreporter")) is not None:
        reporter._tw._file = open(os.devnull, "w")  # noqa: SIM115 - this process ends in a moment
    session = Session.from_config(config)
    config.hook.pytest_sessionstart(session=session)
    return session


def deselected(config: pytest.Config) -> int:
    """How many items have not been selected."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    return 0 if reporter is None else len(reporter.stats.get("deselected", ()))


def parameters_of(item: pytest.Item) -> dict[str, Any]:
    """What a test has been parametrized with, by argument."""
    callspec = getattr(item, "callspec", None)
    return {} if callspec is None else dict(callspec.params)


def case_of(item: pytest.Item) -> str:
    """The text in brackets behind a test's name; empty if there is none."""
    callspec = getattr(item, "callspec", None)
    return "" if callspec is None else str(callspec.id)


# -- the terminal ---------------------------------------------------------------------------------


def give_standard_input(config: pytest.Config) -> None:
    """Stop pytest from replacing standard input by /dev/null, for the rest of this process."""
    capture = config.pluginmanager.get_plugin("capturemanager")
    if capture is not None:
        capture.suspend_global_capture(in_=True)


@contextmanager
def at_the_terminal(config: pytest.Config) -> Iterator[None]:
    """Between tests or within one: what is printed is seen at once, and what is typed is read."""
    capture = config.pluginmanager.get_plugin("capturemanager")
    if capture is None:
        yield
        return
    capture.suspend(in_=True)
    try:
        yield
    finally:
        capture.resume()


def uncaptured(config: pytest.Config) -> Any:
    """A context in which what is printed is seen at once."""
    capture = config.pluginmanager.get_plugin("capturemanager")
    return nullcontext() if capture is None else capture.global_and_fixture_disabled()


def show(config: pytest.Config, text: str) -> None:
    """Print a text at once, on lines of its own, in the middle of a run; not in a worker."""
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    if terminal is not None:
        with uncaptured(config):
            terminal.ensure_newline()
            terminal.write(text)


def is_a_terminal(writer: TerminalWriter) -> bool:
    """Whether the output goes to a terminal."""
    return writer._file.isatty()


def reports(
    terminalreporter: pytest.TerminalReporter, category: str | None = None
) -> list[pytest.TestReport]:
    """The reports of phases that were counted as ``category``; None: all of them."""
    stats = terminalreporter.stats
    wanted = stats.values() if category is None else [stats.get(category, [])]
    every = itertools.chain.from_iterable(wanted)
    return [report for report in every if isinstance(report, pytest.TestReport)]


# -- failures -------------------------------------------------------------------------------------


def failed_in(
    item: pytest.Item, excinfo: pytest.ExceptionInfo[BaseException]
) -> TracebackEntry | None:
    """The innermost entry of a traceback that is in the test's own file, if one is."""
    own = [entry for entry in excinfo.traceback if str(entry.path) == str(item.path)]
    return own[-1] if own else None


def message_of(report: pytest.TestReport) -> str:
    """What a failure says, without the lines of code that led to it."""
    crash = getattr(report.longrepr, "reprcrash", None)
    return str(crash.message if crash is not None else report.longreprtext).strip()


def put_first(report: pytest.TestReport, lines: Sequence[str]) -> None:
    """Put lines before a failure's message: in the terminal, and where only the message is told."""
    text = "\n".join(lines)
    longrepr = report.longrepr
    if isinstance(longrepr, str):
        report.longrepr = f"{text}\n\n{longrepr}"
        return
    crash = getattr(longrepr, "reprcrash", None)
    entries = getattr(getattr(longrepr, "reprtraceback", None), "reprentries", [])
    if crash is not None:
        crash.message = f"{text}\n{crash.message}"
    if entries and hasattr(entries[0], "lines"):
        entries[0].lines[:0] = [*(f"E   {line}" for line in lines), ""]


# -- the run --------------------------------------------------------------------------------------


def adder_of_properties(config: pytest.Config) -> Callable[[str, object], None] | None:
    """What adds a property to the whole suite in JUnit's XML; None where there is no such file."""
    xml = config.stash.get(xml_key, None)
    return None if xml is None else xml.add_global_property


def exit_status(config: pytest.Config) -> int | None:
    """What the session of this process has ended with, or will; None if there was none."""
    session = config.pluginmanager.get_plugin("session")
    return None if session is None else int(session.exitstatus)
