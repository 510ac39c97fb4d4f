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


SEARCH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Where machines look for programs."""

PROGRAMS = {
    "keepalived": "keepalived",
    "ipvsadm": "ipvsadm",
    "apache2": "apache2",
    "ip": "iproute2",
    "dnsmasq": "dnsmasq-base",
    "iptables-legacy-restore": "iptables",
    "ip6tables-legacy-restore": "iptables",
}
"""The programs that clusters run, and Debian's packages of them."""


def programs() -> list[tuple[str, str, str | None]]:
    """Each program that clusters run: its name, its package, and its path or None."""
    return [(program, package, _path(program)) for program, package in PROGRAMS.items()]


def require(program: str) -> None:
    """Raises HarnessError that says what installs a program, if this machine has not got it."""
    if _path(program) is None:
        raise HarnessError(f"{program} is not installed; run `make setup`, or: apt-get install {PROGRAMS[program]}")


def _path(program: str) -> str | None:
    return shutil.which(program, path=SEARCH)
