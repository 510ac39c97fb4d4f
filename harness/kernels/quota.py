"""How much a guest may write: its guard looks now and then at how much there is."""

from __future__ import annotations

import errno
import math
import os
import time

_BLOCK, _LEAST = 512, 4096  # bytes: of stat's blocks, and what a file counts at least
_LEISURE = 50  # between two looks at how much the guest has written there are so many times what a look takes


class Quota:
    """How much there may be in the guest's folder, in bytes, looked at now and then."""

    def __init__(self, folder: str, most: int) -> None:
        self._folder, self._most = folder, most
        self.pause, self._due = 1.0, 0.0

    def exceeded(self) -> bool:
        """Whether there is more, if it is time for another look; ``pause`` is when, in seconds."""
        now = time.monotonic()
        if now < self._due:
            return False
        taken = used(self._folder)
        self.pause = max(1.0, _LEISURE * (time.monotonic() - now))
        self._due = now + self.pause
        return taken > self._most


def used(folder: str) -> float:
    """Bytes of disk that are taken by what is in a folder, which somebody may be changing; infinite where too deep."""
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
