"""What may only rise, and what must not grow for ever: a kernel's counters, and keepalived's
memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from harness.search import proc

if TYPE_CHECKING:
    from harness.lab.machine import Machine
    from harness.nodes import DirectorNode
    from harness.search.canonical import Opened

Memory = Mapping[str, int]
"""Kibibytes of anonymous memory (``RssAnon`` in proc_pid_status(5)) by process."""

Counters = Mapping[str, tuple[int, ...]]
"""What a director's kernel has counted for IPVS, by the director's name."""

ALLOWANCE, EACH = 64.0, 0.25
"""Kibibytes by which a process may grow in the second half of many repetitions, and so much more
for each of them: an allocator returns no pages, and fills them up for a while. The VRRP process of
2.3.4 still takes 64 KiB more from the 100th reload to the 900th, and then no more.
"""

_STATISTICS = "/proc/net/ip_vs_stats"
_TOTALS = 2
"""Which of its lines has the totals: connections, packets and bytes (``ip_vs_ctl.c``,
``ip_vs_stats_show``), in hexadecimal.
"""


def memory(machine: Machine) -> Memory:
    """What each process of keepalived on a machine takes for itself."""
    found: dict[str, int] = {}
    with proc.processes(machine, "keepalived") as processes:
        for process in processes:
            for line in _status(process):
                if line.startswith("RssAnon:"):
                    found[process.pid] = int(line.split()[1])
    return found


def _status(process: proc.Process) -> list[str]:
    try:
        return process.read("status").splitlines()
    except OSError:  # it has ended meanwhile
        return []


def leak(samples: Sequence[Memory]) -> str | None:
    """Which process has grown all the while the same was done again and again, and by how much;
    None if none has. ``samples`` are its memory before, and after each repetition.

    The first half does not count: what is done for the first time takes memory that stays.
    """
    middle = len(samples) // 2
    half = len(samples) - 1 - middle
    for pid, last in samples[-1].items():
        if pid in samples[middle]:
            grown = last - samples[middle][pid]
            if grown > ALLOWANCE + EACH * half:
                return f"process {pid} has grown by {grown} KiB in {half} repetitions"
    return None


Sockets = Mapping[str, Mapping[str, int]]
"""How many sockets each process of a director's keepalived holds: by director and process."""


def sockets(files: Opened) -> Sockets:
    """The sockets among what keepalived's processes hold open; those of checks come and go."""
    return {
        director: {
            pid: sum(each.startswith("socket:") for each in targets)
            for pid, targets in processes.items()
        }
        for director, processes in files.items()
    }


def left_open(now: Sockets, most: Mapping[str, int]) -> str | None:
    """Which process holds more sockets than keepalived has use for, ``most`` of each director; None
    if none does. One that is not closed after each check is met by that.
    """
    for name, processes in now.items():
        for pid, count in processes.items():
            if count > most[name]:
                return f"{name}'s process {pid} holds {count} sockets, and has use for {most[name]}"
    return None


SPARE = 16
"""Sockets that a process of keepalived may hold besides those of its checks: netlink's, and two or
so for each of a few VRRP instances.
"""


def of_use(directors: Iterable[DirectorNode]) -> dict[str, int]:
    """How many sockets a process of each director's keepalived can have use for at most: one for
    each check of each real server, and some spare ones.
    """
    found: dict[str, int] = {}
    for director in directors:
        services = director.role.services
        checks = sum(
            len(director.destinations(service)) * len(service.checks) * len(service.names)
            for service in services
        )
        found[director.name] = checks + SPARE + 4 * len(director.role.instances)
    return found


def counters(directors: Iterable[DirectorNode]) -> Counters:
    """The totals that each director's kernel has counted so far."""
    found: dict[str, tuple[int, ...]] = {}
    for director in directors:
        lines = director.machine.read(_STATISTICS).splitlines()
        found[director.name] = tuple(int(word, 16) for word in lines[_TOTALS].split())
    return found


def fallen(before: Counters, now: Counters, booted: Iterable[str] = ()) -> str | None:
    """Which director has counted less than before, unless it was ``booted`` meanwhile; None if
    none has.
    """
    for name in sorted(before.keys() - set(booted)):
        if any(here < was for was, here in zip(before[name], now[name], strict=True)):
            return f"{name} had counted {before[name]}, and has counted {now[name]}"
    return None
