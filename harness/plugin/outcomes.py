"""How a scenario ended, as :mod:`harness.plugin.judge` has it, told to pytest; and what a failure
shows.

This is the only place where a report is changed, so that the order of plugins does not matter.
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
from harness.plugin import causes, check, controls, private_pytest, reader, regressions
from harness.plugin import report as run_report
from harness.plugin.clusters import RUNNING
from harness.plugin.judge import (
    OWN,
    WHAT_FAILED,
    Facts,
    Outcome,
    Planted,
    Verdict,
    judge,
    outcome_of,
)
from harness.plugin.reasons import label_that_failed
from harness.report import table
from harness.timeline import TooLate

if TYPE_CHECKING:
    from harness.cluster import Cluster

_STATUS = {
    Outcome.INCONCLUSIVE: ("inconclusive", "I", "INCONCLUSIVE"),
    Outcome.BUG_SHOWN: ("bug shown", "B", "BUG SHOWN"),
    Outcome.CAUGHT: ("passed", ".", "PASSED"),
}
"""What pytest counts them as, their letter, and their word."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option."""
    parser.getgroup("lvs-harness").addoption(
        "--allow-inconclusive",
        action="store_true",
        help=(
            "let the exit status be 0 though scenarios were inconclusive: the machine was"
            " starved while they measured"
        ),
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
        self._count += outcome_of(report) is Outcome.INCONCLUSIVE

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Inconclusive is no pass."""
        if self._count and not self._allowed and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Judge what a phase came to, and have everybody say of it what they know, in this order."""
    report = yield
    if call.excinfo is not None and isinstance(call.excinfo.value, HarnessError):
        report.longrepr = _told(item, call.excinfo)
    check.tell(item, call, report)
    facts = _facts(item, call, report)
    verdict = judge(facts)
    _apply(verdict, item, report)
    cluster = item.stash.get(RUNNING, None)
    if report.failed and cluster is not None and call.when == "call":
        report.sections.append(("timeline, last events", _last_events(item, cluster)))
    causes.tell(item, report)
    controls.note(item, report, verdict.outcome, facts.failed_at)
    run_report.note_judged(item, report)
    return report


def _facts(item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> Facts:
    error = None if call.excinfo is None else call.excinfo.value
    control = controls.control_of(item)
    bug = regressions.expected(item) if control is None and call.when == "call" else None
    stated = control or bug
    cluster = item.stash.get(RUNNING, None) if call.when == "call" else None
    stall = cluster.recorder.stalled(cluster.timeline.mark) if cluster is not None else 0.0
    return Facts(
        phase=call.when,
        ended=report.outcome,
        stall=error.stall if isinstance(error, Starved) else stall,
        slack=choice.slack() if cluster is not None else 0.0,
        compared=cluster is not None and bool(cluster.comparisons),
        late=cluster is not None
        and call.excinfo is not None
        and _judged_by_time(cluster, call.excinfo),
        kept_from_running=isinstance(error, Starved),
        control=None if control is None else Planted(control.name, control.caught),
        bug=bug,
        version=None if bug is None else regressions.version_of(item),
        speaker=item.config.getoption("speaker"),
        failed_at=None if stated is None else label_that_failed(item, call, stated.caught),
    )


def _apply(verdict: Verdict, item: pytest.Item, report: pytest.TestReport) -> None:
    """Have pytest know of a verdict.

    What is neither a pass nor a failure is a skip to pytest; what it is counted as,
    :func:`pytest_report_teststatus` says.
    """
    outcome = verdict.outcome
    if verdict.note:
        report.sections.insert(0, ("verdict", verdict.note))
    if outcome in (Outcome.INCONCLUSIVE, Outcome.BUG_SHOWN):
        if report.failed:
            report.sections.insert(0, (WHAT_FAILED, report.longreprtext))
        _skip(item, report, verdict.why)
    elif outcome is Outcome.CAUGHT:
        report.sections = []
        report.outcome, report.longrepr = "passed", None
    elif verdict.why:
        report.outcome, report.longrepr = "failed", verdict.why
    if outcome in OWN:
        report.user_properties.append((outcome.value, verdict.why))


def _skip(item: pytest.Item, report: pytest.TestReport, why: str) -> None:
    report.outcome, report.longrepr = "skipped", (str(item.path), item.location[1] or 0, why)


def _judged_by_time(cluster: Cluster, excinfo: pytest.ExceptionInfo[BaseException]) -> bool:
    """Whether a scenario failed by a wait that ran out, or by an assertion that compares a time
    with its window.
    """
    if isinstance(excinfo.value, TooLate):
        return True
    if not isinstance(excinfo.value, AssertionError):
        return False
    code, first, last = _failed_statement(excinfo.tb)
    return any(not made.met and made.was_made_by(code, first, last) for made in cluster.comparisons)


def _failed_statement(traceback: TracebackType) -> tuple[CodeType, int, int]:
    """The function in which something was raised, and the first and last line of the statement
    that did.
    """
    while traceback.tb_next is not None:
        traceback = traceback.tb_next
    code = traceback.tb_frame.f_code
    instruction = traceback.tb_lasti // _INSTRUCTION
    first, last, _, _ = next(itertools.islice(code.co_positions(), instruction, None))
    return code, first or traceback.tb_lineno, last or traceback.tb_lineno


_INSTRUCTION = 2
"""Bytes of each of CPython's instructions, and ``co_positions`` has an entry for each of them."""


def pytest_report_teststatus(
    report: pytest.CollectReport | pytest.TestReport,
) -> tuple[str, str, str] | None:
    """Outcomes of their own, and what is a skip to pytest alone."""
    return _STATUS.get(outcome_of(report)) if isinstance(report, pytest.TestReport) else None


@pytest.hookimpl(tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What was inconclusive, and why."""
    reports = private_pytest.reports(terminalreporter, Outcome.INCONCLUSIVE.value)
    if not reports:
        return
    terminalreporter.section("inconclusive")
    for report in reports:
        why = dict(report.user_properties)[Outcome.INCONCLUSIVE.value]
        terminalreporter.line(f"{report.nodeid}: {why}")
        for title, text in report.sections:
            if title == WHAT_FAILED:
                terminalreporter.line(text)


def _told(item: pytest.Item, excinfo: pytest.ExceptionInfo[BaseException]) -> str:
    """The message, and the statement of the scenario that came to it, if one did."""
    if (entry := private_pytest.failed_in(item, excinfo)) is None:
        return str(excinfo.value)
    statement = textwrap.indent(textwrap.dedent(str(entry.statement)), "    ")
    where = f"{item.location[0]}:{entry.lineno + 1}: {excinfo.typename}"
    return f"{excinfo.value}\n\n>{statement[1:]}\n\n{where}"


def _last_events(item: pytest.Item, cluster: Cluster) -> str:
    from harness.report.evidence import described

    try:
        cluster.timeline.events(Advertisement)  # so that they are among the others
        events = cluster.timeline.events(since=cluster.timeline.mark)
    except HarnessError as problem:
        return str(problem)
    nodes = described(cluster.plan)["nodes"]
    return table.render(
        events, nodes, width=reader.width(item.config), paint=partial(reader.paint, item.config)
    )
