"""Empty Debian roots: what a machine has on which nobody has worked yet."""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
USER = 1000
COMPILERS = {"gcc", "make", "git", "user-mode-linux"}
"""What a machine of somebody who only installs wheels has none of."""


def packages(name: str) -> list[str]:
    """The Debian packages that the Makefile lists under a name: ``PACKAGES``."""
    lines = (ROOT / "Makefile").read_text().replace("\\\n", " ")
    found = re.search(rf"^{name} := (.*)$", lines, re.MULTILINE)
    assert found is not None
    return found[1].split()


def release() -> str:
    """The Debian release of this machine, for whose Python the wheels are fetched."""
    return platform.freedesktop_os_release()["VERSION_CODENAME"]


def require(*programs: str) -> None:
    """Skip where a root cannot be made, and say why."""
    if os.geteuid() != 0:
        pytest.skip("only root can enter an empty root")
    for program in programs:
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed: apt-get install {program}")


@dataclass(frozen=True)
class Root:
    """A root file system in a folder, with an ordinary user whose home is ``/home/tester``."""

    folder: Path

    @classmethod
    def make(cls, folder: Path, wanted: Sequence[str]) -> Root:
        """Made by mmdebstrap from the archive; takes about half a minute."""
        include = [f"--include={','.join(wanted)}"] if wanted else []
        command = ["mmdebstrap", "--variant=minbase", *include, release(), str(folder)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-2000:]
        subprocess.run(
            ["chroot", str(folder), "useradd", "--create-home", f"--uid={USER}", "tester"],
            check=True,
        )
        return cls(folder)

    def run(self, argv: Sequence[str], status: int = 0) -> str:
        """What a command of the ordinary user prints, run in their home."""
        enter = [
            "unshare",
            "--mount",
            "--pid",
            "--fork",
            f"--root={self.folder}",
            "--wd=/home/tester",
        ]
        enter += [
            "--mount-proc=/proc",
            "setpriv",
            f"--reuid={USER}",
            f"--regid={USER}",
            "--clear-groups",
        ]
        environment = {
            "HOME": "/home/tester",
            "PATH": "/home/tester/v/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        }
        done = subprocess.run(
            [*enter, *argv],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == status, f"{argv}: {done.returncode}\n{done.stdout}{done.stderr}"
        assert "Traceback" not in done.stdout + done.stderr
        return done.stdout + done.stderr
