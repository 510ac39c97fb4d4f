"""Images of Debian and Ubuntu releases, which mmdebstrap makes from the archives of this machine's
apt.

apt checks every signature against the distribution's own keyring. Only what clusters run is
installed, without its documentation.
"""

from __future__ import annotations

import csv
import hashlib
import re
import shutil
from pathlib import Path

from harness.errors import HarnessError
from harness.images import cache
from harness.kernels.making import apt
from harness.kernels.making.steps import Steps

RELEASES = ("bullseye", "bookworm", "trixie", "sid")
"""Debian's, oldest first: their keepalived are 2.1.5, 2.2.7, 2.3.3 and 2.3.4 at the time of
writing.
"""

PACKAGES = (
    "keepalived",
    "ipvsadm",
    "iptables",
    "apache2",
    "dnsmasq-base",
    "iproute2",
    "procps",
    "python3-aiosmtpd",
)
"""What machines run."""

UBUNTU_KEYRING = Path("/usr/share/keyrings/ubuntu-archive-keyring.gpg")
_KNOWN = Path("/usr/share/distro-info")
_UNWANTED = ("/usr/share/doc/*", "/usr/share/man/*", "/usr/share/locale/*", "/usr/share/info/*")
_RECIPE = "essential 1"  # to be changed with what is done here, so that images are made anew


_PACKAGE = re.compile(r"[a-z0-9][a-z0-9+.-]+", re.ASCII)  # Debian Policy, section 5.6.1
_MERGING = "merged-usr"
_UNMERGED = ("bullseye",)
"""Releases in which an installed system has /bin below /usr, and one that is made from its packages
has not: there /usr/bin/true would be missing, and scripts that name it would silently not run.
"""
_MERGE = "/usr/share/mmdebstrap/hooks/merged-usr/setup00.sh"
"""What mmdebstrap has for it: links, as debootstrap makes them, before any package is unpacked."""


def parts(name: str) -> tuple[str, tuple[str, ...]]:
    """The parts of ``trixie+haproxy,iputils-ping``: the release, and the packages to add to it.

    Raises HarnessError if one of them cannot be the name of a package.
    """
    base, plus, more = name.partition("+")
    packages = tuple(more.split(",")) if plus else ()
    for package in packages:
        if not _PACKAGE.fullmatch(package):
            raise HarnessError(
                f"image {name}: {package!r} is no name of a package: {base}+haproxy,iputils-ping"
            )
    return base, packages


def is_with_packages(name: str) -> bool:
    """Whether a name is a release's, with or without packages."""
    return is_release(name.partition("+")[0])


def is_release(name: str) -> bool:
    """Whether Debian or Ubuntu has a release of this name."""
    return name in RELEASES or bool(_distribution(name))


def key(name: str) -> str:
    """The key of a release's image in the cache."""
    base, packages = parts(name)
    merging = [_MERGING] if base in _UNMERGED else []
    recipe = "\n".join([_RECIPE, *_UNWANTED, *PACKAGES, *merging, *packages])
    return f"{base}-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"


def make(name: str, progress: cache.Progress) -> Path:
    """The folder of a release's root file system, from the cache or made now in about a minute.

    Raises HarnessError, which says what failed: there is no such release or package in the
    archives, no network, or no tool.
    """
    for tool, package in (
        ("mmdebstrap", "mmdebstrap"),
        ("setpriv", "util-linux"),
        ("apt-get", "apt"),
    ):
        if shutil.which(tool) is None:
            raise HarnessError(
                f"image {name}: {tool} is missing; run `make images`, or: apt-get install {package}"
            )

    base, packages = parts(name)

    def fill(made: Path, work: Path, steps: Steps) -> None:
        sources, options = _configure(base, work, steps)
        steps.begin(f"install {base} with {', '.join([*PACKAGES, *packages])}")
        archive = work / "image.tar"
        try:
            steps.run("mmdebstrap", *_arguments(options, base, packages), base, archive, *sources)
        except HarnessError as problem:
            raise _explained(base, steps, problem) from None
        steps.begin("unpack")
        steps.run("tar", "-C", made, "--exclude=./dev/*", "-xf", archive)

    return cache.make(key(name), f"image {name}", fill, progress)


def _configure(name: str, work: Path, steps: Steps) -> tuple[list[Path], Path]:
    """The sources for a release (none if mmdebstrap knows them) and the file of apt's options."""
    distribution = _distribution(name)
    keyring = apt.KEYRING if distribution == "debian" else UBUNTU_KEYRING
    if not keyring.exists():
        raise HarnessError(
            f"image {name}: {keyring} is missing; apt-get install {keyring.stem}, or,"
            " where apt has none, give the"
            f" folder of an unpacked root: --image PATH"
        )
    steps.begin("ask apt for its archives")
    options = work / "options"
    options.write_text(apt.acquisition(steps))
    own = apt.own_archives(work / "own", steps)
    archives = [uri for uri in own if uri.rstrip("/").endswith(f"/{distribution}")]
    if not archives:
        return [], options
    sources = work / f"{name}.sources"
    sources.write_text(apt.sources(archives, name, keyring))
    return [sources], options


def _arguments(options: Path, base: str, packages: tuple[str, ...] = ()) -> list[str]:
    # The options and sources may name this machine's proxy with a password: they do not stay in the
    # image.
    forget = (
        'rm -f "$1"/etc/apt/apt.conf.d/99mmdebstrap "$1"/etc/apt/sources.list'
        ' "$1"/etc/apt/sources.list.d/*'
    )
    return [
        "--variant=essential",
        "--format=tar",
        f"--include={','.join([*PACKAGES, *packages])}",
        *([f"--setup-hook={_MERGE}"] if base in _UNMERGED else []),
        f"--aptopt={options}",
        *(f"--dpkgopt=path-exclude={pattern}" for pattern in _UNWANTED),
        f"--customize-hook={forget}",
    ]


def _explained(name: str, steps: Steps, problem: HarnessError) -> HarnessError:
    said = steps.log.read_text(errors="replace")
    if found := re.search(
        r"Unable to locate package (\S+)|Package '(\S+)' has no installation candidate", said
    ):
        return steps.failure(
            f"{name} has no package {found[1] or found[2]}; take another release, or a folder"
        )
    if "does not have a Release file" in said or re.search(r"InRelease.*\n?.*404", said):
        return steps.failure(
            f"the archives of this machine's apt have no release {name}; take another"
        )
    if found := re.search(r"^E: Failed to fetch (\S+) +(.+?)(?: \[IP: .*\])?$", said, re.MULTILINE):
        return steps.failure(
            f"a download failed, and nothing is kept of it: {found[1]}: {found[2]}; try again"
        )
    if "uid_map" in said or "newuidmap" in said or "/etc/subuid" in said:
        return steps.failure(
            "mmdebstrap needs root, or else the package uidmap and an entry in /etc/subuid"
        )
    return problem


def _distribution(name: str) -> str | None:
    if name in RELEASES:
        return "debian"
    for file in sorted(_KNOWN.glob("*.csv")):
        with file.open(newline="", encoding="utf-8") as rows:
            if any(row.get("series") == name for row in csv.DictReader(rows)):
                return file.stem
    return None
