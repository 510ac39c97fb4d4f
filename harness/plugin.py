"""The pytest plugin: where the tests run, the ``cluster`` fixture, and what is kept of each scenario."""

from __future__ import annotations

import datetime
import os
import re
from collections.abc import Callable, Generator, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from harness.errors import HarnessError
from harness.kernels import choice

ARTIFACTS = "artifacts"
LAST_EVENTS = 30


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of the harness."""
    group = parser.getgroup("lvs-harness", "LVS harness")
    group.addoption(
        "--kernel", choices=choice.KERNELS, default="auto",
        help="where clusters run: this machine's kernel (native: root and IPVS), the embedded one (uml), or what fits",
    )  # fmt: skip
    group.addoption("--artifacts", default=ARTIFACTS, help="folder for logs and timelines (default: %(default)s)")


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker that says on which topology a scenario runs."""
    config.addinivalue_line("markers", "topology(factory, **parameters): the Mininet Topo on which a scenario runs")


# -- where the tests run --------------------------------------------------------------------------------------------


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Move the whole run into the embedded kernel, if it needs a cluster and that is where clusters are to run."""
    if choice.in_guest() or _only_looks(config):
        return None
    try:
        if not _needs_cluster(config):
            return None
        kernel = choice.choose(config.getoption("kernel"))
        os.environ[choice.HEADER] = kernel.header
        run = _run_folder(config)
        os.environ["LVS_HARNESS_RUN"] = str(run)
        if kernel.embedded is None:
            return None
        return kernel.run_pytest(list(config.invocation_params.args), run, _outside_files(config))
    except HarnessError as problem:
        raise pytest.UsageError(str(problem)) from None


def _only_looks(config: pytest.Config) -> bool:
    option = config.option
    looks = ("collectonly", "help", "version", "markers", "showfixtures", "show_fixtures_per_test", "setupplan")
    return any(getattr(option, name, False) for name in looks) or bool(getattr(option, "cacheshow", None))


def _needs_cluster(config: pytest.Config) -> bool:
    """Whether any selected test uses a cluster: collects in a forked process, so that nothing of it stays behind."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        answer = b"?"
        try:
            os.close(reader)
            null = os.open(os.devnull, os.O_RDWR)
            for standard in (0, 1, 2):
                os.dup2(null, standard)
            answer = _collect(config)
        finally:
            os.write(writer, answer)
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        answer = pipe.read()
    os.waitpid(child, 0)
    return answer == b"yes"


def _collect(config: pytest.Config) -> bytes:
    from _pytest.main import Session

    config._do_configure()
    if (reporter := config.pluginmanager.get_plugin("terminalreporter")) is not None:
        reporter._tw._file = open(os.devnull, "w")  # noqa: SIM115 - this process ends in a moment
    session = Session.from_config(config)
    config.hook.pytest_sessionstart(session=session)
    session.perform_collect()
    uses = any("cluster" in getattr(item, "fixturenames", ()) for item in session.items)
    return b"yes" if uses else b"no"


def _run_folder(config: pytest.Config) -> Path:
    """Make the folder of this run, so that a folder that cannot be written is found before anything starts."""
    artifacts = Path(config.invocation_params.dir, config.getoption("artifacts"))
    name = datetime.datetime.now().strftime("%Y-%m-%d_%H-%M-%S")
    for number in range(1, 1000):
        folder = artifacts / (name if number == 1 else f"{name}_{number}")
        try:
            folder.mkdir(parents=True)
            (folder / ".writable").write_bytes(b"x" * 4096)
            (folder / ".writable").unlink()
        except FileExistsError:
            continue
        except OSError as problem:
            raise HarnessError(
                f"cannot write the artifacts folder {artifacts}: {problem.strerror}; mend it or use --artifacts DIR"
            ) from None
        return folder
    raise HarnessError(f"{artifacts}: a thousand runs in one second? name another folder with --artifacts")


def _outside_files(config: pytest.Config) -> list[Path]:
    """Files and folders outside the artifacts that pytest itself writes and that the user expects to find."""
    option = config.option
    named = [option.xmlpath, getattr(option, "log_file", None)]
    found = [config.invocation_params.dir / path for path in named if path]
    if config.pluginmanager.hasplugin("cacheprovider") and hasattr(config, "cache"):
        found.append(config.rootpath / str(config.getini("cache_dir")))
    return found


def pytest_report_header() -> str | None:
    """One line that says on which kernel the clusters run, and why."""
    header = os.environ.get(choice.HEADER)
    return f"lvs-harness: {header}" if header else None


# -- clusters -------------------------------------------------------------------------------------------------------


class Clusters:
    """The one cluster that is alive, handed from scenario to scenario as long as it is well."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._supervisor: Any = None
        self._cluster: Any = None
        self._key: object = None
        self._count = 0

    def get(self, factory: Callable[[], Any], key: object, fresh: bool) -> Any:
        """The running cluster if it is of this topology and healthy, else a new one."""
        if self._cluster is not None and (fresh or key != self._key or not self._healthy()):
            self.drop()
        if self._cluster is None:
            self._cluster, self._key = self._build(factory), key
        self._cluster.begin_scenario()
        return self._cluster

    def _build(self, factory: Callable[[], Any]) -> Any:
        from harness.cluster import Cluster
        from harness.lab.plan import make_topo, plan
        from harness.lab.supervisor import Supervisor

        checked = plan(make_topo(factory))
        if self._supervisor is None:
            self._supervisor = Supervisor.start()
        self._count += 1
        return Cluster(checked, self._supervisor, self._folder / f"cluster-{self._count}", slack=choice.slack())

    def _healthy(self) -> bool:
        try:
            return self._cluster.misled() is None
        except HarnessError:
            return False

    def drop(self) -> None:
        """End the cluster."""
        cluster, self._cluster = self._cluster, None
        if cluster is not None:
            cluster.close()

    def close(self) -> None:
        """End everything."""
        try:
            self.drop()
        finally:
            if self._supervisor is not None:
                self._supervisor.stop()


@pytest.fixture(scope="session")
def _clusters(request: pytest.FixtureRequest) -> Iterator[Clusters]:
    clusters = Clusters(Path(os.environ["LVS_HARNESS_RUN"]))
    yield clusters
    clusters.close()


@pytest.fixture
def cluster(request: pytest.FixtureRequest, _clusters: Clusters) -> Iterator[Any]:
    """A running :class:`harness.cluster.Cluster` of the scenario's topology.

    ``pytest.mark.topology.with_args(Topo, **parameters)`` says which; ``fresh=True`` asks for a new one.
    """
    marker = request.node.get_closest_marker("topology")
    if marker is None or len(marker.args) != 1:
        pytest.fail(
            "say on which topology it runs: pytestmark = pytest.mark.topology.with_args(DirectorPair)", pytrace=False
        )
    parameters = dict(marker.kwargs)
    fresh = parameters.pop("fresh", False)
    try:
        running = _clusters.get(_named(marker.args[0], parameters), (marker.args[0], repr(parameters)), fresh)
    except HarnessError as problem:
        pytest.fail(str(problem), pytrace=False)
    request.node.stash[_stash_cluster] = running
    yield running
    folder = Path(os.environ["LVS_HARNESS_RUN"]) / re.sub(r"[^\w.=-]+", "_", request.node.name)
    folder.mkdir(exist_ok=True)
    with open(folder / "timeline.jsonl", "w", encoding="utf-8") as file:
        running.timeline.write(file, since=running.timeline.mark)


_stash_cluster = pytest.StashKey[Any]()


def _named(topology: Callable[..., Any], parameters: dict[str, Any]) -> Callable[[], Any]:
    factory = partial(topology, **parameters)
    factory.__name__ = getattr(topology, "__name__", "topology")  # type: ignore[attr-defined]
    return factory


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show a failed scenario's last events; and of what is a user's to mend the message alone, without a traceback."""
    report = yield
    if call.excinfo is not None and isinstance(call.excinfo.value, HarnessError):
        report.longrepr = str(call.excinfo.value)
    cluster = item.stash.get(_stash_cluster, None)
    if report.failed and cluster is not None and call.when == "call":
        report.sections.append(("timeline, last events", _last_events(cluster.timeline)))
    return report


def _last_events(timeline: Any) -> str:
    try:
        events = timeline.events(since=timeline.mark)[-LAST_EVENTS:]
    except HarnessError as problem:
        return str(problem)
    return "\n".join(str(event) for event in events)
