"""Where built virtual-time kernels are kept, and how they are found again.

A kernel lies in a folder of its own, named by source version and by what is ours, whole or not at
all: ``$XDG_CACHE_HOME/lvs-harness/kernels/<version>-<fingerprint>/linux``, its checksum and full
configuration beside it. The compiler is not part of the name: in virtual time no result depends on
its code. The wheel ``lvs-harness-kernel`` has such folders in its package, for where the cache has
no kernel.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.errors import HarnessError

CONFIGURATION = Path(__file__).with_name("time_travel.config")
PATCH = Path(__file__).with_name("deterministic.patch")
FILES = ("linux", "linux.sha256", "config")
"""What a kernel's folder holds."""
WHEEL = "lvs-harness-kernel"
IDENTITY = {
    "KBUILD_BUILD_USER": "lvs-harness",
    "KBUILD_BUILD_HOST": "lvs-harness",
    "KBUILD_BUILD_TIMESTAMP": "Thu Jan  1 00:00:00 UTC 2026",
}
"""What a kernel tells of its making, by uname(2), and daemons log: the same on every machine."""


@dataclass(frozen=True)
class Kernel:
    """A built virtual-time kernel: the program, and the version of the source package it was built
    from.
    """

    path: Path
    version: str


class CorruptKernel(HarnessError):
    """A kernel in the cache is not what was built."""

    def __init__(self, folder: Path) -> None:
        again = "run `make kernel` again"
        if folder.parent != location():
            again = f"install it again: pip install --force-reinstall {WHEEL}"
        super().__init__(f"kernel: {folder} is damaged (wrong checksum); {again}")
        self.folder = folder


def find() -> Kernel | None:
    """The newest kernel of the present configuration and patch, in the cache or else in the wheel.

    None when there is none, CorruptKernel when its checksum does not match.
    """
    for place in filter(None, (location(), in_wheel())):
        if folders := sorted(place.glob(f"[!.]*-{fingerprint()}"), key=_ordinal):
            return _checked(folders[-1])
    return None


def in_wheel() -> Path | None:
    """The folder of kernels in the installed wheel; None when it is not installed."""
    package = importlib.util.find_spec(WHEEL.replace("-", "_"))
    if package is None or not package.submodule_search_locations:
        return None
    return Path(package.submodule_search_locations[0], "kernels")


def _checked(folder: Path) -> Kernel:
    try:
        intact = checksum(folder / "linux") == (folder / "linux.sha256").read_text()
    except OSError:
        intact = False
    if not intact or not os.access(folder / "linux", os.X_OK):
        raise CorruptKernel(folder)
    return Kernel(folder / "linux", folder.name.rpartition("-")[0])


def find_or_discard() -> Kernel | None:
    """What :func:`find` finds, damaged kernels of the cache removed.

    Only for whoever is :func:`alone`.
    """
    while True:
        try:
            return find()
        except CorruptKernel as damage:
            if damage.folder.parent != location():
                raise
            shutil.rmtree(damage.folder)


def checksum(program: Path) -> str:
    """The line that ``sha256sum`` would write for ``program``."""
    with program.open("rb") as opened:
        return f"{hashlib.file_digest(opened, 'sha256').hexdigest()}  {program.name}\n"


def folder_of(version: str) -> Path:
    """Where the kernel built from this version of the source package belongs (its epoch left
    out).
    """
    return location() / f"{version.rpartition(':')[2]}-{fingerprint()}"


def user_cache() -> Path:
    """The harness's folder among the user's caches, which need not exist."""
    configured = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (configured if configured.is_absolute() else Path.home() / ".cache") / "lvs-harness"


def location() -> Path:
    """The folder of all kernels, which need not exist."""
    return user_cache() / "kernels"


def options() -> list[str]:
    """The options that the configuration asks for, as ``.config`` has them."""
    return [line for line in CONFIGURATION.read_text().splitlines() if line.startswith("CONFIG_")]


def fingerprint() -> str:
    """What tells configurations and patches apart; comments and the order of options do not."""
    _, _, hunks = PATCH.read_text().partition("\n--- ")
    said = [*sorted(options()), hunks, *IDENTITY.values()]
    return hashlib.sha256("\n".join(said).encode()).hexdigest()[:12]


@contextlib.contextmanager
def alone(
    progress: Callable[[str], None],
    folder: Path | None = None,
    what: str = "the kernel",
    name: str = ".lock",
) -> Iterator[None]:
    """Holds a lock in a cache (None: the kernels'), which ends with its holder; ``progress`` is
    told of waiting.
    """
    folder = folder or location()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / name).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress(f"another build of {what} is under way: waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _ordinal(folder: Path) -> tuple[int, ...]:
    # The numbers of a Debian version, one after the other, sort the versions of one source package.
    return tuple(map(int, re.findall(r"\d+", folder.name.rpartition("-")[0])))
