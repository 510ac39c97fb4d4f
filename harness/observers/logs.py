"""What the daemons print: every line into a file and onto the timeline, at the instant at which it
was written.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from harness.errors import HarnessError
from harness.events import Log
from harness.observers.loop import Loop
from harness.timeline import Timeline


class LogObserver:
    """Reads one daemon's standard output and error through a pipe; :attr:`writer` is the daemon's
    end.
    """

    def __init__(
        self,
        loop: Loop,
        timeline: Timeline,
        node: str,
        daemon: str,
        folder: Path,
        on_line: Callable[[str], None],
    ) -> None:
        self._loop, self._timeline, self._node, self._daemon = loop, timeline, node, daemon
        self._on_line = on_line
        self._rest = b""
        self._path = folder / f"{daemon}.log"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._file = open(self._path, "ab", buffering=0)  # noqa: SIM115 - closed with the pipe
        except OSError as problem:
            raise self._cannot_write(problem) from None
        self._reader, self.writer = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(self._reader, False)
        try:
            loop.do(lambda: loop.watch(self._reader, self._read))
        except HarnessError:
            os.close(self.writer)
            self.close()
            raise

    def _read(self) -> None:
        try:
            data = os.read(self._reader, 1 << 16)
        except BlockingIOError:
            return
        if not data:
            if self._rest:  # last words, cut short
                self._record(self._rest)
            self._loop.unwatch(self._reader)
            self.close()
            return
        try:
            self._file.write(data)
        except OSError as problem:
            raise self._cannot_write(problem) from None
        *lines, self._rest = (self._rest + data).split(b"\n")
        for raw in lines:
            self._record(raw)

    def _cannot_write(self, problem: OSError) -> HarnessError:
        return HarnessError(
            f"cannot write the log {self._path}: {problem.strerror}; make room, or use"
            " --artifacts DIR"
        )

    def _record(self, raw: bytes) -> None:
        line = raw.decode(errors="replace").rstrip()
        self._timeline.record(Log(self._timeline.now(), self._node, daemon=self._daemon, line=line))
        self._on_line(line)

    def close(self) -> None:
        """Let go of pipe and file, if the daemon's end has not led to that already."""
        if not self._file.closed:
            os.close(self._reader)
            self._file.close()
