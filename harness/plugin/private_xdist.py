"""Everything that the harness uses of pytest-xdist and execnet and that these do not document.

The order in which workers get scenarios, and what a worker does while it waits. It is imported only
where there are workers. What is private in pytest is in :mod:`harness.plugin.private_pytest`; where
a new version has changed one of these, ``tests/test_private_names.py`` names it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import execnet
import pytest
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

from harness.plugin import units


class ByCluster(LoadScopeScheduling):
    """Gives out units (:mod:`harness.plugin.units`), the longest first."""

    def __init__(
        self,
        config: pytest.Config,
        clusters: Mapping[str, str],
        durations: Mapping[str, float],
        log: Any,
    ) -> None:
        super().__init__(config, log)
        made = units.longest_first(units.units(clusters, durations, self.numnodes), durations)
        self._rank = {str(number): number for number in range(len(made))}
        self._unit: dict[str, str] = {}
        for number, unit in enumerate(made):
            self._unit |= dict.fromkeys(unit, str(number))
        config.option.loadscopereorder = False

    def _split_scope(self, nodeid: str) -> str:
        """The unit that a test belongs to. Tests without a cluster belong to none: they come first,
        and each file is a unit.
        """
        return self._unit.get(nodeid, nodeid.partition("::")[0])

    def schedule(self) -> None:
        """One that has replaced another gets two units, as all get at first: a worker begins a test
        when it knows the next one, or that there is none.
        """
        replaced = self.collection is not None
        super().schedule()
        if replaced:
            for node in self.nodes:
                if self._pending_of(self.assigned_work[node]) < 2:
                    self._reschedule(node)

    def _assign_work_unit(self, node: WorkerController) -> None:
        longest = min(self.workqueue, key=lambda scope: self._rank.get(scope, -1))
        self.workqueue.move_to_end(longest, last=False)
        super()._assign_work_unit(node)

    def remove_node(self, node: WorkerController) -> str | None:
        """Give a dead worker's remaining tests to others. The test that it died in has failed."""
        workload: dict[str, dict[str, bool]] = self.assigned_work.pop(node)
        left = []
        for scope, unit in workload.items():
            left += [(scope, nodeid) for nodeid, done in unit.items() if not done]
        if not left:
            return None
        scope, died_of = left[0]
        workload[scope][died_of] = True
        self.workqueue.update(
            {scope: unit for scope, unit in workload.items() if not all(unit.values())}
        )
        for other in self.assigned_work:
            self._reschedule(other)
        return died_of


def pid_of(gateway: execnet.Gateway) -> int | None:
    """The process that was started for a worker; None if it is not on this machine."""
    popen = getattr(gateway._io, "popen", None)
    return None if popen is None else int(popen.pid)


def call_around_waiting(
    config: pytest.Config, before: Callable[[], None], after: Callable[[], None]
) -> None:
    """In a worker: call ``before`` when it begins to wait for the controller's next word, and
    ``after`` whenever it has got one.
    """
    plugins = config.pluginmanager.get_plugins()
    (interactor,) = (plugin for plugin in plugins if hasattr(plugin, "torun"))
    queue = interactor.torun
    plain = queue.get

    def get() -> Any:
        with queue.lock() as items:
            empty = not items
        if empty:
            before()
        item = plain()
        after()
        return item

    queue.get = get
