"""Commands that this process starts and that end with it, however it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from harness.errors import HarnessError
from harness.kernels.calls import linux
from harness.kernels.host.interrupts import Ended

_GRACE = 20.0
"""Seconds that an interrupted command has to say what it has found, and to clean up, before it is
killed.
"""


_REMOVE = """
import os, shutil, time
def remove(folder):
    quiet = 0
    for _ in range(50):
        if os.path.lexists(folder):
            shutil.rmtree(folder, ignore_errors=True)
            quiet = 0
        elif quiet == 10:
            break
        quiet += 1
        time.sleep(0.1)
"""
"""What was started in a folder ends a moment after its owner, and until then makes the folder again
to write there; so it is removed until it has been away for a second. That is waited for however the
owner ends: of what it had started one may have been killed, which leaves what that one had started.
"""

_KEEPER = (
    _REMOVE
    + """
import sys, tempfile
folder = tempfile.mkdtemp(prefix="lvs-harness-")
try:
    os.write(1, os.fsencode(folder))
except OSError:  # it was killed before it could hear
    pass
os.close(1)
sys.stdin.read()
remove(folder)
"""
)
"""Its input ends when its parent has done with the folder, or was killed."""


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder for the block. It is removed also where this process is killed, by the one that has
    made it; and by this one, where that one is.
    """
    command = [sys.executable, "-S", "-c", _KEEPER]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as keeper:
        assert keeper.stdout is not None
        told = keeper.stdout.read()
        if not told:
            raise HarnessError("there is no folder for temporary files: make room, or set TMPDIR")
        folder = Path(os.fsdecode(told))
        try:
            yield folder
        finally:
            keeper.communicate()
            if keeper.returncode != 0:
                subprocess.run(
                    [sys.executable, "-S", "-c", f"{_REMOVE}remove({str(folder)!r})"], check=False
                )


def run(
    command: Sequence[str | Path],
    *,
    capture: bool = False,
    cwd: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, whatever its status.

    When this process is killed, the kernel kills the command; what that one has started ends by the
    same rule, or because it holds the other end of a pipe. When this process is interrupted, so is
    the command, and it is waited for before the exception goes on. With ``capture`` the command has
    a group of its own and no terminal, and its output is returned; without, it has those of this
    process, and so hears of Ctrl-C itself.
    """
    parent = os.getpid()
    stream = subprocess.PIPE if capture else None
    running = subprocess.Popen(
        command,
        cwd=cwd,
        env=environment,
        stdin=subprocess.DEVNULL if capture else None,
        stdout=stream,
        stderr=stream,
        text=True,
        errors="replace",
        process_group=0 if capture else None,
        preexec_fn=lambda: linux.die_with_parent(parent),
    )
    try:
        output, errors = running.communicate()
    except BaseException as reason:
        if capture or isinstance(reason, Ended):
            with suppress(ProcessLookupError):
                running.send_signal(signal.SIGINT)
        _end(running)
        raise
    return subprocess.CompletedProcess(list(command), running.returncode, output, errors)


def _end(running: subprocess.Popen[str]) -> None:
    try:
        with suppress(subprocess.TimeoutExpired):
            running.communicate(timeout=_GRACE)
    finally:
        running.kill()  # nothing happens if it has ended
        running.wait()
