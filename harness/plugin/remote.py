"""``--tx ssh=HOST``: workers of pytest-xdist on other machines, each in an embedded kernel
there.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import pytest

from harness.errors import HarnessError
from harness.kernels.workers.remote import Remote
from harness.plugin import parallel, unwritten
from harness.plugin.survey import own_run, run_of
from harness.report import merging

if TYPE_CHECKING:
    import execnet
    from xdist.workermanage import WorkerController

_machines = pytest.StashKey[
    dict[str | None, Remote]
]()  # by the command that starts the worker there


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(config: pytest.Config, specs: Sequence[execnet.XSpec]) -> None:
    """Turn each ``ssh=`` into a program that is started here, which is ssh itself: so pytest-xdist
    does not try to copy files there.
    """
    machines = config.stash.setdefault(_machines, {})
    for spec in specs:
        if spec.ssh and (run := run_of(config)) is not None:
            options = ["-F", spec.ssh_config] if spec.ssh_config else []
            machine = Remote(
                (*options, *spec.ssh.split()), Path("/tmp", f"lvs-harness-{uuid.uuid4().hex}")
            )
            try:
                machine.check()
            except HarnessError as problem:
                raise pytest.UsageError(f"--tx: {problem}") from None
            spec.popen, spec.chdir = True, None
            spec.python = machine.start(parallel.gateway_command(config), run)
            machines[spec.python] = machine


@pytest.hookimpl(optionalhook=True, tryfirst=True)
def pytest_testnodedown(node: WorkerController) -> None:
    """Fetch what a worker there has written, however it ended."""
    machine = node.config.stash.get(_machines, {}).get(node.gateway.spec.python)
    if machine is not None:
        with unwritten.told(node.config), TemporaryDirectory(prefix="lvs-harness-") as written:
            machine.fetch(Path(written))
            run = own_run(node.config)
            merging.adopt(Path(written), run.folder, run.console(node.gateway.id))


def pytest_configure(config: pytest.Config) -> None:
    """In a worker: make the controller's folder of temporary files, which this machine may lack."""
    if parallel.is_worker(config) and config.option.basetemp:
        Path(config.option.basetemp).parent.mkdir(parents=True, exist_ok=True)
