"""The parent's side of the page's process."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from pathlib import Path
from typing import Final

from harness.errors import HarnessError
from harness.kernels.calls import linux

_GRACE: Final = 5.0
"""Seconds in which the process ends once its input has."""


class Served:
    """The page of a run's folder, from construction to :meth:`close`; ``url`` is where.

    With ``prompt`` the page has buttons, and what they have typed can be read from ``commands``, a
    descriptor. A fork of this process leaves it alone. Raises HarnessError if it cannot begin.
    """

    def __init__(self, run: Path, prompt: bool = False) -> None:
        parent = self._owner = os.getpid()
        command = [sys.executable, "-m", "harness.live", str(run.resolve())]
        token = secrets.token_urlsafe(32)
        self._process = subprocess.Popen(
            [*command, *(["prompt"] if prompt else [])],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            process_group=0,  # Ctrl-C is not for it: it ends when its input does
            preexec_fn=lambda: linux.die_with_parent(parent),
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(f"{token}\n".encode())
            port = self._process.stdout.readline().strip()
        except OSError:
            port = b""
        if not port.isdigit():
            self._process.kill()
            _, said = self._process.communicate()
            last = (said.decode(errors="replace").strip().splitlines() or ["it said nothing"])[-1]
            raise HarnessError(f"cannot serve the page (--web): {last}")
        self.commands = self._process.stdout.fileno()
        self.url = f"http://127.0.0.1:{int(port)}/{token}/"

    def close(self) -> None:
        """End it."""
        if os.getpid() != self._owner or self._process.returncode is not None:
            return
        try:
            assert self._process.stdin is not None
            self._process.stdin.close()
            self._process.wait(_GRACE)
        except (OSError, subprocess.TimeoutExpired):
            pass
        finally:  # also where somebody interrupts this
            self._process.kill()
            self._process.wait()
            for stream in (self._process.stdout, self._process.stderr):
                if stream is not None:
                    stream.close()
