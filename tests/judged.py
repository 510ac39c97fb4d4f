"""A pytest plugin: after each scenario the invariants of the search judge what it has left on the
timeline.

``pytest scenarios/test_failover.py -p tests.judged`` shows that they raise no false alarm; with
``--controls`` it shows which planted mistakes they notice. With JUDGED=FILE what was observed is
kept as well, for judging it again elsewhere; FILE is below the folder of the run.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Generator

import pytest

from harness.errors import HarnessError
from harness.plugin.clusters import RUNNING
from harness.plugin.specs import spec_of
from harness.plugin.survey import own_run
from harness.search.invariants import judge
from harness.search.observed import Observed, observe
from harness.search.setting import setting_of_plan

FOLDER = "judged"
_PROPERTY = "complaints"


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Judge after the scenario, whatever came of it."""
    try:
        return (yield)
    finally:
        cluster = pyfuncitem.stash.get(RUNNING, None)
        if cluster is not None:
            observed = observe(cluster, cluster.timeline.mark)
            _keep(pyfuncitem, _as_meant(pyfuncitem, observed))


def _as_meant(item: pytest.Function, observed: Observed) -> Observed:
    """What was observed, with the setting that was meant: a control's topology is a mistake,
    too.
    """
    from dataclasses import replace

    try:
        plan = replace(spec_of(item), selection=None).plan()
    except (HarnessError, TypeError):
        return observed
    return replace(observed, setting=setting_of_plan(plan, observed.slack))


def _keep(item: pytest.Function, observed: Observed) -> None:
    complaints = judge(observed)
    item.user_properties.append((_PROPERTY, [str(each) for each in complaints]))
    if "JUDGED" in os.environ:
        folder = own_run(item.config).folder / FOLDER
        folder.mkdir(exist_ok=True)
        number = len(list(folder.iterdir()))
        (folder / f"{number:04}.pickle").write_bytes(pickle.dumps((item.nodeid, observed)))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What the invariants complain of, by scenario."""
    judged = complained = 0
    for reports in terminalreporter.stats.values():
        for report in reports:
            found = dict(getattr(report, "user_properties", ())).get(_PROPERTY)
            if found is None or getattr(report, "when", "") != "call":
                continue
            judged += 1
            complained += bool(found)
            for line in found:
                terminalreporter.line(f"{report.nodeid}: {line}")
    terminalreporter.line(
        f"{judged} scenarios judged by the invariants: {complained} with complaints"
    )
