"""A keepalived of the user's own, which is laid over an image.

It is a program, or it is built from any commit of a git checkout.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from harness.errors import HarnessError
from harness.images import cache
from harness.images.image import check_architecture, compiled_in
from harness.kernels.making.steps import Steps

TOOLS = {
    "gcc": "gcc",
    "make": "make",
    "autoreconf": "autoconf",
    "automake": "automake",
    "pkg-config": "pkg-config",
}
"""What building keepalived runs, and the packages that have it. It also wants the headers of
OpenSSL and libnl.
"""

PLACE = "run/sbin/keepalived"
"""Where machines find it first, and nothing of this machine's is in its way."""

_BUILT = ("bin/keepalived", "keepalived/keepalived", "sbin/keepalived", "usr/sbin/keepalived")
_OPTIONS = (
    "--prefix=/usr",
    "--sysconfdir=/etc",
    "--localstatedir=/var",
    "--enable-json",
    "--disable-dependency-tracking",
)


_commits: dict[str, str] = {}
"""The commit of each ``CHECKOUT@COMMIT`` that this run has made."""


def commits() -> dict[str, str]:
    """The commit of each ``CHECKOUT@COMMIT`` that was made: the embedded kernel, which cannot read
    the checkout, has to be told (:class:`harness.kernels.run.Run`).
    """
    return dict(_commits)


def remember(made: Mapping[str, str]) -> None:
    """In another process of the run: what the first one has made."""
    _commits.update(made)


def is_one(name: str) -> bool:
    """Whether a name is a keepalived's rather than an image's.

    That is a program, a folder with sources, or ``CHECKOUT@COMMIT``.
    """
    checkout, at, _ = name.rpartition("@")
    path = Path(name)
    return (
        path.is_file()
        or name in _commits
        or (bool(at) and (Path(checkout) / ".git").exists())
        or (path / "keepalived.spec.in").is_file()
    )


def find(name: str) -> Path:
    """The folder of a layer that has been made before."""
    found = cache.find(_key(name))
    if found is None:
        raise HarnessError(
            f"keepalived {name} has not been built yet; build it: lvs-harness image make {name}"
        )
    return found


def make(name: str, progress: cache.Progress) -> Path:
    """The folder of the layer, from the cache or made now; to build a commit takes a minute or two.

    Raises HarnessError if there is no such program or commit, or if it cannot be built.
    """
    what = f"keepalived {name}"
    if "@" in name and not Path(name).exists():
        checkout, _, named = name.rpartition("@")
        commit = commit_of(checkout, named)
        _commits[name] = commit
        return cache.make(_key_of(commit), what, _builder(Path(checkout), commit), progress)
    program = _program(name)

    def fill(made: Path, work: Path, steps: Steps) -> None:
        _place(program, made)

    return cache.make(_key(name), what, fill, progress)


def _key(name: str) -> str:
    if "@" in name and not Path(name).exists():
        checkout, _, commit = name.rpartition("@")
        return _key_of(_commits.get(name) or commit_of(checkout, commit))
    return f"keepalived-{hashlib.sha256(_program(name).read_bytes()).hexdigest()[:12]}"


def _key_of(commit: str) -> str:
    return f"keepalived-commit-{commit[:12]}"


def _program(name: str) -> Path:
    """The program at a path, or in a folder whose sources have been built.

    Raises HarnessError if it is no keepalived.
    """
    path = Path(name)
    if path.is_dir():
        built = next((path / place for place in _BUILT if (path / place).is_file()), None)
        if built is None:
            raise HarnessError(
                f"{name} has no built keepalived; run `./configure && make` there, or"
                f" give {name}@COMMIT"
            )
        path = built
    elif not path.is_file():
        raise HarnessError(
            f"there is no keepalived {name}; give the path of the program, or of its built source"
        )
    if compiled_in(path) is None:
        raise HarnessError(f"{path} is no keepalived")
    check_architecture(name, path)
    return path


def commit_of(checkout: str, name: str) -> str:
    """The full hash of a commit, a tag or a branch, or of a release: ``2.3.3`` is ``v2.3.3``."""
    asking = ["git", "-C", checkout, "rev-parse", "--verify", "--quiet", "--end-of-options"]
    said = ""
    for each in (name, f"v{name}"):
        named = subprocess.run(
            [*asking, f"{each}^{{commit}}"], capture_output=True, text=True, check=False
        )
        if not named.returncode:
            return named.stdout.strip()
        said = said or named.stderr.strip()
    raise HarnessError(f"{checkout} has no commit {name}: {said or 'git does not know it'}")


def _builder(checkout: Path, commit: str) -> cache.Fill:
    def fill(made: Path, work: Path, steps: Steps) -> None:
        if missing := [package for tool, package in TOOLS.items() if shutil.which(tool) is None]:
            raise HarnessError(
                f"building keepalived takes {', '.join(missing)}: run `make images`, or"
                " install them"
            )
        tree = work / "tree"
        tree.mkdir()
        steps.begin(f"take {commit[:12]} from {checkout}")
        steps.run("git", "-C", checkout, "archive", f"--output={work}/source.tar", commit)
        steps.run("tar", "-C", tree, "-xf", work / "source.tar")
        steps.begin("configure")
        if not (tree / "configure").exists():
            steps.run("autoreconf", "--install", cwd=tree)
        steps.run(tree / "configure", *_OPTIONS, cwd=tree)
        steps.begin("compile")
        steps.run("make", f"-j{len(os.sched_getaffinity(0))}", cwd=tree)
        _place(_program(str(tree)), made)

    return fill


def _place(program: Path, made: Path) -> None:
    (made / PLACE).parent.mkdir(parents=True)
    shutil.copy(program, made / PLACE)
    (made / PLACE).chmod(0o755)
