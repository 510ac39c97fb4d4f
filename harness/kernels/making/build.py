"""Building the virtual-time kernel: Debian's source, our patch and configuration, proved by booting
it.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from harness.errors import HarnessError
from harness.kernels.making.cache import (
    CONFIGURATION,
    PATCH,
    Kernel,
    alone,
    checksum,
    find,
    find_or_discard,
    folder_of,
    location,
    options,
)
from harness.kernels.making.fetch import fetch
from harness.kernels.making.steps import Steps

__all__ = ["CannotBuild", "Kernel", "build", "find", "lost_options", "missing_tools"]

TOOLS = {
    "gcc": "gcc",
    "make": "make",
    "flex": "flex",
    "bison": "bison",
    "bc": "bc",
    "ld": "binutils",
    "strip": "binutils",
    "patch": "patch",
    "perl": "perl-base",
    "tar": "tar",
    "setpriv": "util-linux",
    "xz": "xz-utils",
    "dpkg-deb": "dpkg",
    "apt-get": "apt",
}
"""What a build runs, and the package that has it."""

SPACE = 1 << 30
"""Bytes a build needs on the cache's disk while it runs."""

UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.ENOTDIR)

UNUSED = [
    "drivers/[!bcnt]*/*.[ch]",  # what is compiled: base, char, connector, net, tty
    "drivers/net/ethernet/*.[ch]",
    "drivers/net/wireless/*.[ch]",
    "sound/*.[ch]",
    "arch/[!ux]*/*.[chS]",  # what is compiled: um, x86
    "*.dts",
    "*.dtsi",
    "Documentation/*/*",
    "tools/testing",
    "tools/perf",
]
"""Most of the source, never compiled for User Mode Linux. Kconfig and make files must stay."""

RENAMED = {"CONFIG_PROC_SYSCTL=y": "CONFIG_SYSCTL=y"}
"""Options that newer sources have under another name, which the configuration asks for as well."""

PROOF = "this kernel boots"
INIT = f"""\
#!/bin/sh
mount -t proc proc /proc
sleep 3600
echo {PROOF}
echo o >/proc/sysrq-trigger
sleep 60
"""
MODE = ["mem=64M", "seccomp=on", "time-travel=inf-cpu"]
BOOT_SECONDS = 60.0
"""How long, on the host's clock, the hour of virtual time in INIT may take."""


class CannotBuild(HarnessError):
    """What a build needs is missing on this machine. That is known before anything is compiled."""


def build(*, progress: Callable[[str], None], source: str | None = None) -> Path:
    """The path of a kernel that :func:`find` finds, building one if there is none or only a damaged
    one.

    ``progress`` is called with one line per step. ``source`` is the path of a ``linux-source``
    package to build from, for machines that cannot reach an archive. At most one build runs at a
    time; others wait and use its kernel. HarnessError names the step that failed, its log and what
    to do.
    """
    try:
        with alone(progress):
            if (kernel := find_or_discard()) is None:
                _build(progress, source)
                kernel = find()
    except OSError as error:
        if error.errno not in UNWRITABLE:
            raise
        raise HarnessError(
            f"kernel: cannot write below {location()}: {error.strerror}; make room there or set"
            " XDG_CACHE_HOME to another folder, and try again"
        ) from error
    assert kernel is not None
    progress(f"kernel {kernel.version}: {kernel.path}")
    return kernel.path


def missing_tools() -> list[str]:
    """The packages to install before a kernel can be built."""
    missing = {package for tool, package in TOOLS.items() if shutil.which(tool) is None}
    if "gcc" in missing:
        missing.add(
            "libc6-dev"
        )  # which gcc only recommends, and nobody can tell without a compiler
    else:
        headers = ["gcc", "-E", "-include", "stdio.h", "-x", "c", os.devnull]
        if subprocess.run(headers, capture_output=True, check=False).returncode != 0:
            missing.add("libc6-dev")
    return sorted(missing)


def lost_options(configured: str) -> list[str]:
    """The options of our configuration that are not set in ``configured``, the text of a
    ``.config``.
    """
    have = set(configured.splitlines())
    return [
        option for option in options() if option not in have and RENAMED.get(option) not in have
    ]


def _build(progress: Callable[[str], None], source: str | None) -> None:
    if missing := missing_tools():
        raise CannotBuild(
            "kernel: tools to build it are missing; run `apt-get install"
            f" {' '.join(missing)}` as root, and try again"
        )
    cache = location()
    if (free := shutil.disk_usage(cache).free) < SPACE:
        raise CannotBuild(
            f"kernel: building needs {SPACE >> 20} MiB in {cache}, where {free >> 20} MiB are free;"
            " make room or set XDG_CACHE_HOME to a folder on another disk, and try again"
        )
    for stale in cache.glob(".build-*"):
        shutil.rmtree(stale, ignore_errors=True)
    steps = Steps(cache / "build.log", progress)
    fetched = cache / ".apt"
    with tempfile.TemporaryDirectory(
        prefix=".build-", dir=cache, ignore_cleanup_errors=True
    ) as work:
        package = Path(source).absolute() if source else _fetch(fetched, steps)
        version = steps.output("dpkg-deb", "-f", package, "Version").strip()
        if not version:
            raise steps.failure(f"{package} is not a Debian package")
        tree = _unpack(package, Path(work), steps)
        _patch(tree, steps)
        _configure(tree, steps)
        made = _make(tree, Path(work), steps)
        _prove(made / "linux", Path(work), steps)
        made.rename(folder_of(version))
    shutil.rmtree(fetched, ignore_errors=True)


def _fetch(folder: Path, steps: Steps) -> Path:
    try:
        return fetch(folder, steps)
    except HarnessError as problem:
        raise CannotBuild(str(problem)) from None


def _unpack(package: Path, work: Path, steps: Steps) -> Path:
    steps.begin(f"unpack {package.name}")
    steps.run("dpkg-deb", "-x", package, work / "package")
    archives = [
        path
        for path in (work / "package/usr/src").rglob("linux-source-*.tar.*")
        if not path.is_symlink()
    ]
    if len(archives) != 1:
        raise steps.failure(f"{package} holds no archive usr/src/linux-source-*.tar.*")
    tree = work / "tree"
    tree.mkdir()
    threads = ["--use-compress-program=xz -T0"] if archives[0].suffix == ".xz" else []
    unused = [f"--exclude=*/{pattern}" for pattern in UNUSED]
    matching = ["--strip-components=1", "--wildcards", "--wildcards-match-slash"]
    steps.run("tar", "-C", tree, *threads, *matching, *unused, "-xf", archives[0])
    shutil.rmtree(work / "package")
    return tree


def _patch(tree: Path, steps: Steps) -> None:
    steps.begin(f"apply {PATCH.name}")
    try:
        steps.run("patch", "--batch", "--strip=1", "--fuzz=0", f"--input={PATCH}", cwd=tree)
    except HarnessError:
        raise steps.failure(
            f"this source is not what {PATCH.name} changes; build from another"
            " linux-source package, or correct"
            " the patch"
        ) from None


def _configure(tree: Path, steps: Steps) -> None:
    steps.begin("configure")
    shutil.copy(CONFIGURATION, tree / "ours.config")
    steps.run("make", "ARCH=um", "KCONFIG_ALLCONFIG=ours.config", "allnoconfig", cwd=tree)
    if lost := lost_options((tree / ".config").read_text()):
        raise steps.failure(
            f"this source does not take {', '.join(lost)} of {CONFIGURATION.name};"
            " build from another"
            " linux-source package, or correct the configuration"
        )


def _make(tree: Path, work: Path, steps: Steps) -> Path:
    """Compiles; the folder with what is kept: ``linux``, ``linux.sha256``, ``config``."""
    processors = len(os.sched_getaffinity(0))
    steps.begin("count what there is to compile")
    total = _objects(tree, steps)
    steps.begin(f"compile {total} files on {processors} processors")
    make = ("make", "ARCH=um", f"-j{processors}", "linux")
    steps.follow(*make, cwd=tree, seen=Compiled(total, steps.tell))
    made = work / "made"
    made.mkdir()
    steps.run("strip", "-o", made / "linux", tree / "linux")
    (made / "linux.sha256").write_text(checksum(made / "linux"))
    shutil.copy(tree / ".config", made / "config")
    return made


def _objects(tree: Path, steps: Steps) -> int:
    """How many files will be compiled: what make says that it would do, once its own tools and
    headers are there.
    """
    steps.run("make", "ARCH=um", "prepare", cwd=tree)
    would_do = steps.output(
        "make", "ARCH=um", "--dry-run", "--keep-going", "vmlinux", cwd=tree, logged=False
    )
    return len(re.findall(r"echo '  (?:CC|AS) ", would_do))


class Compiled:
    """Counts the files that make says it compiles, and tells now and then how many are left and for
    how long.
    """

    SECONDS = 15.0
    """How long it is silent at least."""

    def __init__(
        self, total: int, tell: Callable[[str], None], now: Callable[[], float] = time.monotonic
    ) -> None:
        """``total`` is how many files there are; ``tell`` gets a line at a time; ``now`` is a clock
        in seconds.
        """
        self._total, self._tell, self._now = total, tell, now
        self._done = 0
        self._began = self._told = now()

    def __call__(self, line: str) -> None:
        """Make has printed ``line``."""
        if not line.startswith(("  CC ", "  AS ")):
            return
        self._done += 1
        now = self._now()
        if now - self._told >= self.SECONDS and self._done < self._total:
            self._told = now
            left = (now - self._began) * (self._total - self._done) / self._done
            self._tell(f"{self._done} of {self._total}, about {left:.0f} s left")


def _prove(linux: Path, work: Path, steps: Steps) -> None:
    """Boots the kernel in virtual time, sleeps an hour there, switches it off."""
    steps.begin("boot it")
    init = work / "init"
    init.write_text(INIT)
    init.chmod(0o755)
    files = ["rootfstype=hostfs", "rootflags=/", "ro", f"init={init}", f"uml_dir={work}"]
    console = ["con=null", "con0=null,fd:1", "quiet"]
    said = steps.output(linux, *files, *console, *MODE, timeout=BOOT_SECONDS)
    if PROOF not in said:
        raise steps.failure("the new kernel does not boot here")
