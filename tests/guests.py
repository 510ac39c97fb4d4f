"""A program in an embedded kernel, run by a caller in a process of its own, as whoever the test
wants.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import textwrap
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.kernels import choice
from harness.kernels.host import memory, uml
from harness.kernels.making import cache

ROOT = Path(__file__).parent.parent
NOBODY = 65534 - int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
"""An ordinary user, who has no processes but those of this worker."""
PATIENCE = 60  # seconds of a busy machine; what is not gone by then stays

_CALLER = """
    import sys
    from pathlib import Path
    from harness.errors import HarnessError
    from harness.kernels.host import uml
    here, kernel, modules, start, watchdog, quota, *argv = sys.argv[1:]
    try:
        print(uml.run(
            uml.Kernel.at(Path(kernel), Path(modules) if modules else None), "probe", argv,
            writable=Path(here, "writable"),
            collect={
                Path("/srv/report"): Path(here, "collected"),
                Path("/srv/none"): Path(here, "none"),
            },
            virtual_start=int(start) if start else None,
            watchdog=float(watchdog),
            quota=int(quota),
        ), file=sys.stderr)
    except HarnessError as problem:
        sys.exit(f"HarnessError: {problem}")
"""


@dataclass(frozen=True)
class Place:
    """A kernel, by name, and its clock."""

    kernel: str
    virtual: bool

    def __str__(self) -> str:
        return f"{self.kernel}-{'virtual' if self.virtual else 'real'}"

    def find(self) -> uml.Kernel:
        """The kernel; skips the test if it is not there."""
        if self.kernel == "packaged":
            packaged = uml.packaged() or pytest.skip("no embedded kernel: install user-mode-linux")
            if (problem := uml.unfit(packaged)) is not None:
                pytest.skip(problem)
            return packaged
        built = cache.find()
        return (
            uml.Kernel.at(built.path)
            if built
            else pytest.skip("no kernel with virtual time: make kernel")
        )


PACKAGED, BUILT, VIRTUAL = Place("packaged", False), Place("built", False), Place("built", True)


@dataclass
class Host:
    """A folder with a caller and a probe, the user they run as, and the place where the probe
    runs.
    """

    folder: Path
    user: int | None
    place: Place
    kernel: uml.Kernel
    interpreter: str
    watchdog: float = 0
    quota: int = memory.QUOTA
    home: Path | None = None

    def start(self, *argv: str, **settings: object) -> subprocess.Popen[bytes]:
        """Start the caller, with the settings of Popen."""
        environment = {
            "HOME": str(self.home or self.folder),
            "PYTHONPATH": f"{self.folder}:{ROOT}",
            "WORD": "väl",
            "TERM": "dumb",
        }
        start = str(choice.FIRST_DAY * 1_000_000_000) if self.place.virtual else ""
        kernel = [
            str(self.kernel.path),
            str(self.kernel.modules or ""),
            start,
            str(self.watchdog),
            str(self.quota),
        ]
        return subprocess.Popen(  # type: ignore[call-overload,no-any-return]
            [
                self.interpreter,
                "-B",
                "-c",
                textwrap.dedent(_CALLER),
                str(self.folder),
                *kernel,
                *argv,
            ],
            cwd=self.folder,
            env=environment,
            user=self.user,
            group=self.user,
            extra_groups=None if self.user is None else [],
            **{
                "stdin": subprocess.DEVNULL,
                "stdout": subprocess.PIPE,
                "stderr": subprocess.PIPE,
                "preexec_fn": heed_signals,
                **settings,
            },
        )

    def run(self, *argv: str, data: bytes = b"") -> tuple[bytes, bytes]:
        """The probe's standard output and error; the latter ends with a line that is its exit
        status.
        """
        with self.start(*argv, stdin=subprocess.PIPE) as caller:
            return caller.communicate(data)

    @contextlib.contextmanager
    def on_terminal(self, *argv: str) -> Iterator[Screen]:
        """The caller as the leader of a session on a terminal of 100 by 30."""
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("4H", 30, 100, 0, 0))
        streams = {"stdin": slave, "stdout": slave, "stderr": slave}

        def take_terminal() -> None:
            heed_signals()
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)

        with self.start(
            *argv, start_new_session=True, preexec_fn=take_terminal, **streams
        ) as caller:
            try:
                yield Screen(master, slave, caller)
            finally:
                caller.kill()
        os.close(master)
        os.close(slave)


def heed_signals() -> None:
    """Undo what a shell or nohup does to what it starts in the background: what is ignored is
    so in the guest too.
    """
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


@dataclass
class Screen:
    """Both ends of a terminal, and the caller on it."""

    master: int
    slave: int
    caller: subprocess.Popen[bytes]

    def type(self, keys: bytes) -> None:
        """Press ``keys``."""
        os.write(self.master, keys)

    def until(self, last: bytes) -> bytes:
        """What is shown up to ``last``; what has been shown if nothing comes for ten seconds."""
        shown = b""
        while last not in shown and select.select([self.master], [], [], 10)[0]:
            shown += os.read(self.master, 4096)
        return shown


def make_host(folder: Path, user: int | None, place: Place, probe: str) -> Host:
    """Make ``folder`` with the module ``probe``; skips the test if the kernel or an interpreter
    is missing.
    """
    kernel = place.find()
    (folder / "writable").mkdir(parents=True)
    (folder / "untouched").write_text("as it was")
    (folder / "probe.py").write_text(textwrap.dedent(probe))
    if user is None:
        return Host(folder, user, place, kernel, sys.executable)
    for parent in (folder, *folder.parents):
        if Path(tempfile.gettempdir()) in parent.parents:
            parent.chmod(0o755)
    for path in (folder, folder / "writable"):
        os.chown(path, user, user)
    # Somebody's home is closed to others: a copy of the harness and the kernel, and any Python,
    # will do.
    shutil.copytree(
        ROOT / "harness", folder / "harness", ignore=shutil.ignore_patterns("__pycache__")
    )
    if place.kernel == "built":
        copy = folder / "linux"
        copy.write_bytes(kernel.path.read_bytes())
        copy.chmod(0o755)
        kernel = uml.Kernel.at(copy)
    for interpreter in (os.path.realpath(sys.executable), "/usr/bin/python3"):
        check = [interpreter, "-c", "import sys; sys.exit(sys.version_info < (3, 11))"]
        try:
            if (
                subprocess.run(check, user=user, group=user, extra_groups=[], cwd="/").returncode
                == 0
            ):
                return Host(folder, user, place, kernel, interpreter)
        except OSError:
            continue
    pytest.skip("no Python 3.11 that an ordinary user can run")


def descendants(ancestor: int) -> Iterator[int]:
    """The processes below ``ancestor``."""
    parents = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            for line in status(int(name)).splitlines():
                if line.startswith(b"PPid:"):
                    parents[int(name)] = int(line.split()[1])
    generation = {ancestor}
    while generation := {pid for pid, parent in parents.items() if parent in generation}:
        yield from generation


def kernel_process(host: Host, caller: int) -> int:
    """The kernel process below ``caller``."""
    name = f"Name:\t{host.kernel.path.name}\n".encode()
    return next(
        pid for pid in descendants(caller) if name in status(pid)
    )  # below it are the guest's, of that name too


def status(pid: int) -> bytes:
    """proc_pid_status(5); nothing if the process is gone."""
    try:
        return Path(f"/proc/{pid}/status").read_bytes()
    except OSError:
        return b""


def _left(before: set[int]) -> list[int]:
    """The processes below this one that were not there before, once those that have ended are
    reaped.
    """
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    return [pid for pid in descendants(os.getpid()) if pid not in before and status(pid)]


def all_gone(before: set[int]) -> list[int]:
    """Wait until they are; those that are not within :data:`PATIENCE`."""
    deadline = time.monotonic() + PATIENCE
    while (left := _left(before)) and time.monotonic() < deadline:
        with contextlib.suppress(ProcessLookupError):
            watched = os.pidfd_open(left[0])
            select.select([watched], [], [], max(0, deadline - time.monotonic()))
            os.close(watched)
    return left
