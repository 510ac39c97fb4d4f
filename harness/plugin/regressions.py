"""Bugs of keepalived as scenarios: each asserts what should be, and says in which versions it is not.

Where the bug is declared, the scenario must fail, and for the stated reason; everywhere else it must pass.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

import pytest
from packaging.specifiers import InvalidSpecifier, SpecifierSet

from harness.errors import HarnessError
from harness.plugin.images import versions_of
from harness.plugin.reasons import failed_because

SHOWN = "bug shown"
"""The name of the user property of a scenario that failed as declared."""


@dataclass(frozen=True)
class Bug:
    """``reference`` is the commit that mends it, or its issue; ``present`` says in which versions it is."""

    reference: str
    what: str
    present: SpecifierSet
    caught: str


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option."""
    parser.getgroup("lvs-harness").addoption(
        "--bugs-fail",
        action="store_true",
        help="let regression scenarios fail wherever their bug shows, be it declared there or not (as bisect wants it)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker."""
    config.addinivalue_line(
        "markers",
        'regression(reference, what, present="<2.3.3", caught=REGEX): a bug of keepalived, the versions that have it,'
        " and the reason for which the scenario fails there, and must",
    )


def bug_of(item: pytest.Item) -> Bug | None:
    """The bug that a scenario is about. HarnessError if it is declared wrongly."""
    if (mark := item.get_closest_marker("regression")) is None:
        return None
    try:
        reference, what = mark.args
        return Bug(reference, what, SpecifierSet(mark.kwargs["present"]), mark.kwargs["caught"])
    except (ValueError, KeyError, InvalidSpecifier) as problem:
        raise HarnessError(
            f"{item.nodeid}: {type(problem).__name__} {problem}: say"
            ' pytest.mark.regression("commit or issue", "what misbehaves", present=">=2.1.5,<2.3.3", caught="a reason")'
        ) from None


def pytest_runtest_setup(item: pytest.Item) -> None:
    """A cluster of several versions says nothing of a bug in one."""
    if bug_of(item) is not None and len(versions := versions_of(item)) > 1:
        pytest.skip(f"a bug's case needs one version, not {', '.join(map(str, sorted(versions)))} in one cluster")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Where the bug is declared, failing for the stated reason is passing, and passing is failing."""
    report = yield
    if call.when != "call" or report.skipped or item.config.getoption("bugs_fail"):
        return report
    if item.config.getoption("controls") or (bug := bug_of(item)) is None:
        return report
    (version,) = versions_of(item)
    if version not in bug.present:
        if report.failed:
            report.sections.insert(0, ("regression", f"{_told(bug)}, and seems to be in {version} too"))
    elif report.passed:
        report.outcome = "failed"
        report.longrepr = f"{_told(bug)}, and is missing in {version}: correct present= or the scenario"
    elif call.excinfo is not None and failed_because(item, call.excinfo, bug.caught):
        report.outcome, report.longrepr, report.sections = "passed", None, []
        report.user_properties.append((SHOWN, bug.reference))
    else:
        report.sections.insert(0, ("regression", f"{_told(bug)}, but this is not {bug.caught!r}"))
    return report


def _told(bug: Bug) -> str:
    return f"{bug.reference} ({bug.what}) is declared for {str(bug.present) or 'all versions'}"
