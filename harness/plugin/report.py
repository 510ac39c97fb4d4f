"""What is told of a run as a whole: run.json, the page, JUnit's properties, and a summary where
GitHub wants one.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from harness.errors import HarnessError
from harness.events import Judged
from harness.kernels import choice
from harness.plugin import corpus, parallel, private_pytest, unwritten
from harness.plugin.clusters import RUNNING
from harness.plugin.matrix import images_asked_for
from harness.plugin.sources import keep
from harness.plugin.survey import own_run, run_of, survey_of
from harness.report import artifacts
from harness.report.bundle import SELECTION
from harness.report.versions import commit
from harness.report.words import words

if TYPE_CHECKING:
    from xdist.workermanage import WorkerController

_began = pytest.StashKey[float]()
_seconds = pytest.StashKey[float]()
_suite = pytest.StashKey[None]()
_TOLD = "lvs_harness_run"
_STEP_SUMMARY = "GITHUB_STEP_SUMMARY"


def pytest_configure(config: pytest.Config) -> None:
    """Note when the run began, on the clock of its kernel."""
    config.stash[_began] = time.monotonic()


def begin(run: Path, config: pytest.Config, chosen: choice.Choice) -> None:
    """Write what is known of a run before it runs. HarnessError if it cannot be."""
    about = {
        "kernel": chosen.header,
        "clock": "virtual" if chosen.virtual else "real",
        "seed": chosen.seed,
        "memory": chosen.memory,
        "arguments": list(config.invocation_params.args),
        "keep": config.getoption("keep"),
        "verbosity": config.get_verbosity(),
        "controls": config.getoption("controls"),
        "bugs_fail": config.getoption("bugs_fail"),
        "selection": {option: config.getoption(option) for option in SELECTION},
        "speaker": config.getoption("speaker"),
        "commit": commit(),
        "images": image_versions(config),
        "order": list(survey_of(config).clusters),
        **survey_of(config).shard,
    }
    artifacts.update(run / artifacts.RUN, about)


def image_versions(config: pytest.Config) -> dict[str, str]:
    """Which keepalived each image has that the options name, by its name in them."""
    if not (names := images_asked_for(config)):
        return {}
    from harness.images.selection import versions

    return versions(names)


def end(run: Path, wall: float, status: int | None) -> None:
    """Write how a run has ended, after ``wall`` seconds, and render its page. Says what of that
    cannot be done.
    """
    from harness.report import page, summary

    try:
        known = {} if status is None else {"status": status}
        artifacts.update(run / artifacts.RUN, {"wall": round(wall, 3), **known})
        read = artifacts.read_run(run)
        if (
            isinstance(simulated := read.about.get("seconds"), float)
            and read.about.get("clock") == "virtual"
        ):
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


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write down how long the run took on its own clock."""
    run = run_of(session.config)
    if run is not None and not parallel.workers_wanted(session.config):
        seconds = round(time.monotonic() - session.config.stash[_began], 3)
        with unwritten.told(session.config):
            _tell(session.config, seconds=seconds, **keep(session, run.folder))


def _tell(config: pytest.Config, **more: Any) -> None:
    """Add to run.json. A worker hands what it knows to the controller, which adds it."""
    if parallel.is_worker(config):
        config.workeroutput.setdefault(_TOLD, {}).update(more)  # type: ignore[attr-defined]
    else:
        artifacts.update(own_run(config).folder / artifacts.RUN, more)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: WorkerController) -> None:
    """Add what a worker has told: all of them have run for so many seconds together."""
    config: pytest.Config = node.config
    told = dict(getattr(node, "workeroutput", {}).get(_TOLD, {}))
    if told and run_of(config) is not None:
        config.stash[_seconds] = told["seconds"] = config.stash.get(_seconds, 0) + told.get(
            "seconds", 0
        )
        _tell(config, **told)
        add_property = private_pytest.adder_of_properties(config)
        if add_property is not None and _suite not in config.stash:
            config.stash[_suite] = None
            _describe(config, add_property)


def pytest_unconfigure(config: pytest.Config) -> None:
    """End a run on the native kernel. A run in an embedded kernel is ended by the process that
    started the kernel.
    """
    run = run_of(config)
    if run is not None and not choice.in_guest() and config.stash.get(_NATIVE, False):
        lasted = time.monotonic() - config.stash[_began]
        corpus.collect(config, run.folder)
        end(run.folder, lasted, private_pytest.exit_status(config))


_NATIVE = pytest.StashKey[bool]()


def on_this_kernel(config: pytest.Config) -> None:
    """The run that follows is on this machine's own kernel."""
    config.stash[_NATIVE] = True


# -- JUnit -----------------------------------------------------------------------------------------


def note_judged(item: pytest.Item, report: pytest.TestReport) -> None:
    """Note what was due and what came of it, for the properties that JUnit XML shows of a
    scenario.
    """
    cluster = item.stash.get(RUNNING, None)
    if cluster is not None and report.when == "call":
        with contextlib.suppress(HarnessError):  # the recording has failed, which is told elsewhere
            judged = cluster.timeline.events(Judged, since=cluster.timeline.mark)
            item.user_properties += [
                (f"{event.node} {event.what}", words(event)) for event in judged
            ]


@pytest.fixture(scope="session")
def _about_the_run(
    pytestconfig: pytest.Config, record_testsuite_property: Callable[[str, object], None]
) -> Iterator[None]:
    """What the run runs on, for run.json and as properties of JUnit's test suite.

    Told last of all: to ask four programs takes as long as to build a cluster.
    """
    yield
    from harness.report.versions import versions

    if run_of(pytestconfig) is not None:
        with unwritten.told(pytestconfig):
            _tell(pytestconfig, versions=versions())
        if not parallel.is_worker(pytestconfig):
            _describe(pytestconfig, record_testsuite_property)


def _describe(config: pytest.Config, add_property: Callable[[str, object], None]) -> None:
    about = artifacts.read_about(own_run(config).folder / artifacts.RUN)
    for name in ("kernel", "clock", "seed"):
        add_property(name, about.get(name, ""))
    for name, version in about.get("versions", {}).items():
        add_property(name, version)
