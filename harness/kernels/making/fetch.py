"""Kernel sources from Debian, by apt with a configuration of its own
(:mod:`harness.kernels.making.apt`).
"""

from __future__ import annotations

import platform
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from harness.errors import HarnessError
from harness.kernels.making import apt
from harness.kernels.making.steps import Steps

OLDEST = (6, 16)
"""The first version in which UML runs programs under seccomp instead of ptrace."""

SUITES = ("trixie-backports", "forky", "sid")
"""Where to look, the most conservative suite first: the first that has a source new enough is
taken.
"""


def fetch(folder: Path, steps: Steps) -> Path:
    """The ``.deb`` of the newest kernel source new enough, downloaded below ``folder`` and
    verified.

    HarnessError when no suite has one or it cannot be fetched. A finished download is not repeated.
    """
    steps.begin("ask the machine's package archives for kernel sources")
    offered = []
    for suite, configuration in _suites(folder, steps):
        apt_get = ("apt-get", "-qq", "-c", configuration)
        steps.output(*apt_get, "update")
        names = steps.output("apt-cache", "-c", configuration, "pkgnames", "linux-source-").split()
        offered.append(suite)
        if (package := newest(names)) is None:
            continue
        steps.begin(f"download {package} from {suite}")
        steps.run(*apt_get, "download", package, cwd=configuration.parent)
        return max(
            configuration.parent.glob(f"{package}_*.deb"), key=lambda deb: deb.stat().st_mtime
        )
    raise steps.failure(
        f"no kernel source of {OLDEST[0]}.{OLDEST[1]} or newer can be had from"
        f" {', '.join(offered)};"
        " check the network and the sources of apt, and try again"
    )


def newest(names: Iterable[str]) -> str | None:
    """The package of the highest version among ``linux-source-<version>``; None if all are too
    old.
    """
    versions = {
        tuple(map(int, found[1].split("."))): name
        for name in names
        if (found := re.fullmatch(r"linux-source-(\d+(?:\.\d+)+)", name))
    }
    best = max(versions, default=(0,))
    return versions[best] if best >= OLDEST else None


def _suites(folder: Path, steps: Steps) -> Iterator[tuple[str, Path]]:
    """Each place to look: its name and its apt configuration. Not on Debian: the machine's
    sources.
    """
    if platform.freedesktop_os_release()["ID"] == "debian":
        if not apt.KEYRING.exists():
            raise HarnessError(
                f"kernel: {apt.KEYRING} is missing; install debian-archive-keyring and try again"
            )
        uris = apt.own_archives(folder / "own", steps)
        for suite in SUITES if uris else ():
            yield suite, apt.configuration(folder / suite, apt.sources(uris, suite))
    yield "the machine's own sources", apt.configuration(folder / "own")
