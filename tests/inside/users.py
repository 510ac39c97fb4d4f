"""Somebody who runs pytest in a folder of their own, on a native kernel, and what that must
leave as it was.
"""

from __future__ import annotations

import os
import textwrap
import threading
from pathlib import Path

import pytest


def _runs(pid: str) -> bool:
    try:
        return bool(os.readlink(f"/proc/{pid}/exe"))
    except OSError:
        return False


def state() -> tuple[set[str], int, str, list[str]]:
    """Processes that run, threads, mounts and links: what a run must leave as it was."""
    running = {pid for pid in os.listdir("/proc") if pid.isdigit() and _runs(pid)}
    return (
        running,
        threading.active_count(),
        Path("/proc/self/mounts").read_text(),
        sorted(os.listdir("/sys/class/net")),
    )


class User:
    """Somebody with a topology and a scenario."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self._pytester = pytester
        self.folder = pytester.path
        pytester.makeini("[pytest]\n")

    def writes(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.write_text(textwrap.dedent(text))
        return path

    def runs(self, *arguments: str) -> pytest.RunResult:
        """pytest, natively; nothing may be left of it but its artifacts."""
        self._pytester.syspathinsert()
        before = state()
        result = self._pytester.runpytest_inprocess(
            "--kernel", "native", "-p", "no:cacheprovider", *arguments, no_reraise_ctrlc=True
        )
        assert state() == before
        return result

    def is_told(
        self, message: str, *arguments: str, status: int = pytest.ExitCode.USAGE_ERROR
    ) -> str:
        """The run ends with that status and one error, which is ``message``, without a
        traceback.
        """
        result = self.runs(*arguments)
        shown = result.stdout.str() + result.stderr.str()
        assert result.ret == status, shown
        assert message in shown
        assert "Traceback" not in shown
        assert not [line for line in shown.splitlines() if line.startswith("E   ")], (
            "pytest's kind of traceback"
        )
        return shown
