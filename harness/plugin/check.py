"""``--director FILE``: scenarios that name no topology run on the cluster that these
configurations need.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness import failure
from harness.check import verdict
from harness.check.finding import Finding, in_order, silenced
from harness.errors import HarnessError
from harness.kernels.host.interrupts import INTERRUPTED
from harness.plugin import private_pytest
from harness.plugin.evidence import folder_of
from harness.plugin.marks import CONFIGURED

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from harness.check.configured import Configured

_VERDICTS = {
    "passed": verdict.WORKS,
    "failed": verdict.BREAKS,
    "error": verdict.BREAKS,
    "inconclusive": verdict.UNCLEAR,
    "skipped": verdict.DOES_NOT_APPLY,
}
_INTERRUPTED = pytest.StashKey[str]()
"""What the verdict says of a run that was interrupted."""
_JUDGEMENTS = (AssertionError, HarnessError, pytest.fail.Exception, pytest.exit.Exception)
"""What a scenario ends with that has found something; all else the harness itself has failed
with.
"""
_ABOUT, _EVIDENCE, _LEFT_OUT, _FINDINGS = "about", "evidence", "not emulated", "findings"
_FAILED = "harness failed"
_FOUND = pytest.StashKey[tuple[Finding, ...]]()
_NOTHING = pytest.StashKey[bool]()
READING = "test_configuration"
"""The module of the scenarios that only read the files, and judge nothing of what they say."""
_SILENT = pytest.StashKey[Mapping[str, str]]()
NOTHING_JUDGED = 5
"""The exit status where nothing of the files could be judged: as pytest's where there is no
test.
"""


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options, and the settings for a pytest.ini of the user's own."""
    group = parser.getgroup("lvs-harness")
    about = "a director's keepalived.conf, FILE or NAME=FILE; once for each director"
    group.addoption("--director", action="append", default=[], metavar="[NAME=]FILE", help=about)
    settings = (
        "correct an assumption that is made where the configurations do not say it:"
        " eth0=10.0.0.0/24"
    )
    group.addoption(
        "--set", dest="lvs_set", action="append", default=[], metavar="KEY=VALUE", help=settings
    )
    about = "do not count a finding of this name, for this reason"
    group.addoption(
        "--silence",
        dest="lvs_silence",
        action="append",
        default=[],
        metavar="NAME=REASON",
        help=about,
    )
    about = "write the verdict into this file, as JSON"
    group.addoption("--verdict-json", metavar="FILE", help=about)
    about = "write findings and what breaks into this file, as SARIF 2.1.0"
    group.addoption("--verdict-sarif", metavar="FILE", help=about)
    parser.addini(
        "lvs_directors",
        "directors' configurations, [NAME=]FILE each, beside this file",
        "linelist",
        [],
    )
    parser.addini("lvs_settings", "assumptions corrected, KEY=VALUE each", "linelist", [])


def pytest_configure(config: pytest.Config) -> None:
    """Read the files, so that one that is missing is told before anything starts."""
    try:
        read(config)
    except HarnessError as problem:
        raise pytest.UsageError(str(problem)) from None
    if CONFIGURED in config.stash:
        config.pluginmanager.register(_Findings(config.stash[CONFIGURED]))
        config.pluginmanager.register(_Interruption())
        config.pluginmanager.register(_Failures())


def read(config: pytest.Config) -> None:
    """Read the directors' files, if any are named and that has not been done.

    Whoever starts a kernel asks for it before pytest configures its plugins: what the files name
    decides what a guest may read, and whether somebody has to be asked. HarnessError says which
    file is wrong, and how.
    """
    given = config.getoption("director")
    beside = [_beside(config, line) for line in config.getini("lvs_directors")]
    if not (directors := given or beside) or CONFIGURED in config.stash:
        return
    from harness.check.configured import Configured
    from harness.check.files import settings_of

    settings = settings_of([*config.getini("lvs_settings"), *config.getoption("lvs_set")])
    config.stash[_SILENT] = _silent(config.getoption("lvs_silence"))
    config.stash[CONFIGURED] = Configured(*directors, settings=settings)


def _beside(config: pytest.Config, line: str) -> str:
    name, equals, path = line.rpartition("=")
    return f"{name}{equals}{config.rootpath / path.strip()}"


def _silent(pairs: Iterable[str]) -> Mapping[str, str]:
    """``NAME=REASON`` each, as a table. HarnessError for a name that is none, or without a
    reason.
    """
    table = {}
    for pair in pairs:
        name, _, reason = pair.partition("=")
        table[name.strip()] = reason
    return silenced(table, "--silence")


@pytest.hookimpl(trylast=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What is wrong, breaks and works, by the first line of each scenario's docstring."""
    stash = terminalreporter.config.stash
    if CONFIGURED not in stash:
        return
    outcomes = _outcomes(terminalreporter)
    interrupted = stash.get(_INTERRUPTED, None)
    findings = stash.get(_FOUND, ())
    if outcomes or findings or interrupted:
        terminalreporter.section("verdict")
        for line in verdict.report(outcomes, findings, stash.get(_SILENT, {})):
            terminalreporter.line(line)
    _write(terminalreporter.config, outcomes, findings)
    if terminalreporter.config.stash.get(_NOTHING, False):
        terminalreporter.line(
            "nothing of these files could be judged: all that was tried does not apply to them"
        )
    if interrupted:
        terminalreporter.line(interrupted)


def _write(
    config: pytest.Config, outcomes: Sequence[verdict.Outcome], findings: Sequence[Finding]
) -> None:
    """Write the verdict for machines, where that is wanted."""
    silent = config.stash.get(_SILENT, {})
    wanted = {name: config.getoption(name) for name in ("verdict_json", "verdict_sarif")}
    if not any(wanted.values()):
        return
    from importlib.metadata import version

    from harness.check import formats

    if file := wanted["verdict_json"]:
        text = formats.to_json(outcomes, findings, silent)
        Path(config.invocation_params.dir, file).write_text(text, encoding="utf-8")
    if file := wanted["verdict_sarif"]:
        text = formats.to_sarif(outcomes, findings, silent, version("lvs-harness"))
        Path(config.invocation_params.dir, file).write_text(text, encoding="utf-8")


def _outcomes(terminalreporter: pytest.TerminalReporter) -> list[verdict.Outcome]:
    outcomes = []
    for kind, judged in _VERDICTS.items():
        for report in private_pytest.reports(terminalreporter, kind):
            if _ABOUT in dict(report.user_properties):
                outcomes.append(_outcome(report, judged))
    left_out: dict[object, None] = {}
    for report in private_pytest.reports(terminalreporter):
        for name, what in report.user_properties:
            if name == _LEFT_OUT:
                left_out[what] = None
    return outcomes + [verdict.Outcome(verdict.NOT_EMULATED, str(what)) for what in left_out]


class _Findings:
    """Gathers what was found in the files, also by workers, and has it count in the exit status."""

    def __init__(self, configured: Configured) -> None:
        self._configured = configured
        self._told: dict[Finding, None] = {}
        self._judged = False

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take along what a report tells, be it of this process or of a worker."""
        for name, what in report.user_properties:
            if name == _FINDINGS:
                self._told.update(dict.fromkeys(Finding(**each) for each in json.loads(str(what))))
        if report.when == "call" and not report.skipped and _module(report) != READING:
            self._judged = True

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """A finding makes a status of 0 a status of 1; nothing judged makes it one of its own."""
        stash = session.config.stash
        found = in_order([*self._configured.findings, *self._told])
        stash[_FOUND] = found
        tried = any(
            item.nodeid.partition("::")[0].rpartition("/")[2] != f"{READING}.py"
            for item in session.items
        )
        if session.exitstatus != pytest.ExitCode.OK:
            return
        if verdict.is_wrong(found, stash.get(_SILENT, {})):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED
        elif tried and not self._judged:
            stash[_NOTHING] = True
            session.exitstatus = NOTHING_JUDGED


def _module(report: pytest.TestReport) -> str:
    """The name of the module that a scenario is in."""
    return report.nodeid.partition("::")[0].rpartition("/")[2].removesuffix(".py")


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
            issubclass(excinfo.type, KeyboardInterrupt)
            and excinfo.type is not pytest.Session.Interrupted
        )

    _interrupted = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Say so in the verdict, and by the exit status."""
        if self._interrupted:
            left = sum(item.nodeid not in self._ended for item in session.items)
            session.config.stash[_INTERRUPTED] = (
                f"interrupted: this is what was found until then; {left} of {len(session.items)}"
                f" situations were not"
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


def _outcome(report: pytest.TestReport, judged: str) -> verdict.Outcome:
    known = dict(report.user_properties)
    if _FAILED in known:
        return verdict.Outcome(verdict.HARNESS_FAILED, str(known[_ABOUT]), str(known[_FAILED]))
    told = judged == verdict.WORKS
    evidence = "" if judged == verdict.DOES_NOT_APPLY else str(known.get(_EVIDENCE, ""))
    why = "" if told else _why(report)
    return verdict.Outcome(
        judged, str(known[_ABOUT]), why, "" if told else evidence, _module(report)
    )


def _why(report: pytest.TestReport) -> str:
    """The message alone: of a skip its reason, of an assertion what it says, of a HarnessError
    its first line.
    """
    if isinstance(report.longrepr, tuple):
        return report.longrepr[2].removeprefix("Skipped: ")
    return private_pytest.message_of(report).partition("\n")[0].removeprefix("AssertionError: ")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Take the scenario's docstring along, also where its cluster does not come about."""
    if CONFIGURED in item.config.stash and isinstance(item, pytest.Function):
        about = _first_sentence(item.function.__doc__ or item.name)
        case = private_pytest.case_of(item)
        item.user_properties.append((_ABOUT, f"{about} ({case})" if case else about))


def _first_sentence(docstring: str) -> str:
    """What a docstring says first, which may be longer than a line of a file."""
    return " ".join(docstring.strip().partition("\n\n")[0].split())


def tell(item: pytest.Item, call: pytest.CallInfo[None], report: pytest.TestReport) -> None:
    """Say where the evidence is, what is not emulated, and what is the harness's own failure."""
    if (configured := item.config.stash.get(CONFIGURED, None)) is not None:
        if (
            report.failed
            and call.excinfo is not None
            and not isinstance(call.excinfo.value, _JUDGEMENTS)
        ):
            report.user_properties.append((_FAILED, failure.told(call.excinfo.value)))
        if (folder := folder_of(item)) is not None:
            report.user_properties.append(
                (_EVIDENCE, os.path.relpath(folder, item.config.invocation_params.dir))
            )
        report.user_properties += [(_LEFT_OUT, what) for what in configured.left_out]
        if report.when == "call" or report.outcome == "failed":
            found = [asdict(finding) for finding in configured.findings]
            report.user_properties.append((_FINDINGS, json.dumps(found)))
