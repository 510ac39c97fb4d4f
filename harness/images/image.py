"""An image: the root file system of a machine, and which programs are in it."""

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

FRESH_FOLDERS = {"run": "755", "tmp": "1777", "var/log": "755", "etc/keepalived": "755"}
"""What every machine has of its own, whatever its image holds there, and its permissions."""

_ELF_MACHINES = {"x86_64": 62, "aarch64": 183}  # <elf.h>: e_machine


@dataclass(frozen=True)
class Image:
    """The root file system of a machine.

    ``root`` is a folder; ``/`` means this machine's own files. What is below ``added``, if it is
    given, is put into a machine's fresh folders (``/run/sbin``).
    """

    name: str
    root: str
    added: str | None = None

    @property
    def is_host(self) -> bool:
        """Whether machines with this image see this machine's own files."""
        return self.root == "/"

    def program(self, name: str) -> Path | None:
        """The file of a program on this machine; None if the image has no such program.

        The program is given by its name or its whole path.
        """
        for place in [name] if name.startswith("/") else [f"{folder}/{name}" for folder in SEARCH]:
            hidden = any(place.startswith(f"/{folder}/") for folder in FRESH_FOLDERS)
            for layer in (self.added, None if hidden else self.root):
                found = None if layer is None else inside(layer, place)
                if found is not None and found.is_file():
                    return found
        return None

    @property
    def keepalived(self) -> version.Version:
        """The version of the image's keepalived. Raises HarnessError if it has none."""
        program = self.program("keepalived")
        found = None if program is None else compiled_in(program)
        if found is None:
            raise HarnessError(f"{self.name} has no keepalived; " + INSTALL_HINT)
        return found

    def check(self) -> Image:
        """Return the image itself. Raises HarnessError if this machine cannot run its programs."""
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
    """The version that a keepalived's file contains; None if the file is no keepalived."""
    return version.compiled_in(program.read_bytes())


def check_architecture(name: str, program: Path) -> None:
    """Raise HarnessError if ``program`` is for another processor than this machine's.

    ``name`` is the image or build that it belongs to.
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
    """Where ``path`` of a root file system lies on the host; None if it does not exist.

    Symbolic links are followed, and none of them leads out of ``root``.
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
