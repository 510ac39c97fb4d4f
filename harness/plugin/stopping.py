"""``--pause`` and ``--shell-on-failure``: stop with the cluster alive, and give its prompt."""

from __future__ import annotations

import pytest

from harness.errors import HarnessError
from harness.plugin import parallel, private_pytest
from harness.plugin.clusters import RUNNING
from harness.plugin.judge import outcome_of


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options."""
    group = parser.getgroup("lvs-harness")
    group.addoption(
        "--pause",
        action="store_true",
        help="after each scenario, stop with its cluster alive at a prompt",
    )
    group.addoption(
        "--shell-on-failure",
        action="store_true",
        help=(
            "where a scenario fails, stop with its cluster alive at a prompt, before faults are"
            " healed"
        ),
    )


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Refuse the options together with workers, which have no terminal."""
    if _wanted(config) and parallel.automatic(config):
        parallel.settle(config, None)
    if _wanted(config) and parallel.workers_wanted(config):
        raise pytest.UsageError(
            "--pause and --shell-on-failure need the terminal, which workers have not: leave out -n"
        )


def pytest_configure(config: pytest.Config) -> None:
    """Take part if one of the options is given."""
    if _wanted(config):
        config.pluginmanager.register(_Stopper(config))


def _wanted(config: pytest.Config) -> bool:
    return bool(config.getoption("pause") or config.getoption("shell_on_failure"))


class _Stopper:
    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._items: dict[str, pytest.Item] = {}
        self._stopped: set[str] = set()

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Remember the scenarios by name, since reports name them and nothing else."""
        self._items = {item.nodeid: item for item in session.items}

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_call(self, item: pytest.Item) -> None:
        """Stop inside the scenario too, where leaving it would heal what befell the cluster."""
        cluster = item.stash.get(RUNNING, None)
        if cluster is not None and self._config.getoption("shell_on_failure"):
            cluster.faults.before_healing = lambda problem: self._stop(
                item, f"{item.nodeid}: {_told(problem)}"
            )

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A scenario has ended, and its cluster is not yet handed on."""
        item = self._items.get(report.nodeid)
        if item is None or report.when != "call" or RUNNING not in item.stash:
            return
        item.stash[RUNNING].faults.before_healing = None
        if report.failed and self._config.getoption("shell_on_failure"):
            self._stop(item, f"{report.longreprtext}\n{report.nodeid} failed.")
        elif self._config.getoption("pause"):
            ended = outcome_of(report)
            self._stop(item, f"{report.nodeid} {ended}.")

    def _stop(self, item: pytest.Item, reason: str) -> None:
        from harness.console import Console

        if item.nodeid not in self._stopped:
            self._stopped.add(item.nodeid)
            with private_pytest.at_the_terminal(self._config):
                Console(item.stash[RUNNING]).run(reason)


def _told(problem: BaseException) -> str:
    text = str(problem)
    return text if isinstance(problem, HarnessError) else f"{type(problem).__name__}: {text}"
