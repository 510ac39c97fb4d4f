"""A run that is killed with SIGKILL, whatever it is doing at that moment, leaves nothing but
its artifacts.
"""

from __future__ import annotations

import contextlib
import os
import random
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness.kernels import choice
from harness.kernels.calls import linux
from harness.kernels.host import uml
from harness.kernels.making import cache
from tests.guests import ROOT, descendants, status

pytestmark = [pytest.mark.slow, pytest.mark.alone]  # it looks for what any guard has left

SAMPLE = "(forwarding_by_dr_passes and IPv4) or (failover_to_the_backup and PowerOff)"
MOMENTS = 10
PATIENCE = 30  # seconds of a busy machine; what is not gone by then stays


class Run:
    """``pytest scenarios/`` in an embedded kernel, in a process of its own."""

    def __init__(self, folder: Path) -> None:
        self.temporary = folder / "tmp"
        self.temporary.mkdir(exist_ok=True)
        argv = [
            sys.executable,
            "-m",
            "pytest",
            "scenarios/",
            "-k",
            SAMPLE,
            "--kernel",
            "uml",
            "--watchdog",
            "0",
        ]
        self.process = subprocess.Popen(
            [
                *argv,
                "--allow-inconclusive",
                "-p",
                "no:cacheprovider",
                "--artifacts",
                str(folder / "artifacts"),
            ],
            cwd=ROOT,
            env={**os.environ, "TMPDIR": str(self.temporary)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def kill(self) -> set[int]:
        """SIGKILL; returns the sessions in which its processes were, once those are gone that
        were there.
        """
        below: dict[int, int] = {}
        for pid in descendants(self.process.pid):
            with contextlib.suppress(ProcessLookupError):  # a short one may end meanwhile
                below[pid] = os.pidfd_open(pid)
        sessions = {os.getsid(pid) for pid in below if status(pid)} - {os.getsid(0)}
        self.process.kill()
        self.process.wait()
        for pid, ended in below.items():
            assert select.select([ended], [], [], PATIENCE)[0], (
                f"it lives on: {status(pid).decode()}"
            )
            os.close(ended)
        return sessions


def left_outside() -> tuple[str, list[str], set[str]]:
    """Mounts, interfaces, and the folders that guards make."""
    folders = {
        str(path)
        for parent in ("/dev/shm", "/var/tmp")
        for path in Path(parent).glob("lvs-harness-*")
    }
    return Path("/proc/self/mountinfo").read_text(), sorted(os.listdir("/sys/class/net")), folders


def test_killed_run_leaves_nothing(tmp_path: Path) -> None:
    """Namespaces are gone with their last process, where no mount holds them."""
    if choice.in_guest() or (uml.packaged() is None and cache.find() is None):
        pytest.skip("no embedded kernel here: install user-mode-linux")
    before = left_outside()
    length, killed = 0.0, 0
    moments = random.Random()
    while killed < MOMENTS:
        moment = moments.uniform(0, length) if length else None
        began = time.monotonic()
        run = Run(tmp_path)
        with contextlib.suppress(subprocess.TimeoutExpired):
            assert run.process.wait(moment) == 0
            length = (
                time.monotonic() - began
            )  # of the first run, or of one that was done before its moment had come
            continue
        sessions = run.kill()
        killed += 1

        when = f"killed after {moment:.2f} s of {length:.2f}"
        left = [
            pid for session in sessions for pid, state in linux.members(session) if state != b"Z"
        ]
        assert left == [], f"{when}: {[status(pid) for pid in left]}"
        assert list(run.temporary.iterdir()) == [], when
        assert left_outside() == before, when
