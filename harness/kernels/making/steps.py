"""The commands of a long job, one after another: a line of progress for each step, all output in
one log.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, cast

from harness.errors import HarnessError
from harness.kernels.making.cache import IDENTITY

TAIL_LINES = 15
ENDS_WITH_US = ("setpriv", "--pdeathsig", "TERM", "--")
NO_SPACE = "No space left on device"


class Steps:
    """Runs commands, their output into ``log``, with little of the environment (see
    :func:`environment`).

    A command has a process group of its own: whatever ends the step, an interrupt too, ends all of
    the group. When this process is killed, the command is ended as well.
    """

    def __init__(self, log: Path, progress: Callable[[str], None], what: str = "kernel") -> None:
        """``what`` is made, for the messages of what fails."""
        self.log = log
        self._what = what
        self._progress = progress
        self._began = time.monotonic()
        self._step = "start"
        log.write_bytes(b"")

    def begin(self, step: str) -> None:
        """Names what the commands that follow do, with the seconds since the job began."""
        self._step = step
        self._progress(f"[{time.monotonic() - self._began:6.1f} s] {step}")

    def tell(self, what: str) -> None:
        """Says how far a step has come, in a line like those of :meth:`begin`."""
        self._progress(f"[{time.monotonic() - self._began:6.1f} s]   {what}")

    def run(self, *command: str | Path, cwd: Path | None = None) -> None:
        """Runs one command; HarnessError, with the step, the log and its last lines, unless it
        succeeds.
        """
        with self.log.open("ab") as log:
            status, _ = self._run(command, log, log, cwd=cwd)
        if status != 0:
            raise self.failure(f"{Path(command[0]).name} ended with status {status}")

    def follow(self, *command: str | Path, cwd: Path, seen: Callable[[str], None]) -> None:
        """Like :meth:`run`, and ``seen`` gets every line of what the command prints, as it does."""
        with (
            self.log.open("ab", buffering=0) as log,
            self._start(command, subprocess.PIPE, log, cwd) as running,
        ):
            try:
                for line in cast(IO[bytes], running.stdout):
                    log.write(line)
                    seen(line.decode(errors="replace"))
                running.wait()
            finally:
                if running.poll() is None:
                    _end(running)
        if running.returncode != 0:
            raise self.failure(f"{Path(command[0]).name} ended with status {running.returncode}")

    def output(
        self,
        *command: str | Path,
        timeout: float | None = None,
        cwd: Path | None = None,
        logged: bool = True,
    ) -> str:
        """The standard output of one command, whatever its status; HarnessError after ``timeout``
        seconds.

        It is ``logged`` unless it is long and of no use to anybody.
        """
        with self.log.open("ab") as log:
            try:
                _, output = self._run(command, subprocess.PIPE, log, cwd=cwd, timeout=timeout)
            except subprocess.TimeoutExpired:
                raise self.failure(
                    f"{Path(command[0]).name} took longer than {timeout} s"
                ) from None
            if logged:
                log.write(output)
        return output.decode(errors="replace")

    def failure(self, reason: str) -> HarnessError:
        """The error that says what went wrong in this step, and where to read on."""
        lines = self.log.read_text(errors="replace").splitlines()
        tail = "".join(f"\n  {line}" for line in lines[-TAIL_LINES:])
        if any(NO_SPACE in line for line in lines):
            reason = f"no space left on the disk of {self.log.parent}; make room and try again"
        return HarnessError(
            f"{self._what}: step '{self._step}': {reason}\nLog: {self.log}, its last lines:{tail}"
        )

    @staticmethod
    def _run(
        command: Sequence[str | Path],
        stdout: IO[bytes] | int,
        log: IO[bytes],
        *,
        cwd: Path | None = None,
        timeout: float | None = None,
    ) -> tuple[int, bytes]:
        running = Steps._start(command, stdout, log, cwd)
        try:
            output, _ = running.communicate(timeout=timeout)
        finally:
            if running.poll() is None:
                _end(running)
        return running.returncode, output or b""

    @staticmethod
    def _start(
        command: Sequence[str | Path], stdout: IO[bytes] | int, log: IO[bytes], cwd: Path | None
    ) -> subprocess.Popen[bytes]:
        log.write(f"$ {' '.join(map(str, command))}\n".encode())
        log.flush()
        return subprocess.Popen(
            [*ENDS_WITH_US, *command],
            cwd=cwd,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=log,
            process_group=0,
        )


def environment() -> dict[str, str]:
    """What a command may know: no locale, no user, no time, nothing of the ``make`` that may have
    called us.
    """
    kept = ("PATH", "HOME", "TMPDIR", "APT_CONFIG")
    return {
        **{
            name: os.environ[name]
            for name in os.environ
            if name in kept or name.lower().endswith("_proxy")
        },
        "LC_ALL": "C",
        **IDENTITY,
    }


def _end(running: subprocess.Popen[bytes]) -> None:
    # Asked first: make then waits for its compilers, and nothing still writes while the folder is
    # removed.
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(running.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            running.wait(5)
            return
