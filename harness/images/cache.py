"""The cache of images, in ``$XDG_CACHE_HOME/lvs-harness/images``.

An image is there whole or not at all, and it is never changed.
"""

from __future__ import annotations

import contextlib
import errno
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from harness.errors import HarnessError
from harness.kernels.making import cache
from harness.kernels.making.steps import Steps

Progress = Callable[[str], None]

Fill = Callable[[Path, Path, Steps], None]
"""Fills a new folder, given also a folder to work in, and the steps to take."""

SPACE = 1 << 30
"""Bytes that making an image may need on the cache's disk."""

_UNWRITABLE = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.ENOTDIR)


def location() -> Path:
    """The folder of all images. It need not exist."""
    return cache.user_cache() / "images"


def find(key: str) -> Path | None:
    """The folder of a key; None if there is none."""
    folder = location() / key
    return folder if folder.is_dir() else None


def forget(key: str) -> None:
    """Remove the folder of a key, if there is one."""
    if (folder := find(key)) is not None:
        shutil.rmtree(folder)


def make(key: str, what: str, fill: Fill, progress: Progress) -> Path:
    """The folder of a key, which ``fill`` makes if it is not there yet.

    However many processes ask for it at the same time, it is made once; each key has a lock of its
    own, so that nothing waits for what it does not want. If making it fails, nothing is kept but
    the log, and HarnessError is raised.
    """
    if (kept := find(key)) is not None:
        return kept
    with _writable(what), cache.alone(progress, location(), what, f".lock-{key}"):
        if (kept := find(key)) is not None:
            return kept
        for stale in location().glob(f".make-{key}-*"):
            shutil.rmtree(stale, ignore_errors=True)
        if (free := shutil.disk_usage(location()).free) < SPACE:
            raise HarnessError(
                f"{what}: making it needs {SPACE >> 20} MiB in {location()}, where"
                f" {free >> 20} MiB are free;"
                " make room or set XDG_CACHE_HOME to a folder on another disk"
            )
        steps = Steps(location() / f"build-{key}.log", progress, what)
        with tempfile.TemporaryDirectory(
            prefix=f".make-{key}-", dir=location(), ignore_cleanup_errors=True
        ) as work:
            made = Path(work, "made")
            made.mkdir()
            fill(made, Path(work), steps)
            made.rename(location() / key)
    return location() / key


@contextlib.contextmanager
def _writable(what: str) -> Iterator[None]:
    try:
        yield
    except OSError as problem:
        if problem.errno not in _UNWRITABLE:
            raise
        raise HarnessError(
            f"{what}: cannot write below {location()}: {problem.strerror}; make room"
            " there or set XDG_CACHE_HOME to"
            " another folder"
        ) from None
