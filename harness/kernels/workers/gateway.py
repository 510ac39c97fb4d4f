"""An execnet gateway whose far end is in an embedded kernel of its own: what pytest-xdist starts as
a worker's Python.

execnet starts ``python -u -c BOOTSTRAP`` and talks to it over standard input and output. This
module is started in its place, boots a guest, and runs the same in there: the guest's streams are
relayed, so that neither end can tell.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from harness.errors import HarnessError
from harness.kernels import choice
from harness.kernels.calls import linux
from harness.kernels.run import entered

_MODULE = "harness.kernels.workers.gateway"


def command(
    kernel: str,
    clock: str,
    seed: int,
    watchdog: float,
    memory: int,
    quota: int,
    readable: Sequence[Path],
) -> list[str]:
    """What to start in Python's place, with the environment of the run."""
    options = [kernel, clock, str(seed), str(watchdog), str(memory), str(quota)]
    return [sys.executable, "-m", _MODULE, *options, *map(str, readable)]


def main() -> int:
    """On the host: boot a guest for this worker, or be it where the kernel needs none. Do what
    execnet wants done.
    """
    if choice.in_guest():
        return _serve()
    kernel, clock, seed, watchdog, memory, quota, *readable = sys.argv[1:]
    linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)
    run = entered()
    assert run is not None
    log = os.open(
        run.console(os.getpid()),
        os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_APPEND,
        0o666,
    )
    os.dup2(log, 2)
    try:
        chosen = replace(
            choice.choose(kernel, clock, int(seed)), memory=int(memory), quota=int(quota)
        )
        if chosen.embedded is None:
            return _serve()
        return chosen.run(
            _MODULE,
            [],
            run if run.header else replace(run, header=chosen.header),
            [],
            float(watchdog),
            paced=True,
            readable=[Path(path) for path in readable],
        )
    except HarnessError as problem:
        print(problem, file=sys.stderr)
        return 1


def _serve() -> int:
    """Take execnet's own code as its first line and run it, which ends when the other end says
    so.
    """
    code = sys.stdin.readline()
    if choice.virtual():
        from harness.kernels.guest import program

        program.wait()
    exec(eval(code), {"__name__": "__main__"})
    return 0


if __name__ == "__main__":
    sys.exit(main())
