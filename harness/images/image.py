"""An image: what a machine's root file system is made of, and what is in it."""

from __future__ import annotations

import functools
import os
import platform
from dataclasses import dataclass
from pathlib import Path

from harness.errors import HarnessError
from harness.keepalived import version

SEARCH = ("run/sbin", "usr/local/sbin", "usr/local/bin", "usr/sbin", "usr/bin", "sbin", "bin")
"""Where machines look for programs."""

_ELF_MACHINES = {"x86_64": 62, "aarch64": 183}  # <elf.h>: e_machine


@dataclass(frozen=True)
class Image:
    """``root`` is a folder, ``/`` for this machine's own files; what is below ``added``, if given,
    is put in a machine's fresh folders (``/run/sbin``).
    """

    name: str
    root: str
    added: str | None = None

    @property
    def is_host(self) -> bool:
        """Whether machines see this machine's own files."""
        return self.root == "/"

    def program(self, name: str) -> Path | None:
        """The file of a program, by its name or its whole path, as this machine sees it; None if
        the image has none.
        """
        for place in [name] if name.startswith("/") else [f"{folder}/{name}" for folder in SEARCH]:
            for layer in (self.added, self.root):
                found = None if layer is None else inside(layer, place)
                if found is not None and found.is_file():
                    return found
        return None

    @property
    def keepalived(self) -> version.Version:
        """The version of its keepalived. HarnessError if it has none."""
        program = self.program("keepalived")
        found = None if program is None else compiled_in(program)
        if found is None:
            raise HarnessError(f"{self.name} has no keepalived; " + INSTALL_HINT)
        return found

    def check(self) -> Image:
        """The image itself; HarnessError if this machine cannot run its programs."""
        program = self.program("sh") or self.program("keepalived")
        if program is None:
            raise HarnessError(
                f"{self.name} is no root file system: it has no program sh in {', '.join(SEARCH)}"
            )
        check_architecture(self.name, program)
        return self


HOST = Image("host", "/")
INSTALL_HINT = (
    "install it there, or take another image or a keepalived of your own (--keepalived PATH)"
)


@functools.cache
def compiled_in(program: Path) -> version.Version | None:
    """The version in the file of a keepalived; None if it is something else."""
    return version.compiled_in(program.read_bytes())


def check_architecture(name: str, program: Path) -> None:
    """HarnessError if ``program`` (of the image or build ``name``) is for other processors than
    this machine's.
    """
    with program.open("rb") as file:
        head = file.read(20)
    if (
        head[:4] == b"\x7fELF"
        and int.from_bytes(head[18:20], "little") != _ELF_MACHINES[platform.machine()]
    ):
        raise HarnessError(
            f"{name} is of another architecture: its {program.name} does not run on"
            f" {platform.machine()}"
        )


def inside(root: str, path: str) -> Path | None:
    """Where ``path`` of a root file system lies, its links followed without leaving ``root``; None
    if nowhere.
    """
    followed = 0
    parts, at = path.split("/")[::-1], list[str]()
    while parts:
        part = parts.pop()
        if part in ("", "."):
            continue
        if part == "..":
            at = at[:-1]
            continue
        here = os.path.join(root, *at, part)
        if os.path.islink(here):
            followed += 1
            target = os.readlink(here)
            at = [] if target.startswith("/") else at
            parts += target.split("/")[::-1]
        elif os.path.lexists(here):
            at = [*at, part]
        else:
            return None
        if followed > 40:
            return None
    return Path(root, *at)
