"""The evidence of one scenario, written while it runs: timeline, capture, and at the end what the
nodes tell.

``scenario.json`` is written when a scenario begins and again when it has ended, so that of one
which was cut short is known what it was. docs/artifacts.md describes every file.
"""

from __future__ import annotations

import contextlib
import shutil
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.clock import Instant
from harness.cluster import Cluster
from harness.errors import HarnessError
from harness.events import Advertisement, Arp, Event, Ndp, Request, Synchronisation
from harness.lab.plan import Plan
from harness.observers.packets import Frame
from harness.report import dumps
from harness.report.artifacts import (
    ABOUT,
    CAPTURE,
    FORMAT,
    TIMELINE,
    cannot_write,
    replacing,
    write_json,
)
from harness.report.recording import Recording
from harness.report.standing import standing
from harness.topology.roles import kind_of

_IN_FRAMES = (Advertisement, Arp, Ndp, Synchronisation)
"""What is read from frames, which the capture has already."""


class Evidence:
    """Of one scenario on a running cluster, from construction to :meth:`finish`, in a folder of its
    own.
    """

    def __init__(self, folder: Path, cluster: Cluster, about: Mapping[str, Any]) -> None:
        """``about`` says what the scenario is, as JSON. Raises HarnessError if the folder cannot be
        written.
        """
        self.folder, self._cluster = folder, cluster
        self._problem: OSError | None = None
        self._frames = 0
        self._lines: dict[int, str] = {}
        """What was written of an event, by its id: the timeline holds them all."""
        self._waiting: list[str] = []
        """What is still to be written of the timeline; several threads record."""
        self._writing = threading.Lock()
        self._asked = False
        """Whether a request was written since there were frames."""
        self._ended: Instant | None = None
        timeline = cluster.timeline
        self._about = {
            "format": FORMAT,
            **about,
            "outcome": None,
            "began": timeline.mark,
            "cluster": cluster.folder.name,
            "earlier": cluster.scenarios - 1,
            **described(cluster.plan),
            "before": [event.as_dict() for event in standing(timeline, timeline.mark)],
        }
        # The first scenario has the logs of the start as well: it may fail by what happened there.
        said = [] if cluster.scenarios <= 1 else sorted(cluster.folder.glob("*/*.log"))
        self._logs = {path: path.stat().st_size for path in said}
        try:
            write_json(folder / ABOUT, self._about)
            for director in cluster.directors:
                (folder / director.name).mkdir()
                (folder / director.name / Path(director.config_file).name).write_bytes(
                    director.config_text()
                )
            with contextlib.ExitStack() as opened:
                self._timeline = opened.enter_context(open(folder / TIMELINE, "wb", buffering=0))
                title = str(about.get("test", folder.name))
                self._capture = Recording(folder / CAPTURE, cluster, title)
                opened.pop_all()  # both stay open until finish
        except OSError as problem:
            raise cannot_write(folder, problem) from None
        timeline.listen(self._hear)
        cluster.recorder.listen(self._see)

    def _hear(self, event: Event) -> None:
        if self._problem is None:
            line = self._lines[id(event)] = event.as_json()
            with self._writing:
                self._waiting.append(line)
            if self._is_urgent(event):
                self._write_timeline()

    def _is_urgent(self, event: Event) -> bool:
        """Whether an event is to be written at once. There may be thousands of some kinds, and to
        write costs a guest more than all else that is done with an event: those of frames wait for
        the next frames or for another event, and so do further requests after the first one.
        """
        if isinstance(event, _IN_FRAMES):
            return False
        first, self._asked = not self._asked, self._asked or isinstance(event, Request)
        return first or not isinstance(event, Request)

    def _write_timeline(self) -> None:
        with self._writing:
            waiting, self._waiting = self._waiting, []
            try:
                if waiting:
                    self._timeline.write("\n".join([*waiting, ""]).encode())
            except OSError as problem:  # whoever records cannot help it: it is told at the end
                self._problem = problem

    def _see(self, frames: list[Frame]) -> None:
        self._frames += len(frames)
        if self._problem is None:
            try:
                self._capture.write(frames)
            except OSError as problem:
                self._problem = problem
            self._write_timeline()
            self._asked = False

    def end(self) -> None:
        """End the timeline here: what follows is no part of the scenario.

        Nor is it the same in each run, since pytest reads the clock as often as it has something to
        print.
        """
        self._ended = self._cluster.timeline.now()

    def finish(self, outcome: Mapping[str, Any], keep: str) -> None:
        """Write how the scenario ended and, if it is to be kept, what the nodes tell now.

        ``keep`` says of which scenarios to keep the large files: ``all``, ``failed`` or ``none``.
        The timeline ends now unless :meth:`end` has ended it.

        Raises HarnessError if they could not all be written.
        """
        large = keep == "all" or (
            keep == "failed" and outcome.get("outcome") not in ("passed", "skipped")
        )
        ended = self._cluster.timeline.now() if self._ended is None else self._ended
        counts = {"ended": ended, "dropped": self._cluster.recorder.dropped}
        broken = self._stop()
        try:
            if self._problem is not None:
                raise self._problem
            if broken is None:
                self._sort_timeline(ended)
            if large:
                self._cut_logs()
                dumps.gather(self._cluster, self.folder)
            else:
                (self.folder / CAPTURE).unlink()
            write_json(
                self.folder / ABOUT, {**self._about, **counts, "frames": self._frames, **outcome}
            )
        except OSError as problem:
            raise cannot_write(self.folder, problem) from None
        if broken is not None:
            raise broken

    def _stop(self) -> HarnessError | None:
        """Hear the last of it; returns what went wrong with the recording, if anything did."""
        timeline, recorder = self._cluster.timeline, self._cluster.recorder
        try:
            timeline.events(Advertisement)  # decodes what has not been decoded, so that it is heard
            recorder.listen(None)
        except HarnessError as problem:
            return problem
        finally:
            timeline.listen(None)
            self._write_timeline()
            self._timeline.close()
            self._capture.close()
        return None

    def _sort_timeline(self, ended: Instant) -> None:
        """Put the lines in the order of their instants: some are known only later, such as a
        request's answer.
        """
        timeline = self._cluster.timeline
        with replacing(self.folder / TIMELINE) as file:
            timeline.write(file, since=timeline.mark, until=ended, line=self._line)

    def _line(self, event: Event) -> str:
        return self._lines.get(id(event)) or event.as_json()

    def _cut_logs(self) -> None:
        """Copy what the daemons have said since the scenario began."""
        for path in sorted(self._cluster.folder.glob("*/*.log")):
            target = self.folder / path.parent.name / path.name
            target.parent.mkdir(exist_ok=True)
            with open(path, "rb") as log, open(target, "wb") as copy:
                log.seek(self._logs.get(path, 0))
                shutil.copyfileobj(log, copy)


def described(plan: Plan) -> dict[str, Any]:
    """The nodes of a topology in its order: name, role, and addresses by interface."""
    nodes = []
    for host in plan.hosts:
        addresses = {each.name: list(map(str, each.addresses)) for each in host.interfaces}
        role = kind_of(type(host.role)).__name__
        nodes.append({"name": host.name, "role": role, "addresses": addresses})
    return {"nodes": nodes}
