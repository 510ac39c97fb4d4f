"""What is kept of each scenario: a folder below the run's, written while the scenario runs."""

from __future__ import annotations

import contextlib
import inspect
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import HarnessError
from harness.keepalived import timers
from harness.plugin import catalogue
from harness.plugin.judge import WHAT_FAILED, outcome_of
from harness.plugin.specs import spec_of
from harness.plugin.survey import own_run, run_of
from harness.plugin.unwritten import told

if TYPE_CHECKING:
    from harness.cluster import Cluster
    from harness.report.evidence import Evidence

KEEP = ("all", "failed", "none")
RULE = "rule"
_report = pytest.StashKey[pytest.TestReport]()
_folder = pytest.StashKey[Path]()
_evidence: pytest.StashKey[Evidence] = pytest.StashKey()
_items = pytest.StashKey[dict[str, pytest.Item]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option."""
    parser.getgroup("lvs-harness").addoption(
        "--keep",
        choices=KEEP,
        default="failed",
        help=(
            "of which scenarios to keep captures, logs and dumps, beside the timelines of all"
            " (default: %(default)s)"
        ),
    )


@contextlib.contextmanager
def recorded(item: pytest.Item, cluster: Cluster) -> Iterator[None]:
    """Keep what happens on a cluster inside the block, which is a scenario."""
    from harness.report.artifacts import new_folder
    from harness.report.evidence import Evidence

    folder = item.stash[_folder] = new_folder(own_run(item.config).folder, item.name)
    evidence = item.stash[_evidence] = Evidence(folder, cluster, _about(item))
    try:
        yield
    finally:
        outcome = _outcome(item.stash.get(_report, None))
        if outcome["outcome"] != "passed":
            outcome["rules"] = _rules(item)
        evidence.finish(outcome, item.config.getoption("keep"))
        del item.stash[_evidence]  # pytest keeps its items, and each would keep its cluster


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    """Note when the scenario's own part ends, before anything is said of it."""
    try:
        yield
    finally:
        if (evidence := item.stash.get(_evidence, None)) is not None:
            evidence.end()


def folder_of(item: pytest.Item) -> Path | None:
    """Where what is kept of a scenario is; None as long as there is nothing."""
    return item.stash.get(_folder, None)


def _about(item: pytest.Item) -> dict[str, Any]:
    try:
        spec = spec_of(item)
    except HarnessError:  # which is why it never came to run
        spec = None
    function = getattr(item, "function", None)
    return {
        "test": item.nodeid,
        "says": inspect.getdoc(function) if function is not None else None,
        "topology": None if spec is None else spec.name,
        "parameters": {}
        if spec is None
        else {name: repr(value) for name, value in spec.parameters.items()},
        "marks": sorted(
            {mark.name for mark in item.iter_markers() if mark.name not in catalogue.MACHINERY}
        ),
    }


def _rules(item: pytest.Item) -> dict[str, str]:
    """The rules that a scenario judges by, by name, in words: those that its marks name, and the
    protocol arithmetic that it computes its windows with.
    """
    function = getattr(item, "function", None)
    names = catalogue.windows_of(function) if function is not None else []
    marked = dict(mark.args for mark in item.iter_markers(RULE))
    return marked | {name: inspect.getdoc(getattr(timers, name)) or "" for name in names}


def _outcome(report: pytest.TestReport | None) -> dict[str, Any]:
    if report is None:
        return {"outcome": None}
    outcome = str(outcome_of(report))
    message = "" if report.passed else _message(report)
    return {"outcome": outcome, "message": message, "seconds": round(report.duration, 6)}


def _message(report: pytest.TestReport) -> str:
    if isinstance(report.longrepr, tuple):  # of what was skipped: file, line, reason
        failed = [text for title, text in report.sections if title == WHAT_FAILED]
        return "\n\n".join([report.longrepr[2], *failed])
    return report.longreprtext


def pytest_collection_finish(session: pytest.Session) -> None:
    """Remember the scenarios by name, since reports have nothing but that."""
    session.config.stash[_items] = {item.nodeid: item for item in session.items}


class _Reports:
    """Notes how each phase of a scenario ended, as all other plugins have judged it."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A phase has ended."""
        item = self._config.stash.get(_items, {}).get(report.nodeid)
        if (
            item is None
            or "cluster" not in getattr(item, "fixturenames", ())
            or run_of(self._config) is None
        ):
            return
        if report.when == "call":
            item.stash[_report] = report
        elif not report.passed:
            with told(self._config):
                _note(item, _outcome(report))


def pytest_configure(config: pytest.Config) -> None:
    """Declare the mark, and listen to the reports."""
    config.addinivalue_line(
        "markers",
        f"{RULE}(name, text): a rule that the scenario judges by, such as an RFC's, for whoever"
        " reads its failure",
    )
    config.pluginmanager.register(_Reports(config))


def _note(item: pytest.Item, outcome: dict[str, Any]) -> None:
    """Add to what was written of a scenario, or begin it, for one that never came to run."""
    from harness.report import artifacts

    folder = item.stash.get(_folder, None)
    if folder is None:
        folder = item.stash[_folder] = artifacts.new_folder(own_run(item.config).folder, item.name)
        outcome = {**_about(item), **outcome}
    artifacts.update(folder / artifacts.ABOUT, outcome)
