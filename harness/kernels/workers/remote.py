"""Another machine, reached by ssh, on which a worker of pytest-xdist has its kernel.

It has this checkout at the same path, set up by ``make setup``, and a kernel of its own. What the
worker writes goes to a folder there, which is fetched when the worker has ended, however it did.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from harness.errors import HarnessError
from harness.kernels.run import Run

_NOT_FOUND = 127  # a shell's status where there is no such program


@dataclass(frozen=True)
class Remote:
    """``ssh`` is what ssh is given to reach it, its name last; ``folder`` is the worker's own
    there.
    """

    ssh: tuple[str, ...]
    folder: Path

    def check(self) -> None:
        """Raise HarnessError if it cannot be reached, or lacks this checkout or its Python."""
        ours = f"{sys.version} in {sys.base_prefix}"
        say = "import sys; print(f'{sys.version} in {sys.base_prefix}')"
        theirs = self._run(shlex.join([sys.executable, "-c", say])).decode().strip()
        if theirs != ours:
            raise HarnessError(
                f"ssh {self.ssh[-1]}: its Python is {theirs}, and that of this run"
                f" {ours}: use the same"
            )

    def start(self, command: Sequence[str], run: Run) -> str:
        """What to give execnet as ``python=``, so that ``command`` runs there, in this working
        directory, for a ``run`` whose folder is there.
        """
        folder, here = shlex.quote(str(self.folder)), shlex.quote(str(Path.cwd()))
        there = replace(run, folder=self.folder, header="")  # it chooses a kernel of its own
        ((variable, value),) = there.environment().items()
        started = (
            f"mkdir -m 700 {folder} && cd {here} && {variable}={shlex.quote(value)} exec"
            f" {shlex.join(command)}"
        )
        return shlex.join(
            ["ssh", "-C", *self.ssh, f"{started} #"]
        )  # execnet adds arguments that are for a Python

    def fetch(self, target: Path) -> None:
        """Unpack the worker's folder in ``target``, and leave nothing of it there. Raises
        HarnessError.
        """
        folder = shlex.quote(str(self.folder))
        packed = self._run(f"cd {folder} && tar -cf - . && cd / && rm -r {folder}")
        unpacked = subprocess.run(
            ["tar", "-xf", "-", "-C", target, "--no-same-owner"], input=packed, capture_output=True
        )
        if unpacked.returncode:
            said = unpacked.stderr.decode(errors="replace").strip()
            raise HarnessError(f"what {self.ssh[-1]} sent of {self.folder} cannot be kept: {said}")

    def _run(self, command: str) -> bytes:
        ended = subprocess.run(
            ["ssh", "-C", *self.ssh, command], stdin=subprocess.DEVNULL, capture_output=True
        )
        if ended.returncode:
            said = ended.stderr.decode(errors="replace").strip() or f"status {ended.returncode}"
            if ended.returncode == _NOT_FOUND:
                said += "; it needs this checkout at the same path, and `make setup` there"
            raise HarnessError(f"ssh {self.ssh[-1]}: {said}")
        return ended.stdout
