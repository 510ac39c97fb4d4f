"""What a search has done: each of its tests tells when it ends, and the run tells of all of them.

Workers print nowhere, so with ``-n`` this is also how far it is.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, TypeGuard

import pytest

from harness.counting import counted
from harness.plugin import parallel
from harness.plugin.survey import run_of

if TYPE_CHECKING:
    from pathlib import Path

    from harness.search.engine import Search

TALLY = "search"
"""The property of a test under which its report has the tally."""
_NUMBERS = ("sequences", "smaller", "seconds", "clusters", "found")


def leave(item: pytest.Item, search: Search) -> str:
    """Hand what a test's search has done on with its report; returns it in a line."""
    tally = search.tally
    done = {
        "sequences": tally.sequences,
        "smaller": tally.shrinking,
        "seconds": tally.seconds,
        "clusters": tally.clusters,
        "found": len(search.failures),
        "known": dict(tally.known),
    }
    item.user_properties.append((TALLY, done))
    return in_short(done, len(tally.states))


def in_short(done: dict[str, Any], states: int | None = None) -> str:
    """What was done, in a line; ``states`` is how many it has seen, where that is known."""
    seen = "" if states is None else f" {counted(states, 'state')},"
    times = Counter(done["known"]).most_common()
    named = ", ".join(
        f"{PurePosixPath(name).name} {counted(count, 'time')}" for name, count in times
    )
    known = f", known: {named}" if named else ""
    return (
        f"{counted(done['sequences'], 'sequence')} and {done['smaller']} smaller ones,"
        f" {done['seconds'] / 3600:.2f} h simulated,"
        f" {counted(done['clusters'], 'cluster')},{seen} {done['found']} found{known}"
    )


def _is_tally(value: Any) -> TypeGuard[dict[str, Any]]:
    """Whether it is what :func:`leave` has left: a worker's report comes out of a guest."""
    if not isinstance(value, dict) or not isinstance(value.get("known"), dict):
        return False
    known = value["known"].items()
    return all(isinstance(value.get(name), int | float) for name in _NUMBERS) and all(
        isinstance(name, str) and name.isprintable() and isinstance(count, int)
        for name, count in known
    )


class _Tallies:
    """Adds up what the tests tell."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._parts = 0
        self._sums = dict.fromkeys(_NUMBERS, 0)
        self._known: Counter[str] = Counter()

    @property
    def _all(self) -> dict[str, Any]:
        return {**self._sums, "known": dict(self._known)}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """A test has ended; if a worker ran it, that is news."""
        done = dict(report.user_properties).get(TALLY)
        if report.when != "call" or not _is_tally(done):
            return
        self._parts += 1
        for name in _NUMBERS:
            self._sums[name] += done[name]
        self._known.update(done["known"])
        if hasattr(report, "node"):
            sequences, passed = self._sums["sequences"], time.monotonic() - self._began
            print(
                f"\nsearch: {sequences} sequences, {self._sums['found']} found;"
                f" {60 * sequences / passed:.0f} a minute",
                end="",
                flush=True,
            )

    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter, config: pytest.Config
    ) -> None:
        """The sum of several, and where all lies that was found: of a test that was interrupted in
        a worker nothing else tells.
        """
        if self._parts > 1:
            terminalreporter.write_line(f"search: in all {in_short(self._all)}")
        if (run := run_of(config)) is not None:
            for file in left(run.folder):
                name = os.path.relpath(file, config.invocation_params.dir)
                terminalreporter.write_line(f"search: found {name}")


def left(folder: Path) -> list[Path]:
    """The scenarios that a search has left in a run's folder, where a guest writes: those with
    names that a terminal may be given.
    """
    return sorted(
        each
        for each in folder.glob("found_*/test_*.py")
        if str(each.relative_to(folder)).isprintable()
    )


def pytest_configure(config: pytest.Config) -> None:
    """Add up where reports come together, which is in no worker."""
    if not parallel.is_worker(config):
        config.pluginmanager.register(_Tallies())
