"""``pytest -n N``: every worker of pytest-xdist has an embedded kernel of its own. On a native
kernel each has a tree of namespaces instead.

This module has the controller's part. It also has what a worker does so that virtual time stands
still while there is nothing for it to run.
"""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pytest

from harness import received
from harness.kernels import choice
from harness.kernels.host import memory
from harness.kernels.workers import gateway
from harness.plugin import core, readable, units
from harness.plugin.survey import run_of, survey_of

if TYPE_CHECKING:
    import execnet
    from xdist.scheduler import LoadScopeScheduling
    from xdist.workermanage import WorkerController

    from harness.kernels.run import Run

ALONE = pytest.StashKey[bool]()
"""Whether ``-n auto`` has turned out to be a run without workers."""

PAYS = 3.0
"""With less to do, in seconds, a worker more takes longer to start than it saves."""

MOST_WORKERS = 1000
"""So many there can be: those of a farm of machines."""

LAST_LINES = 40
_embedded = pytest.StashKey[bool]()
"""Whether workers are to be guests."""
_fewer = pytest.StashKey[str]()


# -- the controller --------------------------------------------------------------------------------


def workers_wanted(config: pytest.Config) -> bool:
    """Whether pytest-xdist is to run the tests in workers."""
    option = config.option
    return bool(getattr(option, "numprocesses", None) or getattr(option, "distload", False)) or (
        getattr(option, "dist", "no") != "no" and bool(getattr(option, "tx", None))
    )


def automatic(config: pytest.Config) -> bool:
    """Whether it is for us to say how many workers there are (``-n auto``)."""
    return getattr(config.option, "numprocesses", None) in ("auto", "logical")


def workers(config: pytest.Config) -> int:
    """How many scenarios run at a time."""
    wanted = getattr(config.option, "numprocesses", None)
    return (
        max(1, wanted)
        if isinstance(wanted, int)
        else max(1, len(getattr(config.option, "tx", None) or ()))
    )


def workers_that_pay(
    config: pytest.Config, clusters: Mapping[str, str], virtual: bool
) -> int | None:
    """How many workers ``-n auto`` is to have for these scenarios (node id -> its cluster); None is
    a run without.

    One for each processor, as far as memory goes; but each has a kernel to start, and needs enough
    to do for that. A debugger needs the terminal, which workers have not.
    """
    if config.getoption("usepdb", False):
        return None
    recorded, processors = durations(config), len(os.sched_getaffinity(0))
    # What has been recorded may be of runs in virtual time, in which waiting takes none.
    lasting = (
        sum(units.lasts(recorded, clusters).values()) if virtual else core.SECONDS * len(clusters)
    )
    useful = min(len(units.units(clusters, recorded, processors)), int(lasting / PAYS))
    paid = min(processors, workers_that_fit(config), useful)
    return paid if paid > 1 else None


def settle(config: pytest.Config, number: int | None) -> None:
    """Say how many workers an :func:`automatic` run has; None is a run without."""
    config.option.numprocesses, config.stash[ALONE] = number, number is None
    if number is None:
        config.option.dist = "no"


def arguments(config: pytest.Config) -> list[str]:
    """What a pytest that is started in a guest needs to be a run without workers like this one."""
    return ["-n", "0"] if config.stash.get(ALONE, False) else []


def is_worker(config: pytest.Config) -> bool:
    """Whether this process is such a worker."""
    return hasattr(config, "workerinput")


def name_of_worker(config: pytest.Config) -> str:
    """What pytest-xdist calls the worker that this process is: ``gw0``."""
    name: str = config.workerinput["workerid"]  # type: ignore[attr-defined]
    return name


def on_cluster(item: pytest.Item) -> bool:
    """Whether a test asks for clusters: for one, or as many as a search takes."""
    return bool({"cluster", "search"} & set(getattr(item, "fixturenames", ())))


def stay_alone(config: pytest.Config) -> None:
    """Keep pytest-xdist from starting workers in a process that only collects."""
    if hasattr(config.option, "tx"):
        config.option.numprocesses, config.option.dist, config.option.tx = None, "no", []


def prepare(config: pytest.Config, chosen: choice.Choice, run: Run) -> None:
    """Prepare a run that pytest goes on with in this process: where its workers will be, if it has
    any, and how many there are.
    """
    config.stash[_embedded] = chosen.embedded is not None
    if workers_wanted(config):
        os.environ.update(run.environment())  # which pytest-xdist starts workers with
        _limit_workers(config)


def check_workers(config: pytest.Config) -> None:
    """Raise UsageError for an impossible number of workers, before any worker is started."""
    wanted = getattr(config.option, "numprocesses", None)
    if isinstance(wanted, int) and not 0 <= wanted <= MOST_WORKERS:
        raise pytest.UsageError(
            f"-n {wanted}: say how many workers there are to be, 0 to {MOST_WORKERS}, or auto"
        )


def _limit_workers(config: pytest.Config) -> None:
    """Reduce the number of workers to what there is memory for."""
    wanted = getattr(config.option, "numprocesses", None)
    if isinstance(wanted, int) and wanted > (fit := workers_that_fit(config)):
        config.option.numprocesses = fit
        config.option.tx = config.option.tx[:fit]  # if it has been looked at already
        config.stash[_fewer] = (
            f"-n {wanted} is more than memory allows ({_each(config) >> 20} MB a worker,"
            f" {memory.left() >> 20} MB left): {fit} workers"
        )


@pytest.hookimpl(wrapper=True, optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> Any:
    """``-n auto``: one for each processor, as far as memory goes."""
    wanted: int = yield
    return min(wanted, workers_that_fit(config))


def workers_that_fit(config: pytest.Config) -> int:
    """How many workers there is memory for; at least one."""
    return max(1, memory.left() // _each(config))


def _each(config: pytest.Config) -> int:
    """How much memory a worker takes, in bytes: what the largest cluster needs, but never more than
    its guest is given.
    """
    machines = survey_of(config).machines
    return min(memory.taken(machines), memory.given(config.option.memory, machines))


def guest_memory(config: pytest.Config) -> int:
    """What a guest of this run is given, in bytes. HarnessError if ``--memory`` is no amount."""
    return memory.given(config.option.memory, survey_of(config).machines)


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say that there are fewer workers than were asked for."""
    note = config.stash.get(_fewer, None)
    return f"lvs-harness: {note}" if note else None


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(config: pytest.Config, specs: Sequence[execnet.XSpec]) -> None:
    """Have every worker started in a guest, if clusters run in guests."""
    if config.stash.get(_embedded, False):
        for spec in specs:
            if spec.popen and not spec.python:
                spec.python = shlex.join(gateway_command(config))


def gateway_command(config: pytest.Config) -> list[str]:
    """What is started in place of a worker's Python."""
    option, needed = config.option, readable.paths(config)
    room, disk = guest_memory(config), memory.quota(option.quota)
    return gateway.command(
        option.kernel, option.clock, option.seed, option.watchdog, room, disk, needed
    )


class _Consoles:
    """Names each worker's console after it, and shows what a worker that died, and its kernel, said
    last.
    """

    def __init__(self, run: Run) -> None:
        self._run = run

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_newgateway(self, gateway: execnet.Gateway) -> None:
        """A worker has been started, and has a name now."""
        from harness.plugin.private_xdist import pid_of

        pid = pid_of(gateway)
        if pid is not None and (at_first := self._run.console(pid)).exists():
            at_first.rename(self._run.console(gateway.id))

    @pytest.hookimpl(optionalhook=True)
    def pytest_handlecrashitem(self, report: pytest.TestReport) -> None:
        """A worker has died in a scenario."""
        worker: WorkerController = report.node
        written = self._run.console(worker.gateway.id)
        if not written.exists():
            return
        try:
            said = received.read(written.parent, written.name).decode(errors="replace")
        except OSError as problem:
            said = f"{written} cannot be read: {problem.strerror}"
        lines = said.splitlines()[-LAST_LINES:]
        title = f"console of {worker.gateway.id}"
        report.sections.append((title, "\n".join(lines) or "(it said nothing)"))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling | None:
    """Keep together what shares a cluster, and begin with what lasts longest; unless ``--dist``
    asks for otherwise.
    """
    clusters = survey_of(config).clusters
    if not clusters or config.option.dist not in ("load", "no"):
        return None
    from harness.plugin.private_xdist import ByCluster

    return ByCluster(config, clusters, durations(config), log)


def durations(config: pytest.Config) -> Mapping[str, float]:
    """Seconds of real time for each scenario by node id, as far as recorded."""
    cache = getattr(config, "cache", None)
    return {} if cache is None else cache.get(units.DURATIONS, {})


class _Stopwatch:
    """Takes the times of scenarios where time is real: in the controller, or in a run that is
    not in a guest.
    """

    def __init__(self) -> None:
        self._began: dict[str, float] = {}
        self._lasted: dict[str, float] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Its cluster runs, which is not counted: others may share it."""
        if report.when == "setup":
            self._began[report.nodeid] = time.monotonic()

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """It has ended, and all that follows it."""
        if nodeid in self._began:
            self._lasted[nodeid] = round(time.monotonic() - self._began[nodeid], 3)

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Remember."""
        cache = getattr(session.config, "cache", None)
        if cache is not None and self._lasted:
            cache.set(units.DURATIONS, {**cache.get(units.DURATIONS, {}), **self._lasted})


# -- a worker --------------------------------------------------------------------------------------


def pytest_configure(config: pytest.Config) -> None:
    """Measure how long scenarios take where time is real, and look after workers' consoles."""
    run = run_of(config)
    if run is None or is_worker(config):
        return
    if not choice.virtual():
        config.pluginmanager.register(_Stopwatch())
    if not choice.in_guest():
        config.pluginmanager.register(_Consoles(run))


def pytest_sessionstart(session: pytest.Session) -> None:
    """Have the worker say when it waits for the controller's next word."""
    if is_worker(session.config) and choice.virtual():
        from harness.kernels.guest import program
        from harness.plugin.private_xdist import call_around_waiting

        call_around_waiting(session.config, before=program.wait, after=program.go_on)


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """The worker has done its work, and waits to be told to go."""
    if is_worker(config) and choice.virtual():
        from harness.kernels.guest import program

        program.wait()
