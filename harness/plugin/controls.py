"""``--controls``: every scenario runs under each of its controls instead, and must fail for the stated reason."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

import pytest

from harness.plugin.marks import controls_of
from harness.plugin.reasons import failed_because

if TYPE_CHECKING:
    from harness.controls import Control

_TEXT = "control_verdict"
CAUGHT, MISSED, UNNAMED = "caught", "missed", "names no control"


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option."""
    parser.getgroup("lvs-harness").addoption(
        "--controls",
        action="store_true",
        help="plant each scenario's controls, one at a time: misconfigurations under which it must fail",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    config.addinivalue_line(
        "markers",
        "control(name, caught=REGEX, topology={}, config={}, fault=, node=, sabotage=): what is planted by --controls,"
        " and the reason for which the scenario must then fail",
    )


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Under ``--controls`` a scenario is one test for each of its controls."""
    if metafunc.config.getoption("controls") and "_control" in metafunc.fixturenames:
        controls = controls_of(metafunc.definition)
        if controls:
            ids = [control.name for control in controls]
            metafunc.parametrize("_control", controls, indirect=True, ids=ids)


@pytest.fixture
def _control(request: pytest.FixtureRequest) -> Control | None:
    """The control under which this test runs, if any."""
    control: Control | None = getattr(request, "param", None)
    if control is None and request.config.getoption("controls"):
        if request.node.get_closest_marker("regression") is not None:
            pytest.skip("its control is a version that has the bug: --matrix keepalived=...")
        pytest.fail(f"it {UNNAMED}: give it one, @pytest.mark.control(...)", pytrace=False)
    return control


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Under a control failing is passing, if it is for the stated reason."""
    report = yield
    if not item.config.getoption("controls") or "_control" not in getattr(item, "fixturenames", ()):
        return report
    control: Control | None = item.callspec.params.get("_control") if hasattr(item, "callspec") else None
    if control is None:
        verdict = "skipped" if report.skipped else UNNAMED
        _judge(report, item.name, "-", verdict) if report.when == "setup" else None
        return report
    scenario = item.name.replace(control.name, "").replace("--", "-").replace("[-", "[").replace("-]", "]")
    scenario = scenario.replace("[]", "")
    if call.excinfo is not None and report.failed:
        if failed_because(item, call.excinfo, control.caught):
            _pass(item, report)
            _judge(report, scenario, control.name, CAUGHT)
        else:
            _judge(report, scenario, control.name, f"failed, but not for {control.caught!r}")
    elif report.when == "call":
        if report.skipped:
            _judge(report, scenario, control.name, "skipped")
        else:
            report.outcome = "failed"
            report.longrepr = f"{scenario} passes in spite of: {control.name}. A check that cannot fail is no check."
            _judge(report, scenario, control.name, MISSED)
    return report


def _pass(item: pytest.Item, report: pytest.TestReport) -> None:
    """Make a failure a pass; before the scenario proper it is a skip to pytest, which must not go on to that."""
    report.sections = []
    if report.when == "setup":
        report.outcome, report.longrepr = "skipped", (str(item.path), item.location[1] or 0, CAUGHT)
    else:
        report.outcome, report.longrepr = "passed", None


def pytest_report_teststatus(report: pytest.CollectReport | pytest.TestReport) -> tuple[str, str, str] | None:
    """What is a skip to pytest alone is shown and counted as the pass that it is."""
    verdict: Any = dict(report.user_properties).get(_TEXT) if isinstance(report, pytest.TestReport) else None
    if report.skipped and verdict is not None and verdict[2] == CAUGHT:
        return "passed", ".", "PASSED"
    return None


def _judge(report: pytest.TestReport, scenario: str, control: str, verdict: str) -> None:
    report.user_properties.append((_TEXT, (scenario, control, verdict)))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The table: scenario, control, verdict."""
    if not terminalreporter.config.getoption("controls"):
        return
    reports = [report for several in terminalreporter.stats.values() for report in several]
    ended = sorted((report for report in reports if isinstance(report, pytest.TestReport)), key=lambda one: one.start)
    rows: list[Any] = [value for report in ended for name, value in report.user_properties if name == _TEXT]
    if not rows:
        return
    width = max(len(row[0]) for row in rows), max(len(row[1]) for row in rows)
    terminalreporter.section("controls")
    for scenario, control, verdict in rows:
        terminalreporter.line(f"{scenario:<{width[0]}}  {control:<{width[1]}}  {verdict}")
    missed = sum(verdict not in (CAUGHT, "skipped") for _, _, verdict in rows)
    terminalreporter.line(f"{len(rows)} controls of {len({row[0] for row in rows})} scenarios: {missed} missed")
