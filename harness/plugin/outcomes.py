"""How a scenario ended: passed, failed, skipped, or inconclusive, which is no pass; and what a failure shows.

A starved machine is late, so what it measured may be wrong, whichever way it went. That concerns times alone: a wait
that ran out, and a time that was compared with its window (``cluster.within``, ``cluster.on_time``). Any other
assertion counts as it is.
"""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Generator
from functools import partial
from types import CodeType, TracebackType
from typing import TYPE_CHECKING

import pytest

from harness.errors import HarnessError, Starved
from harness.events import Advertisement
from harness.kernels import choice
from harness.plugin import reader
from harness.plugin.clusters import RUNNING
from harness.report import table
from harness.timeline import TooLate

if TYPE_CHECKING:
    from harness.cluster import Cluster

INCONCLUSIVE = "inconclusive"


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option."""
    parser.getgroup("lvs-harness").addoption(
        "--allow-inconclusive",
        action="store_true",
        help="let the exit status be 0 though scenarios were inconclusive: the machine was starved while they measured",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Begin to count."""
    config.pluginmanager.register(_Tally(config.getoption("allow_inconclusive")))


class _Tally:
    """Counts what was inconclusive, which gives an exit status of its own accord."""

    def __init__(self, allowed: bool) -> None:
        self._allowed = allowed
        self._count = 0

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A scenario has ended."""
        self._count += INCONCLUSIVE in dict(report.user_properties)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Inconclusive is no pass."""
        if self._count and not self._allowed and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show a failed scenario's last events; and of what is a user's to mend the message alone, without a traceback."""
    report = yield
    if call.excinfo is not None and isinstance(call.excinfo.value, HarnessError):
        report.longrepr = _told(item, call.excinfo)
        if isinstance(call.excinfo.value, Starved):
            _make_inconclusive(report, item, call.excinfo.value.stall)
    cluster = item.stash.get(RUNNING, None)
    if cluster is None or call.when != "call":
        return report
    if report.failed:
        report.sections.append(("timeline, last events", _last_events(item, cluster)))
    stall = cluster.recorder.stalled(cluster.timeline.mark)
    if report.passed and stall > choice.slack() and cluster.comparisons:
        _make_inconclusive(report, item, stall)
    if report.failed and stall and call.excinfo is not None:
        if _judged_by_time(cluster, call.excinfo):
            _make_inconclusive(report, item, stall)
        else:
            report.sections.append(("the machine was starved", _COUNTS_ALL_THE_SAME.format(stall=stall)))
    return report


_COUNTS_ALL_THE_SAME = "For up to {stall:.2f} s. What failed is not judged by time, so it counts all the same."
_WHAT_TO_DO = "run it again on a less busy machine, or in virtual time, which nothing can starve (make kernel)"


def _judged_by_time(cluster: Cluster, excinfo: pytest.ExceptionInfo[BaseException]) -> bool:
    """Whether a scenario failed by a wait that ran out, or by an assertion that compares a time with its window."""
    if isinstance(excinfo.value, TooLate):
        return True
    if not isinstance(excinfo.value, AssertionError):
        return False
    code, first, last = _failed_statement(excinfo.tb)
    return any(not made.met and made.was_made_by(code, first, last) for made in cluster.comparisons)


def _failed_statement(traceback: TracebackType) -> tuple[CodeType, int, int]:
    """The function in which something was raised, and the first and last line of the statement that did."""
    while traceback.tb_next is not None:
        traceback = traceback.tb_next
    code = traceback.tb_frame.f_code
    instruction = traceback.tb_lasti // _INSTRUCTION
    first, last, _, _ = next(itertools.islice(code.co_positions(), instruction, None))
    return code, first or traceback.tb_lineno, last or traceback.tb_lineno


_INSTRUCTION = 2
"""Bytes of each of CPython's instructions, and ``co_positions`` has an entry for each of them."""


def _make_inconclusive(report: pytest.TestReport, item: pytest.Item, stall: float) -> None:
    """A starved machine's measurement says little about the cluster, whichever way it went."""
    reason = (
        f"the machine was starved for up to {stall:.2f} s while times were measured, so they say little about the"
        f" cluster: {_WHAT_TO_DO}"
    )
    if report.failed:
        report.sections.insert(0, ("what failed", report.longreprtext))
    report.outcome = "skipped"  # neither a pass nor a failure for pytest; what it is counted as is told below
    report.longrepr = (str(item.path), item.location[1] or 0, f"inconclusive: {reason}")
    report.user_properties.append((INCONCLUSIVE, f"{stall:.3f}"))


def pytest_report_teststatus(report: pytest.CollectReport | pytest.TestReport) -> tuple[str, str, str] | None:
    """An outcome of its own."""
    if isinstance(report, pytest.TestReport) and INCONCLUSIVE in dict(report.user_properties):
        return INCONCLUSIVE, "I", "INCONCLUSIVE"
    return None


@pytest.hookimpl(tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What was inconclusive, and why."""
    reports = terminalreporter.stats.get(INCONCLUSIVE, [])
    if not reports:
        return
    terminalreporter.section("inconclusive")
    for report in reports:
        terminalreporter.line(f"{report.nodeid}: {report.longrepr[2]}")
        for title, text in report.sections:
            if title == "what failed":
                terminalreporter.line(text)


def _told(item: pytest.Item, excinfo: pytest.ExceptionInfo[BaseException]) -> str:
    """The message, and the statement of the scenario that came to it, if one did."""
    own = [entry for entry in excinfo.traceback if entry.path == item.path]
    if not own:
        return str(excinfo.value)
    statement = textwrap.indent(textwrap.dedent(str(own[-1].statement)), "    ")
    return f"{excinfo.value}\n\n>{statement[1:]}\n\n{item.location[0]}:{own[-1].lineno + 1}: {excinfo.typename}"


def _last_events(item: pytest.Item, cluster: Cluster) -> str:
    from harness.report.evidence import described

    try:
        cluster.timeline.events(Advertisement)  # so that they are among the others
        events = cluster.timeline.events(since=cluster.timeline.mark)
    except HarnessError as problem:
        return str(problem)
    nodes = described(cluster.plan)["nodes"]
    return table.render(events, nodes, width=reader.width(item.config), paint=partial(reader.paint, item.config))
