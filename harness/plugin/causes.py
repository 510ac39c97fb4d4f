"""What a failure looks like: misconfigurations that show in what was recorded, named first.

A fault makes much look like a misconfiguration. So what counts is what showed before the scenario's
first fault; only a scenario without any is judged by all that was recorded. A scenario may pass
although its cluster is misconfigured, for what it tries may be something else: that is a warning,
and fails it under ``--strict-diagnosis``, unless its author has said so with the mark
``diagnosis``.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator

import pytest

from harness.cluster import Cluster
from harness.diagnosis import Diagnosis, names
from harness.errors import HarnessError
from harness.events import FaultChanged
from harness.nodes import DirectorNode
from harness.plugin import private_pytest
from harness.plugin.clusters import RUNNING
from harness.report.words import words
from harness.timeline import EVER
from harness.topology import PhantomRouter

LOOKS_LIKE = "looks like"
MARK = "diagnosis"
_PASSED = pytest.StashKey[list[pytest.Item]]()
"""What has passed on the present cluster."""


class Misconfigured(pytest.PytestWarning):
    """Scenarios have passed on a cluster that looks misconfigured."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """The option."""
    parser.getgroup("lvs-harness").addoption(
        "--strict-diagnosis",
        action="store_true",
        help="fail a scenario that passes on a cluster which looks misconfigured, unless its mark"
        " diagnosis(NAME) says that it is meant to be",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Declare the mark."""
    config.addinivalue_line(
        "markers",
        f"{MARK}(name, ...): the cluster is misconfigured on purpose, in these ways of"
        f" harness.diagnosis",
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Refuse a mark that names no diagnosis: it would never say anything."""
    known = names()
    for item in items:
        if unknown := _declared(item) - known:
            raise pytest.UsageError(
                f"{item.nodeid}: there is no diagnosis called"
                f" {', '.join(map(repr, sorted(unknown)))}:"
                f" there are {', '.join(sorted(known))}"
            )


def _declared(item: pytest.Item) -> set[str]:
    names: set[str] = set()
    for mark in item.iter_markers(MARK):
        names.update(mark.args)
    return names


def is_meant(item: pytest.Item, cause: str) -> bool:
    """Whether a scenario's author has said that its cluster is misconfigured in this way."""
    return cause in _declared(item)


def tell(item: pytest.Item, report: pytest.TestReport) -> None:
    """Put the causes of a failure before its message, in the terminal, on the page and in
    JUnit's XML.
    """
    cluster = item.stash.get(RUNNING, None)
    if cluster is None or report.when != "call" or report.skipped:
        return
    if report.passed and not item.config.getoption("strict_diagnosis"):
        item.config.stash.setdefault(_PASSED, []).append(item)
        return  # to look reads clocks, which shifts what the next scenario measures
    found = _causes(cluster)
    if report.failed and found:
        private_pytest.put_first(report, _lines(cluster, found))
    undeclared = [cause for cause in found if cause.name not in _declared(item)]
    if report.passed and undeclared and not item.config.getoption("controls"):
        _fail(cluster, report, undeclared)


def tell_of_passed(config: pytest.Config, cluster: Cluster) -> None:
    """Warn of scenarios that have passed on a cluster which looked misconfigured before its first
    fault, now that it ends.
    """
    passed = config.stash.get(_PASSED, [])
    config.stash[_PASSED] = []
    if not passed or config.getoption("controls"):
        return
    for cause in _causes(cluster, whole=True):
        undeclared = [item for item in passed if cause.name not in _declared(item)]
        if undeclared:
            _warn(undeclared[0], cause, len(undeclared))


def _warn(item: pytest.Item, cause: Diagnosis, number: int) -> None:
    """At the end of the run, whatever the filters make of warnings: the scenario is over."""
    others = f", as {number - 1} more on this cluster" if number > 1 else ""
    text = (
        f"{LOOKS_LIKE}: {cause}. It passed{others}; --strict-diagnosis fails it."
        f" If that is meant: @pytest.mark.{MARK}({cause.name!r})"
    )
    path, line, _ = item.location
    message = warnings.WarningMessage(Misconfigured(text), Misconfigured, path, (line or 0) + 1)
    told = {"warning_message": message, "when": "runtest", "nodeid": item.nodeid, "location": None}
    item.config.hook.pytest_warning_recorded.call_historic(kwargs=told)


def _lines(cluster: Cluster, found: Iterable[Diagnosis]) -> list[str]:
    """Each cause in a line, with what shows it below."""
    lines = []
    for cause in found:
        lines.append(f"{LOOKS_LIKE}: {cause}")
        lines += [f"    at {event.at:.3f} s {event.node}: {words(event)}" for event in cause.shown]
        for name in cause.nodes:
            lines += [f"    {line}" for line in _written(cluster, name, cause)]
    return lines


def _written(cluster: Cluster, name: str, cause: Diagnosis) -> Iterator[str]:
    """The line of a director's keepalived.conf that has a mistake, where that is one line."""
    node = cluster.nodes[name]
    if not cause.option or not isinstance(node, DirectorNode):
        return
    text = node.config_text().decode(errors="replace")
    found = [
        f"{name}: keepalived.conf line {number}: {line.strip()}"
        for number, line in enumerate(text.splitlines(), start=1)
        if line.split()[:1] == [cause.option]
    ]
    if len(found) == 1:
        yield found[0]


def _fail(cluster: Cluster, report: pytest.TestReport, found: list[Diagnosis]) -> None:
    """A scenario that passed on a cluster that looks misconfigured."""
    marks = ", ".join(repr(cause.name) for cause in found)
    report.outcome = "failed"
    report.longrepr = "\n".join(
        [
            *_lines(cluster, found),
            "",
            f"It passed otherwise. If that is meant: @pytest.mark.{MARK}({marks})",
        ]
    )


def _causes(cluster: Cluster, whole: bool = False) -> list[Diagnosis]:
    """What was wrong before the scenario's first fault, or before the first of its ``whole`` life,
    and which known defects have shown at any time; nothing where that cannot be told.

    On a cluster that earlier scenarios have broken only what this one has recorded counts. Where a
    phantom router speaks, a scenario has it say what is wrong.
    """
    timeline = cluster.timeline
    if any(isinstance(host.role, PhantomRouter) for host in cluster.plan.hosts):
        return []
    try:
        began = EVER if whole else timeline.mark
        earlier = timeline.events(FaultChanged, until=began)
        faults = timeline.events(FaultChanged, since=began, action="injected")
        return cluster.diagnoses(
            since=began if earlier else EVER, until=faults[0].at if faults else None
        )
    except (HarnessError, OSError):
        return []  # the failure itself is told all the same
