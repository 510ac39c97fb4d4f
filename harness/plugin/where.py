"""Where the tests run: on this machine's kernel, or moved as a whole into the embedded one."""

from __future__ import annotations

import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import HarnessError
from harness.kernels import choice, native
from harness.kernels.host import interrupts, memory
from harness.kernels.host.watchdog import WATCHDOG, limit
from harness.kernels.run import Run, entered
from harness.plugin import (
    check,
    collecting,
    core,
    corpus,
    live,
    parallel,
    private_pytest,
    readable,
    report,
)
from harness.plugin.marks import CONFIGURED
from harness.plugin.matrix import images_asked_for
from harness.plugin.survey import RUN, SURVEY, run_of, survey_of
from harness.report import artifacts

ARTIFACTS = "artifacts"
_TOLD = 10
"""At most so many problems are listed where nothing can be run."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of the harness."""
    group = parser.getgroup("lvs-harness", "LVS harness")
    group.addoption(
        "--kernel",
        default="auto",
        metavar="auto|native|uml|PATH",
        help="where clusters run: this machine's kernel (native: root and IPVS), the embedded"
        " one (uml, or the path of"
        " a User Mode Linux kernel), or what is best here (auto, the default): the embedded one"
        " with virtual time if"
        " it has been built, else native if that can be, else the packaged one",
    )
    group.addoption(
        "--clock",
        choices=choice.CLOCKS,
        default="auto",
        help="real time, or virtual time, in which waiting costs nothing (auto: virtual where"
        " the kernel can)",
    )
    group.addoption(
        "--seed",
        type=int,
        default=0,
        help="fixes what is random: hardware addresses, virtual time's first day",
    )
    group.addoption(
        "--watchdog",
        type=limit,
        default=WATCHDOG,
        metavar="SECONDS",
        help="end a run whose virtual time does not move for so long in real time (default:"
        " %(default)s, 0: never);"
        " waiting for input does not count",
    )
    group.addoption(
        "--memory",
        metavar="SIZE",
        help="what an embedded kernel is given, such as 512M or 2G (default: 1G, or more for a"
        " cluster that needs it);"
        " what is not used costs nothing",
    )
    group.addoption(
        "--quota",
        metavar="SIZE",
        help="what there may be in the run's folder before an embedded kernel is ended, 1M to"
        " 1024G (default: 2G)",
    )
    group.addoption(
        "--artifacts",
        default=ARTIFACTS,
        help="folder for logs and timelines (default: %(default)s)",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Have a signal that ends the run leave time to report what was found. In a worker this is left
    to the controller.
    """
    if not parallel.is_worker(config):
        _check_root(config)
        interrupts.install()


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Move the whole run into the embedded kernel, if it needs a cluster and that is where
    clusters are to run.
    """
    if choice.in_guest() or parallel.is_worker(config):
        _enter(config)
        return None
    if _only_looks(config):
        return None
    try:
        parallel.check_workers(config)
        check.read(config)
        core.narrow(config)
        _make_images(config)
        if not _needs_kernel(config):
            return None
        option = config.option
        chosen = choice.choose(option.kernel, option.clock, option.seed)
        chosen = replace(
            chosen, memory=parallel.guest_memory(config), quota=memory.quota(option.quota)
        )
        readable.check_trust(config, chosen.embedded is not None)
        if chosen.embedded is None and (problem := native.too_small(survey_of(config).machines)):
            raise HarnessError(problem)
        run = config.stash[RUN] = _begin(config, chosen)
        report.begin(run.folder, config, chosen)
        live.serve(config, run.folder)
        if parallel.workers_wanted(config) or chosen.embedded is None:
            parallel.prepare(config, chosen, run)
            report.on_this_kernel(config)
            return None
        private_pytest.give_standard_input(config)  # it is to be the guest's
        began, status = time.monotonic(), None
        try:
            arguments = [
                *_root(config),
                *config.invocation_params.args,
                *core.arguments(config),
                *parallel.arguments(config),
            ]
            outside = _outside_files(config)
            status = chosen.run(
                "pytest",
                arguments,
                run,
                outside,
                option.watchdog,
                modules=survey_of(config).modules,
                readable=readable.paths(config),
            )
        finally:
            corpus.collect(config, run.folder)
            report.end(run.folder, time.monotonic() - began, status)
        return status
    except HarnessError as problem:
        raise pytest.UsageError(str(problem)) from None
    except collecting.CollectorDied as problem:
        print(f"lvs-harness: {problem}; nothing was run", file=sys.stderr)
        return pytest.ExitCode.INTERNAL_ERROR
    except KeyboardInterrupt:
        config.add_cleanup(interrupts.begin_end())
        print("lvs-harness: interrupted before anything was run", file=sys.stderr)
        return interrupts.INTERRUPTED if CONFIGURED in config.stash else pytest.ExitCode.INTERRUPTED


def _enter(config: pytest.Config) -> None:
    """In a guest or a worker: take over the run for which this process has been started."""
    if (run := entered()) is None:
        return
    config.stash[RUN] = run
    if run.commits:
        from harness.images import program

        program.remember(run.commits)


def _check_root(config: pytest.Config) -> None:
    """Refuse a run for which pytest has taken the value of ``--kernel PATH`` for what to test, and
    so looks for tests beside the kernel: it looks for its root before it knows that option.
    """
    outside = not config.invocation_params.dir.is_relative_to(config.rootpath)
    kernel = config.invocation_params.dir / config.getoption("kernel")
    if outside and kernel.is_relative_to(config.rootpath):
        raise pytest.UsageError(
            f"pytest takes {config.rootpath} for the folder of the tests, since --kernel names it:"
            " write --kernel=PATH, with an =, or name the tests to be run"
        )


def _root(config: pytest.Config) -> list[str]:
    """Options for pytest to have the same root and configuration in the guest. It looks for them
    before it knows the options of plugins, so it takes the folder in ``--artifacts FOLDER``, which
    is there by then, for one with tests.
    """
    found = [f"--rootdir={config.rootpath}"]
    return found if config.inipath is None else ["-c", str(config.inipath), *found]


def _begin(config: pytest.Config, chosen: choice.Choice) -> Run:
    """Make the run and its folder."""
    from harness.images import program

    folder = artifacts.new_run(Path(config.invocation_params.dir, config.getoption("artifacts")))
    added = core.announcement(config, chosen.virtual, parallel.workers(config))
    fatal = survey_of(config).fatal
    return Run(folder, chosen.header + added, program.commits(), fatal)


def _make_images(config: pytest.Config) -> None:
    """Make the images that the run asks for, before anything looks for them."""
    if not (names := images_asked_for(config)):
        return
    from harness.images.selection import make

    with private_pytest.uncaptured(config):
        for name in names:
            make(name, lambda line: print(line, flush=True))


def _only_looks(config: pytest.Config) -> bool:
    option = config.option
    looks = (
        "collectonly",
        "help",
        "version",
        "markers",
        "showfixtures",
        "show_fixtures_per_test",
        "setupplan",
    )
    return any(getattr(option, name, False) for name in looks) or bool(
        getattr(option, "cacheshow", None)
    )


def _needs_kernel(config: pytest.Config) -> bool:
    """Whether any selected test uses a cluster or asks for its kernel; notes what else is to be
    known of them.

    Raises HarnessError if there is nothing else to run than scenarios whose topology is wrong.
    """
    found = collecting.look(config)
    if found.wrong and len(found.wrong) == found.items:
        raise HarnessError(_in_short(found.wrong))
    config.stash[SURVEY] = found
    if found.users and parallel.automatic(config):  # how many others want, pytest-xdist says
        parallel.settle(config, found.workers)
    return bool(found.users)  # where collecting fails, the run that follows here shows why


def _in_short(wrong: dict[str, str]) -> str:
    """Each problem once, with the first scenario that has it."""
    first_of: dict[str, str] = {}
    for scenario, problem in wrong.items():
        first_of.setdefault(problem, scenario)
    lines = [
        problem if problem.startswith(scenario) else f"{scenario}: {problem}"
        for problem, scenario in first_of.items()
    ]
    more = [f"... and {len(lines) - _TOLD} more"] if len(lines) > _TOLD else []
    return "\n".join([*lines[:_TOLD], *more])


def _outside_files(config: pytest.Config) -> list[Path]:
    """Files and folders outside the artifacts that pytest itself writes and that the user
    expects to find.
    """
    option = config.option
    named = [option.xmlpath, getattr(option, "log_file", None), option.grid, option.conformance]
    named += [option.verdict_json, option.verdict_sarif]
    found = [config.invocation_params.dir / path for path in named if path]
    if config.pluginmanager.hasplugin("cacheprovider"):
        found.append(config.rootpath / str(config.getini("cache_dir")))
    return found


def pytest_report_header(config: pytest.Config) -> str | None:
    """One line that says on which kernel the clusters run, and why."""
    run = run_of(config)
    return f"lvs-harness: {run.header}" if run is not None and run.header else None
