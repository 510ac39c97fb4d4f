"""What all daemons have in common."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from harness.errors import HarnessError
from harness.images.image import HOST, Image


@dataclass(frozen=True)
class Daemon:
    """A program that runs in the foreground on a machine.

    ``ready`` is what it logs when it serves (None: it serves as soon as it runs, and says nothing),
    ``failed`` what it logs when it will not; ``package`` has ``argv[0]``. One that is ``first`` has
    to serve before the others of its machine are started.
    """

    name: str
    argv: tuple[str, ...]
    ready: re.Pattern[str] | None
    failed: re.Pattern[str]
    package: str
    first: bool = False


PROGRAMS = {
    "keepalived": "keepalived",
    "ipvsadm": "ipvsadm",
    "apache2": "apache2",
    "ip": "iproute2",
    "dnsmasq": "dnsmasq-base",
    "iptables-legacy-restore": "iptables",
    "ip6tables-legacy-restore": "iptables",
    "iptables-legacy": "iptables",
    "ip6tables-legacy": "iptables",
    "aiosmtpd": "python3-aiosmtpd",
}
"""The programs that clusters run, and Debian's packages of them."""

OPTIONAL_PROGRAMS = {
    "ldirectord": "ldirectord",
    "nft": "nftables",
    "haproxy": "haproxy",
    "nginx": "nginx-light",
    "/usr/lib/frr/vrrpd": "frr",
}
"""Those that a topology has to ask for, and that nothing installs before."""


def programs() -> list[tuple[str, str, Path | None]]:
    """Each program that clusters run: its name, its package, and its path or None."""
    return [(program, package, HOST.program(program)) for program, package in PROGRAMS.items()]


def require(program: str, image: Image = HOST) -> None:
    """Raises HarnessError that says what installs a program, if the image has not got it."""
    if image.program(program) is None:
        if not image.is_host:
            raise HarnessError(
                f"the image {image.name} has no program {program}; take one that has it"
            )
        if program in OPTIONAL_PROGRAMS:
            raise HarnessError(
                f"{program} is not installed: apt-get install {OPTIONAL_PROGRAMS[program]}"
            )
        raise HarnessError(
            f"{program} is not installed; run `make setup`, or: apt-get install {PROGRAMS[program]}"
        )
