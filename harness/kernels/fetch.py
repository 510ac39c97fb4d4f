"""Kernel sources from Debian: apt, with a configuration of its own that is derived from the machine's.

The machine says which archive it uses, through which proxy and with which credentials. The suite, the package
lists and the downloads are ours, below one folder: nothing of the machine's is written and no root is needed.
apt checks the archive's signature against Debian's keyring.
"""

from __future__ import annotations

import platform
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from harness.errors import HarnessError
from harness.kernels.steps import Steps

OLDEST = (6, 16)
"""The first version in which UML runs programs under seccomp instead of ptrace."""

SUITES = ("trixie-backports", "forky", "sid")
"""Where to look, the most conservative suite first: the first that has a source new enough is taken."""

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")

CONFIGURATION = """\
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
APT::Sandbox::User "root";
Acquire::AllowInsecureRepositories "false";
APT::Get::AllowUnauthenticated "false";
Acquire::Languages "none";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
Acquire::IndexTargets::deb::CNF::DefaultEnabled "false";
Debug::NoLocking "true";
Dir::Cache "{folder}/cache";
Dir::State::lists "{folder}/lists";
Dir::State::status "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
"""
# Hooks are cleared: some empty the machine's own cache. Root's apt downloads as a user that cannot enter
# root's home.


def fetch(folder: Path, steps: Steps) -> Path:
    """The ``.deb`` of the newest kernel source new enough, downloaded below ``folder`` and verified.

    HarnessError when no suite has one or it cannot be fetched. A finished download is not repeated.
    """
    steps.begin("ask the machine's package archives for kernel sources")
    offered = []
    for suite, configuration in _suites(folder, steps):
        apt = ("apt-get", "-qq", "-c", configuration)
        steps.output(*apt, "update")
        names = steps.output("apt-cache", "-c", configuration, "pkgnames", "linux-source-").split()
        offered.append(suite)
        if (package := newest(names)) is None:
            continue
        steps.begin(f"download {package} from {suite}")
        steps.run(*apt, "download", package, cwd=configuration.parent)
        return max(configuration.parent.glob(f"{package}_*.deb"), key=lambda deb: deb.stat().st_mtime)
    raise steps.failure(
        f"no kernel source of {OLDEST[0]}.{OLDEST[1]} or newer can be had from {', '.join(offered)};"
        " check the network and the sources of apt, and try again"
    )


def newest(names: Iterable[str]) -> str | None:
    """The package of the highest version among ``linux-source-<version>``; None if all are too old."""
    versions = {
        tuple(map(int, found[1].split("."))): name
        for name in names
        if (found := re.fullmatch(r"linux-source-(\d+(?:\.\d+)+)", name))
    }
    best = max(versions, default=(0,))
    return versions[best] if best >= OLDEST else None


def archives(uris: str) -> list[str]:
    """The archives' addresses in what ``apt-get update --print-uris`` prints, each once, in its order.

    Suites with a dash (updates, security, backports) lie in the archive of the suite they belong to, or in
    one that has none of ours.
    """
    found: list[str] = re.findall(r"^'([^']+)/dists/[^'/-]+/InRelease'", uris, re.MULTILINE)
    return list(dict.fromkeys(found))


def _suites(folder: Path, steps: Steps) -> Iterator[tuple[str, Path]]:
    """Each place to look: its name and its apt configuration. Not on Debian: the machine's sources."""
    own = _configuration(folder / "own")
    if platform.freedesktop_os_release()["ID"] == "debian":
        if not KEYRING.exists():
            raise HarnessError(f"kernel: {KEYRING} is missing; install debian-archive-keyring and try again")
        uris = archives(steps.output("apt-get", "-c", own, "update", "--print-uris"))
        for suite in SUITES if uris else ():
            yield suite, _configuration(folder / suite, _sources(uris, suite))
    yield "the machine's own sources", own


def _sources(uris: list[str], suite: str) -> str:
    return f"Types: deb\nURIs: {' '.join(uris)}\nSuites: {suite}\nComponents: main\nSigned-By: {KEYRING}\n"


def _configuration(place: Path, sources: str = "") -> Path:
    """Writes an apt configuration that works below ``place``, with these sources instead of the machine's."""
    (place / "lists" / "partial").mkdir(parents=True, exist_ok=True)
    (place / "cache" / "archives" / "partial").mkdir(parents=True, exist_ok=True)
    text = CONFIGURATION.format(folder=place)
    if sources:
        (place / "private.sources").write_text(sources)
        text += f'Dir::Etc::sourcelist "{place}/private.sources";\nDir::Etc::sourceparts "/dev/null";\n'
    written = place / "apt.conf"
    written.write_text(text)
    return written
