"""``--controls``: every scenario runs under each of its controls instead, and must fail at the
statement that the control names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from harness.counting import counted
from harness.plugin import private_pytest
from harness.plugin.judge import Outcome, either
from harness.plugin.marks import controls_of

if TYPE_CHECKING:
    from harness.scenario.control import Control

_TEXT = "control_verdict"
UNNAMED, SKIPPED = "names no control", "skipped"


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option."""
    parser.getgroup("lvs-harness").addoption(
        "--controls",
        action="store_true",
        help=(
            "plant each scenario's controls, one at a time: misconfigurations under which it"
            " must fail"
        ),
    )


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    config.addinivalue_line(
        "markers",
        "control(name, caught=LABEL, topology={}, config={}, fault=, node=, sabotage=): what is"
        " planted by --controls, and the label of the statement that must then fail"
        " (# label: ... at its end), or a tuple of labels where one of several may",
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


def control_of(item: pytest.Item) -> Control | None:
    """The control under which a test runs, if it runs under one."""
    if not item.config.getoption("controls"):
        return None
    control: Control | None = private_pytest.parameters_of(item).get("_control")
    return control


def note(
    item: pytest.Item, report: pytest.TestReport, outcome: Outcome, failed_at: str | None
) -> None:
    """Note for the table what came of a control, or that a scenario names none; ``failed_at`` is
    the label of the statement that caught it.
    """
    if not item.config.getoption("controls") or "_control" not in getattr(item, "fixturenames", ()):
        return
    if (control := control_of(item)) is None:
        if report.when == "setup":
            _note(report, item.name, "-", SKIPPED if outcome is Outcome.SKIPPED else UNNAMED)
    elif outcome in (Outcome.CAUGHT, Outcome.MISSED):
        _note(report, _without(control, item.name), control.name, outcome, failed_at)
    elif report.failed:
        told = f"failed, but not at {either(control.caught)}"
        _note(report, _without(control, item.name), control.name, told)
    elif report.when == "call" and outcome in (Outcome.SKIPPED, Outcome.INCONCLUSIVE):
        _note(report, _without(control, item.name), control.name, SKIPPED)


def _without(control: Control, name: str) -> str:
    """The name of a test without its control's."""
    scenario = name.replace(control.name, "").replace("--", "-")
    return scenario.replace("[-", "[").replace("-]", "]").replace("[]", "")


def _note(
    report: pytest.TestReport, scenario: str, control: str, verdict: str, label: str | None = None
) -> None:
    report.user_properties.append((_TEXT, (scenario, control, str(verdict), label)))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The table: scenario, control, verdict."""
    if not terminalreporter.config.getoption("controls"):
        return
    ended = sorted(private_pytest.reports(terminalreporter), key=lambda report: report.start)
    rows: list[Any] = []
    for report in ended:
        rows += [value for name, value in report.user_properties if name == _TEXT]
    if not rows:
        return
    width = max(len(row[0]) for row in rows), max(len(row[1]) for row in rows)
    terminalreporter.section("controls")
    missed = skipped = 0
    for scenario, control, verdict, label in rows:
        told = verdict if label is None else f"{verdict} at {label!r}"
        terminalreporter.line(f"{scenario:<{width[0]}}  {control:<{width[1]}}  {told}")
        missed += verdict not in (Outcome.CAUGHT, SKIPPED)
        skipped += verdict == SKIPPED
    controls, scenarios = counted(len(rows), "control"), {row[0] for row in rows}
    terminalreporter.line(
        f"{controls} of {counted(len(scenarios), 'scenario')}: {missed} missed"
        + (f", {skipped} skipped" if skipped else "")
    )
