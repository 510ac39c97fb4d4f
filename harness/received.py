"""Folders whose content is somebody else's: a run's, which a guest has written, or one that was
sent.

The folder that is named is the user's choice, links on the way to it too. What lies in it is data:
no link in it is followed, no FIFO and no device is opened, and no file is read that is larger than
it may be. Each name is walked part by part from the folder's own descriptor with O_NOFOLLOW, which
holds on every kernel and file system, also while somebody exchanges a folder for a link (openat2(2)
would be a second way to the same end, and is not everywhere).

Whatever is refused is an :class:`OSError` whose ``strerror`` says why, as for a file that the
kernel refuses.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

LARGEST: Final = 64 << 20
"""How many bytes a file may have, unless its reader says otherwise."""

DEEPEST: Final = 32
"""How many folders, or lists and objects of JSON, may lie in each other."""

LONGEST_NUMBER: Final = 1e18
"""Beyond that nothing is a time, an amount or a count of anything here."""

NEW = ".new"
"""How the names of files end that are still being written."""

_FOLDER = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_WRITE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


# -- files ---------------------------------------------------------------------


def read(folder: Path, name: str, most: int = LARGEST, *, alone: bool = False) -> bytes:
    """The content of a regular file of at most ``most`` bytes; ``name`` is its path below
    ``folder``.

    ``alone``: one that has no other name, which might lie elsewhere and be somebody's secret (hard
    links).
    """
    with _inside(folder, name) as (place, last):
        _check(
            os.stat(last, dir_fd=place, follow_symlinks=False), most
        )  # to open a device may have it do something
        with os.fdopen(os.open(last, _READ, dir_fd=place), "rb") as file:
            status = os.fstat(file.fileno())
            _check(status, most)
            if alone and status.st_nlink > 1:
                raise OSError(errno.EMLINK, "it is a hard link, so it may be a file from elsewhere")
            content = file.read(most + 1)
    if len(content) > most:  # it has grown since
        raise _too_large(len(content), most)
    return content


def read_named(file: Path, most: int = LARGEST) -> bytes:
    """The content of a file that the user has named, whose links are the user's too: a regular one
    all the same.
    """
    try:
        there = file.resolve()
    except (RuntimeError, ValueError) as problem:  # links in a circle; a NUL in its name
        raise OSError(errno.EINVAL, f"no name of a file: {problem}") from None
    return read(there.parent, there.name, most)


def has(folder: Path, name: str) -> bool:
    """Whether there is something of that name, whatever it is."""
    try:
        with _inside(folder, name) as (place, last):
            os.stat(last, dir_fd=place, follow_symlinks=False)
    except OSError:
        return False
    return True


def files(folder: Path, below: str = "") -> list[str]:
    """The paths below ``folder`` of all regular files in it, or in a folder in it, in their
    order.
    """
    with _opened(folder, below) as place:
        return sorted(_files(place, f"{below}/" if below else "", DEEPEST))


def _files(place: int, prefix: str, deepest: int) -> Iterator[str]:
    for name, kind in _listed(place):
        if kind == stat.S_IFREG:
            yield prefix + name
        elif kind == stat.S_IFDIR and deepest > 1:
            with contextlib.suppress(OSError), _part(place, name) as inner:
                yield from _files(inner, f"{prefix}{name}/", deepest - 1)


def folders(folder: Path) -> list[str]:
    """The names of the folders in ``folder``, in their order."""
    with _opened(folder) as place:
        return sorted(name for name, kind in _listed(place) if kind == stat.S_IFDIR)


def _listed(place: int) -> list[tuple[str, int]]:
    """Name and kind (``stat.S_IFMT``) of all that is in a folder."""
    opened = os.open(".", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=place)
    try:
        with os.scandir(opened) as entries:
            return [
                (entry.name, stat.S_IFMT(entry.stat(follow_symlinks=False).st_mode))
                for entry in entries
            ]
    finally:
        os.close(opened)


@contextlib.contextmanager
def replacing(folder: Path, name: str, mode: str = "w") -> Iterator[Any]:
    """Write a file as a whole: whoever reads it finds the old or the new one, and of one that fails
    nothing stays.

    What is there of the same name is replaced, and not followed where it is a link. ``mode`` is
    ``w`` or ``wb``.
    """
    with _inside(folder, name) as (place, last):
        new = last + NEW
        try:
            descriptor = os.open(new, _WRITE, 0o666, dir_fd=place)
        except FileExistsError:  # of somebody who was killed, or who wants us to write elsewhere
            os.unlink(new, dir_fd=place)
            descriptor = os.open(new, _WRITE, 0o666, dir_fd=place)
        try:
            text = {} if "b" in mode else {"encoding": "utf-8", "errors": "replace"}
            with os.fdopen(descriptor, mode, **text) as file:  # type: ignore[call-overload]
                yield file
            os.rename(new, last, src_dir_fd=place, dst_dir_fd=place)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(new, dir_fd=place)
            raise


def add(folder: Path, name: str, content: bytes) -> None:
    """Write a new file, and the folders it lies in; what is there already, of whoever came first,
    stays.
    """
    make_folders(folder, name)
    with contextlib.suppress(FileExistsError), contextlib.ExitStack() as stack:
        place, last = stack.enter_context(_inside(folder, name))
        stack.enter_context(os.fdopen(os.open(last, _WRITE, 0o666, dir_fd=place), "wb")).write(
            content
        )


def copy(folder: Path, below: str, target: Path) -> list[str]:
    """Copy the regular files of a folder in ``folder`` into the folder ``target``, of whose content
    the same holds.

    Returns what could not be copied, a line each.
    """
    problems = []
    for name in files(folder, below):
        try:
            content = read(folder, name)
            inner = name.removeprefix(f"{below}/")
            make_folders(target, inner)
            with replacing(target, inner, "wb") as file:
                file.write(content)
        except OSError as problem:
            problems.append(f"{name!r} is left out: {problem.strerror}")
    return problems


def make_folders(folder: Path, name: str) -> None:
    """Make the folders, below ``folder``, in which a file called ``name`` is to lie."""
    with contextlib.ExitStack() as stack:
        place = stack.enter_context(_opened(folder))
        for part in _parts(name)[:-1]:
            with contextlib.suppress(FileExistsError):
                os.mkdir(part, dir_fd=place)
            place = stack.enter_context(_part(place, part))


# -- the way to them -----------------------------------------------------------


def _parts(name: str) -> list[str]:
    parts = name.split("/")
    if "\0" in name or any(part in ("", ".", "..") for part in parts) or len(parts) > DEEPEST:
        raise OSError(errno.EINVAL, "no name of a file in this folder", name)
    return parts


@contextlib.contextmanager
def _inside(folder: Path, name: str) -> Iterator[tuple[int, str]]:
    """The folder in which ``name`` lies, opened, and its last part."""
    above, _, last = name.rpartition("/")
    _parts(name)
    with _opened(folder, above) as place:
        yield place, last


@contextlib.contextmanager
def _opened(folder: Path, below: str = "") -> Iterator[int]:
    with contextlib.ExitStack() as stack:
        place = os.open(folder, _FOLDER & ~os.O_NOFOLLOW)
        stack.callback(os.close, place)
        for part in _parts(below) if below else ():
            place = stack.enter_context(_part(place, part))
        yield place


@contextlib.contextmanager
def _part(place: int, part: str) -> Iterator[int]:
    try:
        descriptor = os.open(part, _FOLDER, dir_fd=place)
    except NotADirectoryError:  # a link too
        raise OSError(errno.ENOTDIR, f"{part!r} is no folder, and links are not followed") from None
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _check(status: os.stat_result, most: int) -> None:
    if stat.S_ISLNK(status.st_mode):
        raise OSError(errno.ELOOP, "it is a link, and links are not followed")
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.EINVAL, "it is no regular file")
    if status.st_size > most:
        raise _too_large(status.st_size, most)


def _too_large(size: int, most: int) -> OSError:
    return OSError(errno.EFBIG, f"it has {size} bytes, and {most} are the most")


# -- what is in them -----------------------------------------------------------


def parse(text: bytes | str) -> Any:
    """JSON of somebody else's. ValueError that says why if it is none, or deeper than
    :data:`DEEPEST`.
    """
    try:
        value = json.loads(text)
    except RecursionError:
        raise ValueError("its lists and objects lie too deep in each other") from None
    level = [value]
    for _ in range(DEEPEST):
        level = [inner for outer in level for inner in _values(outer)]
        if not level:
            return value
    raise ValueError("its lists and objects lie too deep in each other")


def _values(value: Any) -> Any:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def is_number(value: Any) -> bool:
    """Whether it is a number that can be reckoned with: no truth value, not infinite, not of
    hundreds of digits.
    """
    return (
        isinstance(value, int | float)
        and not isinstance(value, bool)
        and abs(value) <= LONGEST_NUMBER
    )


# -- words ---------------------------------------------------------------------


def plain(value: object, keep: str = "") -> str:
    """A text that somebody else wrote, without characters that a terminal would obey, but for those
    to ``keep``.
    """
    return "".join(char if char.isprintable() or char in keep else "?" for char in str(value))
