"""What is told of a run as a whole: run.json, the page, JUnit's properties, and a summary where GitHub wants one."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Generator
from pathlib import Path

import pytest

from harness.errors import HarnessError
from harness.kernels import choice
from harness.plugin.clusters import RUNNING
from harness.plugin.sources import sources
from harness.plugin.unwritten import told
from harness.report import artifacts
from harness.report.words import words

_began = pytest.StashKey[float]()
_STEP_SUMMARY = "GITHUB_STEP_SUMMARY"


def pytest_configure(config: pytest.Config) -> None:
    """Note when the run began, on the clock of its kernel."""
    config.stash[_began] = time.monotonic()


def begin(run: Path, config: pytest.Config, chosen: choice.Choice) -> None:
    """Write what is known of a run before it runs. Raises HarnessError if that cannot be written."""
    about = {
        "kernel": chosen.header,
        "clock": "virtual" if chosen.virtual else "real",
        "seed": chosen.seed,
        "arguments": list(config.invocation_params.args),
        "keep": config.getoption("keep"),
        "controls": config.getoption("controls"),
    }
    artifacts.update(run / artifacts.RUN, about)


def end(run: Path, wall: float, status: int | None) -> None:
    """Write how a run has ended, after ``wall`` seconds, and render its page. Says what of that cannot be done."""
    from harness.report import page, summary

    try:
        known = {} if status is None else {"status": status}
        artifacts.update(run / artifacts.RUN, {"wall": round(wall, 3), **known})
        read = artifacts.read_run(run)
        if isinstance(simulated := read.about.get("seconds"), float) and read.about.get("clock") == "virtual":
            print(f"lvs-harness: {simulated:.1f} s simulated in {wall:.1f} s")
        if read.scenarios:
            print(f"lvs-harness: {os.path.relpath(page.write(run))}")
        if target := os.environ.get(_STEP_SUMMARY):
            with open(target, "a", encoding="utf-8") as file:
                file.write(summary.markdown(read))
    except HarnessError as problem:
        print(f"lvs-harness: no report: {problem}")
    except OSError as problem:
        print(f"lvs-harness: no summary for GitHub: {problem}")


def pytest_collection_finish(session: pytest.Session) -> None:
    """Leave word of which scenarios are to run, in their order."""
    if choice.RUN in os.environ:
        order = [item.nodeid for item in session.items if "cluster" in getattr(item, "fixturenames", ())]
        with told(session.config):
            artifacts.update(Path(os.environ[choice.RUN], artifacts.RUN), {"order": order})


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Leave word of how long the run took on its own clock."""
    if choice.RUN in os.environ:
        seconds = round(time.monotonic() - session.config.stash[_began], 3)
        with told(session.config):
            artifacts.update(Path(os.environ[choice.RUN], artifacts.RUN), {"seconds": seconds, **sources(session)})


def pytest_unconfigure(config: pytest.Config) -> None:
    """On a native kernel the run ends here; a run in an embedded one has ended for whoever started its kernel."""
    session = config.pluginmanager.get_plugin("session")
    if choice.RUN in os.environ and not choice.in_guest() and config.stash.get(_NATIVE, False):
        status = int(session.exitstatus) if session is not None else None
        end(Path(os.environ[choice.RUN]), time.monotonic() - config.stash[_began], status)


_NATIVE = pytest.StashKey[bool]()


def on_this_kernel(config: pytest.Config) -> None:
    """The run that follows is on this machine's own kernel."""
    config.stash[_NATIVE] = True


# -- JUnit ----------------------------------------------------------------------------------------------------------


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Give a scenario's report what was due and what came of it, which JUnit XML shows as properties."""
    report = yield
    cluster = item.stash.get(RUNNING, None)
    if cluster is not None and call.when == "call":
        with contextlib.suppress(HarnessError):  # the recording has failed, which is told elsewhere
            judged = cluster.timeline.events("judged", since=cluster.timeline.mark)
            report.user_properties += [(f"{event.node} {event.what}", words(event)) for event in judged]
    return report


@pytest.fixture(scope="session")
def _about_the_run(record_testsuite_property: Callable[[str, object], None]) -> None:
    """What the run runs on, for run.json and as properties of JUnit's test suite."""
    from harness.report.versions import versions

    if choice.RUN in os.environ:
        path = Path(os.environ[choice.RUN], artifacts.RUN)
        artifacts.update(path, {"versions": versions()})
        about = artifacts.read_about(path)
        for name in ("kernel", "clock", "seed"):
            record_testsuite_property(name, about.get(name, ""))
        for name, version in about.get("versions", {}).items():
            record_testsuite_property(name, version)
