"""The fixtures: a cluster for each scenario, and what is kept of it."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Iterator
from functools import partial
from typing import TYPE_CHECKING

import pytest

from harness import installed
from harness.clock import let_others_act
from harness.errors import HarnessError
from harness.kernels import choice
from harness.plugin import evidence, parallel
from harness.plugin.private_pytest import Exit
from harness.plugin.specs import spec_of
from harness.plugin.survey import own_run, run_of, survey_of

if TYPE_CHECKING:
    from harness.cluster import Cluster
    from harness.cluster_pool import Pool
    from harness.scenario.control import Control

RUNNING = pytest.StashKey["Cluster"]()
"""The cluster of a scenario that runs."""


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker that names a scenario's topology, and let it import the shipped ones."""
    installed.make_importable()
    config.addinivalue_line(
        "markers", "topology: on which cluster a scenario runs, by topology() of harness.scenario"
    )


def pytest_exception_interact(
    call: pytest.CallInfo[object], report: pytest.CollectReport | pytest.TestReport
) -> None:
    """Say what is wrong where a class alone was given to the mark, which then marked the class."""
    if not isinstance(report, pytest.CollectReport) or call.excinfo is None:
        return
    for entry in call.excinfo.traceback:
        for value in entry.frame.f_locals.values():
            marked = value if isinstance(value, type) else type(value)
            marks = vars(marked).get("pytestmark")
            if isinstance(marks, list) and any(
                mark.name == "topology" and not mark.args for mark in marks
            ):
                wanted = f"topology({marked.__name__})"
                report.longrepr = (
                    f"{report.nodeid}: pytest.mark.{wanted} would mark the class itself; write"
                    f" {wanted}, with"
                    " from harness.scenario import topology"
                )
                return


@pytest.hookimpl(wrapper=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> Generator[None, object, object]:
    """Let the cluster react to what a scenario did last, be it that a fault was healed, before
    pytest says how it went.

    How often pytest looks at the clock then depends on what it prints, and the daemons' next timers
    would begin later by that.
    """
    try:
        return (yield)
    finally:
        if RUNNING in pyfuncitem.stash and choice.virtual():
            let_others_act()


class Unusable(Exit):
    """Ends the run. pytest puts an exception's name in front of what it says, and users need
    not know one.
    """


Unusable.__module__, Unusable.__qualname__ = "builtins", "lvs-harness"


@pytest.fixture(scope="session")
def lvs_kernel(pytestconfig: pytest.Config, _about_the_run: None) -> str:
    """Whatever needs a kernel that can carry clusters asks for this; it says which one that is."""
    if (run := run_of(pytestconfig)) is None:
        raise Unusable(
            "the harness failed: no kernel was chosen, because what there is to run could not be"
            " collected the first"
            f" time ({survey_of(pytestconfig).failed or 'unknown'}), and could the second"
            f" time; run it again, with"
            " more memory if there is little",
            pytest.ExitCode.INTERNAL_ERROR,
        )
    return run.header


@pytest.fixture(scope="session")
def _pool(request: pytest.FixtureRequest, lvs_kernel: str) -> Iterator[Pool]:
    from harness.cluster_pool import Pool
    from harness.plugin import causes

    folder = own_run(request.config).folder
    if parallel.is_worker(request.config):
        folder /= parallel.name_of_worker(request.config)
    pool = Pool(
        folder,
        choice.slack(),
        request.config.getoption("seed"),
        partial(causes.tell_of_passed, request.config),
    )
    yield pool
    pool.close()


@pytest.fixture
def cluster(
    request: pytest.FixtureRequest, _column: str | None, _pool: Pool, _control: Control | None
) -> Iterator[Cluster]:
    """A running :class:`harness.cluster.Cluster` of the scenario's topology.

    :func:`harness.scenario.topology` says which.
    """
    from harness.check.configured import Configured
    from harness.diagnosis import UNRUN
    from harness.plugin import causes

    spec = spec_of(request.node)
    if _control is not None:
        spec = spec.changed(_control.topology, _control.config)
    try:
        running = _pool.get(spec)
    except HarnessError as problem:
        if isinstance(spec.source, Configured):  # which no other scenario would fare better with
            raise Unusable(str(problem), pytest.ExitCode.USAGE_ERROR) from None
        raise
    request.node.stash[RUNNING] = running
    with contextlib.nullcontext() if _control is None else _control.planted(running):
        if _control is not None:
            running.begin_scenario()
        running.moments.begin(request.node.nodeid)
        running.settling.wants_scripts_run = (
            _control is None
            and not isinstance(spec.source, Configured)
            and not causes.is_meant(request.node, UNRUN)
        )
        with evidence.recorded(request.node, running):
            yield running
    del request.node.stash[RUNNING]  # pytest keeps its items, and each would keep its cluster
    if _control is not None and _control.sabotage is not None:
        _pool.drop()
