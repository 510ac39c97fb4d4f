"""Landlock (landlock(7), Linux 5.13): a process gives up all files but some, for good, and so do
those it starts.

It takes no privileges. The guard applies it to the kernel process, so this imports only C modules.
"""

from __future__ import annotations

import os
import stat

from harness.kernels.calls import linux

TYPE_CHECKING = False  # that of `typing` takes 15 ms to import
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

SIGNALS = 6
"""The version that keeps signals to the process and its children (Linux 6.12)."""

# <linux/landlock.h>
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446
_VERSION, _PATH_BENEATH = 1, 1
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR, _REMOVE_DIR, _REMOVE_FILE = 1, 2, 4, 8, 16, 32
_MAKE_DIR, _MAKE_REG, _REFER, _TRUNCATE = 128, 256, 1 << 13, 1 << 14
_ALL_BY_VERSION = {1: (1 << 13) - 1, 2: (1 << 14) - 1, 3: (1 << 15) - 1, 5: (1 << 16) - 1}
_NETWORK = (4, 3)  # the version that knows TCP, and its rights: to bind and to connect
_SCOPES = 3  # abstract Unix sockets, and signals
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE

READ = _EXECUTE | _READ_FILE | _READ_DIR
LIST = _READ_DIR
WRITE = (
    _READ_FILE
    | _READ_DIR
    | _WRITE_FILE
    | _TRUNCATE
    | _REMOVE_DIR
    | _REMOVE_FILE
    | _MAKE_DIR
    | _MAKE_REG
    | _REFER
)
"""Regular files and folders: no links, sockets, FIFOs or devices."""


def version() -> int:
    """Which version this machine's kernel has; 0 if none."""
    try:
        return linux.syscall(_CREATE_RULESET, None, 0, _VERSION)
    except OSError:
        return 0


class Ruleset:
    """What is allowed; the rest of the file system is not."""

    def __init__(self, known: int) -> None:
        """``known`` is the :func:`version`, 1 at least."""
        self._known = max(rights for since, rights in _ALL_BY_VERSION.items() if since <= known)
        words = [self._known]
        if known >= _NETWORK[0]:
            words.append(_NETWORK[1])
        if known >= SIGNALS:
            words.append(_SCOPES)
        self._descriptor = linux.syscall(_CREATE_RULESET, _words(*words), 8 * len(words), 0)

    def allow(self, rights: int, path: str | int) -> None:
        """Allow this with a file, or with a folder and all below it, by path or descriptor; ignore
        what is missing.
        """
        try:
            descriptor = path if isinstance(path, int) else os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            return
        if not stat.S_ISDIR(os.fstat(descriptor).st_mode):
            rights &= _OF_FILES
        rule = (rights & self._known).to_bytes(8, "little") + descriptor.to_bytes(4, "little")
        linux.syscall(_ADD_RULE, self._descriptor, _PATH_BENEATH, rule, 0)
        if descriptor != path:
            os.close(descriptor)

    def enter(self) -> None:
        """From now on this process can do nothing else. It has PR_SET_NO_NEW_PRIVS set."""
        linux.syscall(_RESTRICT_SELF, self._descriptor, 0)
        os.close(self._descriptor)


def public(folder: str) -> Iterator[str]:
    """The files and folders below ``folder`` that everybody may read, and all that is below them as
    well.
    """
    hidden, found = _public(folder)
    yield from found if hidden else [folder]


def _public(folder: str) -> tuple[bool, list[str]]:
    """Whether there is anything that not everybody may read, and what they may."""
    found, hidden = [], False
    try:
        with os.scandir(folder) as scanned:
            entries = list(scanned)
    except OSError:
        return True, []
    for entry in entries:
        if entry.is_symlink():
            continue
        mode = entry.stat(follow_symlinks=False).st_mode
        if not mode & stat.S_IROTH:
            hidden = True
        elif stat.S_ISDIR(mode):
            some_hidden, below = _public(entry.path)
            hidden = hidden or some_hidden
            found += below if some_hidden else [entry.path]
        else:
            found.append(entry.path)
    return hidden, found


def _words(*values: int) -> bytes:
    return b"".join(value.to_bytes(8, "little") for value in values)


def allow_all(ruleset: Ruleset, rights: int, paths: Iterable[str]) -> None:
    """Allow this with each of them."""
    for path in paths:
        ruleset.allow(rights, path)
