"""How much a guest may write: its guard looks now and then at how much there is."""

from __future__ import annotations

import errno
import math
import os
import time

_BLOCK, _LEAST = 512, 4096  # bytes: of stat's blocks, and what a file counts at least
_REMOVED = " (deleted)"
# between two looks at how much the guest has written there are so many times what a look takes
_LEISURE = 50


class Quota:
    """How much there may be in the guest's folder, in bytes, looked at now and then.

    Files that have been removed, and that the process ``kernel`` still has open, count as well.
    """

    def __init__(self, folder: str, most: int, kernel: int) -> None:
        self._folder, self._most, self._kernel = folder, most, kernel
        self.pause, self._due = 1.0, 0.0

    def exceeded(self) -> bool:
        """Whether there is more, if it is time for another look; ``pause`` is when, in seconds."""
        now = time.monotonic()
        if now < self._due:
            return False
        taken = used(self._folder) + removed(self._folder, self._kernel)
        self.pause = max(1.0, _LEISURE * (time.monotonic() - now))
        self._due = now + self.pause
        return taken > self._most


def used(folder: str) -> float:
    """Bytes of disk that are taken by what is in a folder, which somebody may be changing; infinite
    where too deep.
    """
    total, folders = 0, [folder]
    while folders:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    status = entry.stat(follow_symlinks=False)
                    total += max(status.st_blocks * _BLOCK, _LEAST)
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
        except OSError as problem:
            if problem.errno == errno.ENAMETOOLONG:
                return math.inf
    return total


def removed(folder: str, process: int) -> int:
    """Bytes of disk that are taken by what was in a folder, is no longer, and is open in a process
    (proc_pid_fd(5)).
    """
    total, seen = 0, set()
    descriptors = f"/proc/{process}/fd"
    try:
        names = os.listdir(descriptors)
    except OSError:  # the process has just ended
        return 0
    for name in names:
        try:
            there = os.readlink(f"{descriptors}/{name}")
            if not (there.startswith(f"{folder}/") and there.endswith(_REMOVED)):
                continue
            status = os.stat(f"{descriptors}/{name}")
        except OSError:  # it has just been closed
            continue
        if status.st_nlink == 0 and (status.st_dev, status.st_ino) not in seen:
            seen.add((status.st_dev, status.st_ino))
            total += status.st_blocks * _BLOCK
    return total
