"""How much memory an embedded kernel is given, and how much there is. What it does not use costs
nothing: it is a sparse file.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from harness.errors import HarnessError

SMALLEST = 1 << 30
"""What a guest has at least, in bytes, unless the user says otherwise."""

QUOTA = 2 << 30
"""What a guest may write, in bytes, unless the user says otherwise
(:mod:`harness.kernels.host.quota`).
"""

LEAST_QUOTA, MOST_QUOTA = 1 << 20, 1 << 40

LEAST = 256 << 20
"""With less pytest and the smallest cluster do not fit in, and the kernel ends without a word."""

_BASE, _EACH = 300 << 20, 12 << 20
_NUMBER = re.compile(r"[1-9][0-9]{0,8}")
_UNITS = {"M": 20, "G": 30}


def parse(text: str, of: str = "memory") -> int:
    """Bytes of an amount such as ``512M`` or ``2G``; HarnessError if it is none."""
    unit = _UNITS.get(text[-1:])
    if unit is None or not _NUMBER.fullmatch(text[:-1]):
        raise HarnessError(f"{text!r} is no amount of {of}: write it as 512M or 1G")
    return int(text[:-1]) << unit


def given(wanted: str | None, machines: int) -> int:
    """What a guest gets, in bytes: what the user wants, or enough for a cluster of so many
    machines.

    HarnessError if that is too little for a guest, or more than this machine has.
    """
    if wanted is None:
        return max(SMALLEST, taken(machines))
    if (size := parse(wanted)) < LEAST:
        raise HarnessError(
            f"--memory {wanted} is too little: give the embedded kernel {LEAST >> 20}M or more"
        )
    if size > (most := os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")):
        raise HarnessError(f"--memory {wanted} is more than this machine has: {most >> 20}M")
    return size


def quota(wanted: str | None) -> int:
    """What a guest may write, in bytes: :data:`QUOTA`, or what the user wants. HarnessError names
    the range.
    """
    if wanted is None:
        return QUOTA
    if not LEAST_QUOTA <= (size := parse(wanted, "disk")) <= MOST_QUOTA:
        raise HarnessError(
            f"--quota {wanted}: a run may write {LEAST_QUOTA >> 20}M at least and"
            f" {MOST_QUOTA >> 30}G at most"
        )
    return size


def taken(machines: int) -> int:
    """What the guest of a cluster of so many machines takes at most, pytest in it included, in
    bytes.
    """
    return _BASE + _EACH * machines


def left(meminfo: Path = Path("/proc/meminfo"), cgroup: Path = Path("/sys/fs/cgroup")) -> int:
    """Bytes that can still be taken: of this machine, or of the container that this is."""
    fields = dict(line.split(":") for line in meminfo.read_text().splitlines())
    available = int(fields["MemAvailable"].split()[0]) << 10
    try:
        limit, used = (Path(cgroup, name).read_text() for name in ("memory.max", "memory.current"))
    except OSError:  # no cgroup2, or not in a container
        return available
    return available if limit.strip() == "max" else min(available, max(0, int(limit) - int(used)))
