"""What has changed in a run's folder, for everybody who looks at its page."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Final

from harness import received
from harness.errors import HarnessError
from harness.report import page
from harness.report.artifacts import ABOUT, GOING_ON, Run, read_run, read_scenario

_SETTLED: Final = 300
"""Milliseconds for which changes are gathered: a scenario writes its timeline line by line."""


class Changes:
    """Counts changes of scenarios' folders, and wakes whoever waits for more."""

    def __init__(self, run: Path) -> None:
        self._run = run
        self._changed: dict[str, int] = {}
        self._more = asyncio.Condition()
        self.count = 0

    async def watch(self, ended: asyncio.Event) -> None:
        """Look at the folder until that is set: a thread looks, which nothing else ends."""
        from watchfiles import awatch

        async for found in awatch(self._run, debounce=_SETTLED, stop_event=ended):
            names = _scenarios(self._run, (Path(path) for _, path in found))
            if names:
                await self.note(names)

    async def note(self, names: Iterable[str]) -> None:
        """These scenarios' folders have changed."""
        async with self._more:
            self.count += 1
            self._changed |= dict.fromkeys(names, self.count)
            self._more.notify_all()

    async def since(self, count: int) -> AsyncIterator[str]:
        """Each change after the first ``count``, as the data of an event for the page; for ever."""
        while True:
            async with self._more:
                while self.count <= count:
                    await self._more.wait()
                names = [name for name, at in self._changed.items() if at > count]
                count = self.count
            for name in names:
                told = await asyncio.to_thread(self._told, name, f"{name}-{count}")
                if told is not None:
                    yield told

    def _told(self, name: str, number: str) -> str | None:
        scenario = read_scenario(self._run / name)
        if not scenario.about:  # it has been made this moment
            return None
        nodes = [str(node["name"]) for node in scenario.about.get("nodes", ())]
        told = {
            "name": scenario.name,
            "markup": page.entry(scenario, number, self._run),
            "summaries": page.summaries([self.run()]),
            "nodes": nodes,
        }
        return json.dumps(told)

    def run(self) -> Run:
        """The run as far as it has come: nothing before its first scenario."""
        try:
            run = read_run(self._run)
        except HarnessError:
            return Run(self._run, {}, [], [])
        run.problems = [problem for problem in run.problems if problem != GOING_ON]
        return run


def _scenarios(run: Path, paths: Iterable[Path]) -> set[str]:
    """Of a folder that is new only that itself may be told, and not what is in it."""
    parts = [path.relative_to(run).parts for path in paths if path.is_relative_to(run)]
    names = {part[0] for part in parts if part}
    return {name for name in names if received.has(run, f"{name}/{ABOUT}")}
