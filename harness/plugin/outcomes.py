"""How a scenario ended: passed, failed, skipped, or inconclusive, which is no pass; and what a failure shows."""

from __future__ import annotations

import textwrap
from collections.abc import Generator
from typing import TYPE_CHECKING

import pytest

from harness.errors import HarnessError, Starved
from harness.kernels import choice
from harness.plugin.clusters import RUNNING
from harness.report import table

if TYPE_CHECKING:
    from harness.cluster import Cluster

_NARROWEST = 120
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
    if stall > (0 if report.failed else choice.slack()) and not report.skipped:
        _make_inconclusive(report, item, stall)
    return report


def _make_inconclusive(report: pytest.TestReport, item: pytest.Item, stall: float) -> None:
    """A starved machine's measurement says little about the cluster, whichever way it went."""
    reason = f"the machine was starved for up to {stall:.2f} s meanwhile, so this says little about the cluster"
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
    try:
        cluster.timeline.events("advertisement")  # so that they are among the others
        events = cluster.timeline.events(since=cluster.timeline.mark)
    except HarnessError as problem:
        return str(problem)
    width = max(_NARROWEST, item.config.get_terminal_writer().fullwidth)
    return table.render(events, cluster.nodes, width=width)
