"""What all daemons have in common."""

from __future__ import annotations

import re
import shutil
from dataclasses import dataclass

from harness.errors import HarnessError


@dataclass(frozen=True)
class Daemon:
    """A program that runs in the foreground on a machine.

    ``ready`` is what it logs when it serves, ``failed`` what it logs when it will not; ``package`` has ``argv[0]``.
    """

    name: str
    argv: tuple[str, ...]
    ready: re.Pattern[str]
    failed: re.Pattern[str]
    package: str


def require(program: str, package: str) -> str:
    """The path of a program on this machine. Raises HarnessError that says what installs it."""
    path = shutil.which(program, path="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
    if path is None:
        raise HarnessError(f"{program} is not installed; run `make setup`, or: apt-get install {package}")
    return path
