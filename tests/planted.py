"""A pytest plugin: how many planted mistakes the invariants notice in a few sequences of deeds.

``pytest scenarios --controls -p tests.planted`` builds each control's cluster, with its mistake,
once, and performs the sequences below on it instead of the scenario. What is done is known to the
invariants; the mistake is not. A search tries hundreds of sequences, so what is noticed here it
would notice as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from harness.cluster import Cluster
from harness.errors import HarnessError
from harness.plugin.clusters import RUNNING
from harness.plugin.specs import spec_of
from harness.search import step
from harness.search.invariants import judge
from harness.search.kinds import KINDS, holds, possible
from harness.search.performing import perform
from harness.search.sequence import Step, performed
from harness.search.setting import Setting, setting_of_plan

_PROPERTY = "planted"
REST = "comes to rest"
LASTING = {"StopHttpd": 12.0, "HangHttpd": 14.0, "RemovePage": 12.0, "PowerOff": 9.0}

APART, LONG = 8.0, 40.0
"""How long after one another all real servers are stopped, and for how long each, in seconds."""


def sequences(cluster: Cluster) -> Iterator[tuple[Step, ...]]:
    """Each kind of deed once, alone, that a topology offers, and all real servers stopped one after
    the other. Clients come first: what boots forgets some mistakes.
    """
    texts = {director.name: director.config_text().decode() for director in cluster.directors}
    done: set[str] = set()
    offered = possible(cluster.plan, texts)
    for deed in sorted(offered, key=lambda deed: deed.name != "Ask"):
        on_server = deed.node in {server.name for server in cluster.real_servers}
        which = [
            value for name, value in deed.parameters if name in ("interface", "value", "service")
        ]
        key = f"{deed.name} {'server' if on_server else deed.node} {which}"
        if not KINDS[deed.name].remembered and key not in done:
            done.add(key)
            lasting = LASTING.get(deed.name, 6.0) if KINDS[deed.name].lasting else 0.0
            yield performed(
                [step(1.0, deed.name, deed.node, lasting, **dict(deed.parameters))], holds
            )
    servers = [each.node for each in offered if each.name == "StopHttpd"]
    if len(servers) > 1:  # for quorums and sorry servers
        yield performed([step(APART, "StopHttpd", server, LONG) for server in servers], holds)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Plant each mistake once in each topology."""
    kept: dict[str, pytest.Item] = {}
    for item in items:
        control = item.callspec.params.get("_control") if hasattr(item, "callspec") else None
        if control is not None:
            kept.setdefault(repr((spec_of(item).key, control)), item)
    gone = [item for item in items if item not in kept.values()]
    items[:] = list(kept.values())
    config.hook.pytest_deselected(items=gone)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Perform the sequences until one of them is complained of."""
    cluster = pyfuncitem.stash.get(RUNNING, None)
    if cluster is None:
        return None
    pyfuncitem.user_properties.append(
        (_PROPERTY, _first_complaint(cluster, _meant(pyfuncitem, cluster)))
    )
    return True


def _meant(item: pytest.Function, cluster: Cluster) -> Setting:
    meant = replace(spec_of(item), selection=None)
    return setting_of_plan(meant.plan(), cluster.slack)


def _first_complaint(cluster: Cluster, setting: Setting) -> str:
    for number, steps in enumerate(sequences(cluster), start=1):
        try:
            lived = perform(cluster, steps)
        except HarnessError as problem:
            return f"{number}: {REST}: {problem}"
        found = judge(replace(lived.observed, setting=setting))
        if found:
            return f"{number}: {found[0].invariant}: {found[0].text}"
        if lived.amiss is not None:
            return f"{number}: {REST}: {lived.amiss}"
    return ""


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What was noticed, and what was not."""
    rows = []
    for reports in terminalreporter.stats.values():
        for report in reports:
            properties = dict(getattr(report, "user_properties", ()))
            if _PROPERTY in properties and report.when == "call":
                rows.append((report.nodeid, str(properties[_PROPERTY])))
    for name, complaint in sorted(set(rows)):
        terminalreporter.line(f"{name}: {complaint or 'NOT NOTICED'}")
    noticed = [complaint for _, complaint in set(rows) if complaint]
    by_rest = sum(f": {REST}: " in complaint for complaint in noticed)
    terminalreporter.line(
        f"{len(set(rows))} mistakes planted, {len(noticed)} noticed, {by_rest} of them at rest"
        f" alone"
    )
