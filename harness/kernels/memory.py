"""How much memory an embedded kernel is given, and how much there is. What it does not use costs nothing: it is a
sparse file.
"""

from __future__ import annotations

from pathlib import Path

from harness.errors import HarnessError

SMALLEST = 1 << 30
"""What a guest has at least, in bytes, unless the user says otherwise."""

_BASE, _EACH = 300 << 20, 12 << 20
_UNITS = {"M": 20, "G": 30}


def parse(text: str) -> int:
    """Bytes of an amount such as ``512M`` or ``2G``; HarnessError if it is none."""
    unit = _UNITS.get(text[-1:])
    if unit is None or not text[:-1].isdigit() or not int(text[:-1]):
        raise HarnessError(f"{text!r} is no amount of memory: write it as 512M or 1G")
    return int(text[:-1]) << unit


def given(wanted: str | None, machines: int) -> int:
    """What a guest gets, in bytes: what the user wants, or enough for a cluster of so many machines."""
    return max(SMALLEST, taken(machines)) if wanted is None else parse(wanted)


def taken(machines: int) -> int:
    """What the guest of a cluster of so many machines takes at most, pytest in it included, in bytes."""
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
