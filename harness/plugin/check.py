"""``--director FILE``: scenarios that name no topology run on the cluster that these configurations need."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from harness import failure
from harness.check import verdict
from harness.check.findings import FINDING, Finding, from_text, once, to_text
from harness.errors import HarnessError
from harness.kernels.interrupts import INTERRUPTED
from harness.plugin.evidence import folder_of
from harness.plugin.marks import CONFIGURED

if TYPE_CHECKING:
    from collections.abc import Generator

_VERDICTS = {
    "passed": verdict.WORKS,
    "failed": verdict.BREAKS,
    "error": verdict.BREAKS,
    "inconclusive": verdict.UNCLEAR,
    "skipped": verdict.DOES_NOT_APPLY,
}
_INTERRUPTED = pytest.StashKey[str]()
"""What the verdict says of a run that was interrupted."""
_ABOUT, _EVIDENCE, _LEFT_OUT, _FAILED = "about", "evidence", "not emulated", "harness failed"
_FOUND = "finding"
_JUDGEMENTS = (AssertionError, HarnessError, pytest.fail.Exception, pytest.exit.Exception)
"""What a scenario ends with that has found something; all else the harness itself has failed with."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options, and the settings for a pytest.ini of the user's own."""
    group = parser.getgroup("lvs-harness")
    about = "a director's keepalived.conf, FILE or NAME=FILE; once for each director"
    group.addoption("--director", action="append", default=[], metavar="[NAME=]FILE", help=about)
    settings = "correct an assumption that is made where the configurations do not say it: eth0=10.0.0.0/24"
    group.addoption("--set", dest="lvs_set", action="append", default=[], metavar="KEY=VALUE", help=settings)
    parser.addini("lvs_directors", "directors' configurations, [NAME=]FILE each, beside this file", "linelist", [])
    parser.addini("lvs_settings", "assumptions corrected, KEY=VALUE each", "linelist", [])


def pytest_configure(config: pytest.Config) -> None:
    """Read the files, so that one that is missing is told before anything starts."""
    given = config.getoption("director")
    beside = [_beside(config, line) for line in config.getini("lvs_directors")]
    if not (directors := given or beside):
        return
    from harness.check.configured import Configured
    from harness.check.files import settings_of

    try:
        settings = settings_of([*config.getini("lvs_settings"), *config.getoption("lvs_set")])
        config.stash[CONFIGURED] = Configured(*directors, settings=settings)
        config.pluginmanager.register(_Interruption())
        config.pluginmanager.register(_Failures())
    except HarnessError as problem:
        raise pytest.UsageError(str(problem)) from None


def _beside(config: pytest.Config, line: str) -> str:
    name, equals, path = line.rpartition("=")
    return f"{name}{equals}{config.rootpath / path.strip()}"


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What works and what breaks, by the first line of each scenario's docstring."""
    if CONFIGURED not in terminalreporter.config.stash:
        return
    findings = [
        _finding(report, judged)
        for outcome, judged in _VERDICTS.items()
        for report in terminalreporter.stats.get(outcome, [])
        if _ABOUT in dict(report.user_properties)
    ]
    told = [
        report
        for reports in terminalreporter.stats.values()
        for report in reports
        if hasattr(report, "user_properties")
    ]
    left_out = dict.fromkeys(what for report in told for name, what in report.user_properties if name == _LEFT_OUT)
    findings += [verdict.Finding(verdict.NOT_EMULATED, str(what)) for what in left_out]
    interrupted = terminalreporter.config.stash.get(_INTERRUPTED, None)
    if findings or interrupted:
        terminalreporter.section("verdict")
    if findings:
        for line in (*verdict.told(_known(terminalreporter)), *verdict.report(findings)):
            terminalreporter.line(line)
    if interrupted:
        terminalreporter.line(interrupted)


def _known(terminalreporter: pytest.TerminalReporter) -> list[Finding]:
    """The findings and notes that came along with the reports."""
    properties = (
        (name, value)
        for reports in terminalreporter.stats.values()
        for report in reports
        for name, value in getattr(report, "user_properties", ())
    )
    return once(from_text(str(value)) for name, value in properties if name == _FOUND)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """A finding gives a run in which nothing breaks the status of one in which something does."""
    terminal = session.config.pluginmanager.get_plugin("terminalreporter")
    if CONFIGURED not in session.config.stash or terminal is None:
        return
    wrong = any(each.level == FINDING for each in _known(terminal))
    if wrong and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


class _Interruption:
    """Notes that somebody has ended the run, and how much of it was left."""

    def __init__(self) -> None:
        self._ended: set[str] = set()

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """A scenario is over."""
        self._ended.add(nodeid)

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Ctrl-C, or a signal that asks for the same; not what pytest itself ends the run with."""
        self._interrupted = (
            issubclass(excinfo.type, KeyboardInterrupt) and excinfo.type is not pytest.Session.Interrupted
        )

    _interrupted = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Say so in the verdict, and by the exit status."""
        if self._interrupted:
            left = sum(item.nodeid not in self._ended for item in session.items)
            session.config.stash[_INTERRUPTED] = (
                f"interrupted: this is what was found until then; {left} of {len(session.items)} situations were not"
                " tried to their end"
            )
            session.exitstatus = INTERRUPTED


class _Failures:
    """Counts what the harness itself has failed in: no verdict, and an exit status of its own."""

    _count = 0

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A phase of a scenario has ended."""
        self._count += _FAILED in dict(report.user_properties)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Whatever else was found, it is not all that there is to find."""
        if self._count and session.exitstatus in (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED):
            session.exitstatus = failure.STATUS


def _finding(report: pytest.TestReport, judged: str) -> verdict.Finding:
    known = dict(report.user_properties)
    if _FAILED in known:
        return verdict.Finding(verdict.HARNESS_FAILED, str(known[_ABOUT]), str(known[_FAILED]))
    told = judged == verdict.WORKS
    evidence = "" if judged == verdict.DOES_NOT_APPLY else str(known.get(_EVIDENCE, ""))
    return verdict.Finding(judged, str(known[_ABOUT]), "" if told else _why(report), "" if told else evidence)


def _why(report: pytest.TestReport) -> str:
    """The message alone: of a skip its reason, of an assertion what it says, of a HarnessError its first line."""
    if isinstance(report.longrepr, tuple):
        return report.longrepr[2].removeprefix("Skipped: ")
    crash = getattr(report.longrepr, "reprcrash", None)
    text = str(crash.message if crash is not None else report.longreprtext).strip()
    return text.partition("\n")[0].removeprefix("AssertionError: ")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Take the scenario's docstring along, also where its cluster does not come about."""
    if CONFIGURED in item.config.stash and isinstance(item, pytest.Function):
        about = (item.function.__doc__ or item.name).strip().partition("\n")[0]
        case = f" ({item.callspec.id})" if hasattr(item, "callspec") else ""
        item.user_properties.append((_ABOUT, about + case))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Say where the evidence is, what is not emulated, and what is the harness's own failure."""
    report = yield
    if (configured := item.config.stash.get(CONFIGURED, None)) is not None:
        if report.failed and call.excinfo is not None and not isinstance(call.excinfo.value, _JUDGEMENTS):
            report.user_properties.append((_FAILED, failure.told(call.excinfo.value)))
        if (folder := folder_of(item)) is not None:
            report.user_properties.append((_EVIDENCE, os.path.relpath(folder, item.config.invocation_params.dir)))
        report.user_properties += [(_LEFT_OUT, what) for what in configured.left_out]
        report.user_properties += [(_FOUND, to_text(found)) for found in configured.findings]
    return report
