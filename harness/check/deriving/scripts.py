"""What the directors' scripts meet in a derived cluster: services that run there, stand-ins in the
place of what cannot (pure).
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping

from harness.check import local
from harness.check.deriving.assuming import Assuming
from harness.check.deriving.wanted import Wanted
from harness.check.facts import Reading
from harness.check.files import SCRIPT
from harness.errors import HarnessError
from harness.topology.local import LocalService
from harness.topology.tracking import VrrpScript

REST, SUCCEEDS, RUNS = "rest.", "succeeds", "runs"
"""``--set rest.SCRIPT=runs``: a script that fails all by itself runs as it is."""
_SAID = 120


def _that_look(reading: Reading) -> tuple[VrrpScript, ...]:
    """The scripts whose program is there: the stand-in for one that is not looks for nothing."""
    found = []
    for each in reading.scripts:
        if not local.runs_one_of(each.script, reading.programs):
            found.append(each)
    return tuple(found)


class Scripts:
    """``links_pidof``: whether pidof is a link to killall5 on the directors; ``replaced`` are by
    director the scripts in whose place is one that succeeds.
    """

    def __init__(
        self,
        wanted: Wanted,
        assuming: Assuming,
        files: Mapping[str, Mapping[str, tuple[bytes, int]]],
    ) -> None:
        self._wanted = wanted
        self._assuming = assuming
        readings = wanted.readings
        looking = {name: _that_look(reading) for name, reading in readings.items()}
        every = itertools.chain.from_iterable(looking.values())
        self.links_pidof = local.links_pidof(every, assuming.setting)
        own_files = {name: files.get(name, {}) for name in readings}
        self._local = local.running(looking, own_files, assuming.setting, wanted.held())
        self.replaced = {
            name: tuple(self._succeeding(reading)) for name, reading in readings.items()
        }

    def runs(self, director: str) -> dict[str, tuple[LocalService, ...]]:
        """By script what runs for it on a director, but for those that are replaced."""
        return {
            script: own
            for script, own in self._local.get(director, {}).items()
            if script not in self.replaced[director]
        }

    def assume_programs(self) -> None:
        """Tell which programs are not there, so that one that succeeds takes the place of each."""
        for reading in self._wanted.readings.values():
            for path in reading.programs:
                why = "there is no such program, so one that does nothing and succeeds; or FILE"
                self._assuming.setting(f"{SCRIPT}{path}", "exit 0", why)

    def _succeeding(self, reading: Reading) -> Iterator[str]:
        """The scripts that fail where nothing is broken, and are assumed to succeed on the
        directors.
        """
        for ill in reading.ill:
            if ill.needs_shell:
                continue
            key = f"{REST}{ill.script}"
            why = (
                f"{ill.script} fails here and says {ill.said[:_SAID]!r}, so one that succeeds"
                f" takes its place; or {RUNS}"
            )
            value = self._assuming.setting(key, SUCCEEDS, why)
            if value not in (SUCCEEDS, RUNS):
                raise HarnessError(f"--set {key}={value}: write {SUCCEEDS} or {RUNS}")
            if value == SUCCEEDS:
                yield ill.script
