"""Where the tests run: on this machine's kernel, or moved as a whole into the embedded one."""

from __future__ import annotations

import marshal
import os
import time
from contextlib import nullcontext, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.errors import HarnessError
from harness.kernels import choice, imports, native, wire
from harness.kernels.watchdog import WATCHDOG
from harness.plugin import parallel, report
from harness.plugin.images import base_selection, selection_of
from harness.plugin.marks import topology_of
from harness.plugin.matrix import images_asked_for
from harness.report import artifacts

ARTIFACTS = "artifacts"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of the harness."""
    group = parser.getgroup("lvs-harness", "LVS harness")
    group.addoption(
        "--kernel",
        default="auto",
        metavar="auto|native|uml|PATH",
        help="where clusters run: this machine's kernel (native: root and IPVS), the embedded one (uml, or the path of"
        " a User Mode Linux kernel), or native if it can and else uml (auto, the default)",
    )
    group.addoption(
        "--clock",
        choices=choice.CLOCKS,
        default="auto",
        help="real time, or virtual time, in which waiting costs nothing (auto: virtual where the kernel can)",
    )
    group.addoption(
        "--seed", type=int, default=0, help="fixes what is random: hardware addresses, virtual time's first day"
    )
    group.addoption(
        "--watchdog",
        type=float,
        default=WATCHDOG,
        metavar="SECONDS",
        help="end a run whose virtual time does not move for so long in real time (default: %(default)s, 0: never);"
        " waiting for input does not count",
    )
    group.addoption(
        "--memory",
        metavar="SIZE",
        help="what an embedded kernel is given, such as 512M or 2G (default: 1G, or more for a cluster that needs it);"
        " what is not used costs nothing",
    )
    group.addoption("--artifacts", default=ARTIFACTS, help="folder for logs and timelines (default: %(default)s)")


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> int | None:
    """Move the whole run into the embedded kernel, if it needs a cluster and that is where clusters are to run."""
    if choice.in_guest() or parallel.is_worker(config) or _only_looks(config):
        return None
    try:
        _make_images(config)
        if not _needs_kernel(config):
            return None
        option = config.option
        chosen = choice.choose(option.kernel, option.clock, option.seed)
        chosen = replace(chosen, memory=parallel.guest_memory(config))
        if chosen.embedded is None and (problem := native.too_small(config.stash[parallel.MACHINES])):
            raise HarnessError(problem)
        run = artifacts.new_run(Path(config.invocation_params.dir, config.getoption("artifacts")))
        os.environ[choice.HEADER], os.environ[choice.RUN] = chosen.header, str(run)
        clusters = config.stash[parallel.CLUSTERS]
        report.begin(run, config, chosen, list(clusters))
        if parallel.workers_wanted(config) or chosen.embedded is None:
            parallel.prepare(config, chosen)
            report.on_this_kernel(config)
            return None
        if (capture := config.pluginmanager.get_plugin("capturemanager")) is not None:
            capture.suspend_global_capture(in_=True)  # The guest's standard input is to be ours, not /dev/null.
        began, status = time.monotonic(), None
        try:
            arguments, outside = list(config.invocation_params.args), _outside_files(config)
            status = chosen.run(
                "pytest", arguments, run, outside, option.watchdog, modules=config.stash[parallel.MODULES]
            )
        finally:
            report.end(run, time.monotonic() - began, status)
        return status
    except HarnessError as problem:
        raise pytest.UsageError(str(problem)) from None


def _make_images(config: pytest.Config) -> None:
    """Make the images that the run asks for, before anything looks for them."""
    if not (names := images_asked_for(config)):
        return
    from harness.images.selection import make

    capture = config.pluginmanager.get_plugin("capturemanager")
    with capture.global_and_fixture_disabled() if capture is not None else nullcontext():
        for name in names:
            make(name, lambda line: print(line, flush=True))


def _only_looks(config: pytest.Config) -> bool:
    option = config.option
    looks = ("collectonly", "help", "version", "markers", "showfixtures", "show_fixtures_per_test", "setupplan")
    return any(getattr(option, name, False) for name in looks) or bool(getattr(option, "cacheshow", None))


def _needs_kernel(config: pytest.Config) -> bool:
    """Whether any selected test uses a cluster or asks for its kernel.

    That takes collecting, which is done in a forked process, so that nothing of it stays behind.

    Raises HarnessError if a topology among them is wrong.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        answer: dict[str, Any] = {}
        try:
            null = os.open(os.devnull, os.O_RDWR)
            for standard in (0, 1, 2):
                os.dup2(null, standard)
            answer = _collect(config)
        finally:
            with suppress(BrokenPipeError):  # the run has been killed
                wire.write_all(writer, marshal.dumps(answer))
            os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        answer = marshal.loads(pipe.read() or marshal.dumps({}))
    os.waitpid(child, 0)
    if "error" in answer:
        raise HarnessError(answer["error"])
    config.stash[parallel.CLUSTERS] = answer.get("clusters", {})
    config.stash[parallel.SHARD] = answer.get("shard", {})
    config.stash[parallel.MACHINES] = answer.get("machines", 0)
    config.stash[parallel.MODULES] = answer.get("modules", b"")
    return bool(answer.get("users"))  # where collecting fails, the run that follows here shows why


def _collect(config: pytest.Config) -> dict[str, Any]:
    from _pytest.main import Session

    alone = not parallel.workers_wanted(config)
    parallel.stay_alone(config)
    config._do_configure()
    if (reporter := config.pluginmanager.get_plugin("terminalreporter")) is not None:
        reporter._tw._file = open(os.devnull, "w")  # noqa: SIM115 - this process ends in a moment
    session = Session.from_config(config)
    config.hook.pytest_sessionstart(session=session)
    session.perform_collect()
    users = [item for item in session.items if "lvs_kernel" in getattr(item, "fixturenames", ())]
    try:
        on_clusters = [item for item in users if "cluster" in getattr(item, "fixturenames", ())]
        machines = _plan_all(on_clusters)
    except HarnessError as problem:
        return {"error": str(problem)}
    return {
        "users": len(users),
        "machines": machines,
        "modules": imports.gather() if alone else b"",
        "shard": config.stash.get(parallel.SHARD, {}),
        "clusters": {item.nodeid: parallel.cluster_key(item) for item in on_clusters},
    }


def _plan_all(items: list[pytest.Item]) -> int:
    """How many machines the largest of the clusters has. HarnessError names what is wrong with one."""
    from harness.check.configured import Configured
    from harness.images.selection import ROLES
    from harness.pool import planned

    seen, names, most = set(), set(ROLES), 0
    for item in items:
        topology, parameters = topology_of(item)
        if isinstance(topology, Configured):
            continue  # which keepalived has to read first, in a machine
        parameters.pop("fresh", None)
        selection = selection_of(item)
        if (key := repr((topology, parameters, selection))) not in seen:
            seen.add(key)
            try:
                hosts = planned(topology, parameters, 0, selection=selection).hosts
            except HarnessError as problem:
                raise HarnessError(f"{item.nodeid}: {problem}") from None
            names |= {host.name for host in hosts}
            most = max(most, len(hosts))
    if items and (selection := base_selection(items[0].config)) and (unknown := selection.whose - names):
        raise HarnessError(
            f"--image or --keepalived for {', '.join(sorted(unknown))}: no such role or node;"
            f" the selected scenarios have {', '.join(sorted(names))}"
        )
    return most


def _outside_files(config: pytest.Config) -> list[Path]:
    """Files and folders outside the artifacts that pytest itself writes and that the user expects to find."""
    option = config.option
    named = [option.xmlpath, getattr(option, "log_file", None), option.grid]
    found = [config.invocation_params.dir / path for path in named if path]
    if config.pluginmanager.hasplugin("cacheprovider"):
        found.append(config.rootpath / str(config.getini("cache_dir")))
    return found


def pytest_report_header() -> str | None:
    """One line that says on which kernel the clusters run, and why."""
    header = os.environ.get(choice.HEADER)
    return f"lvs-harness: {header}" if header else None
