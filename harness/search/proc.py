"""The processes of a machine, as its own /proc tells of them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.lab.machine import Machine


@dataclass(frozen=True)
class Process:
    """A process by its number, and its folder in /proc, which is open."""

    pid: str
    folder: int

    def read(self, name: str) -> str:
        """One of its files. OSError if it has ended meanwhile."""
        descriptor = os.open(name, os.O_RDONLY, dir_fd=self.folder)
        with open(descriptor, encoding="utf-8", errors="replace") as file:
            return file.read()

    def targets(self) -> list[str]:
        """What its descriptors lead to. OSError if it has ended meanwhile."""
        folder = os.open("fd", os.O_RDONLY | os.O_DIRECTORY, dir_fd=self.folder)
        try:
            return [os.readlink(each, dir_fd=folder) for each in os.listdir(folder)]
        finally:
            os.close(folder)


@contextmanager
def processes(machine: Machine, name: str) -> Iterator[list[Process]]:
    """The processes of a machine that have this name, oldest first, but those that a child has
    forked, to run a program in them next; their folders stay open.
    """
    found: list[Process] = []
    try:
        with machine.directory("/proc") as proc:
            for pid in sorted(filter(str.isdigit, os.listdir(proc)), key=int):
                try:
                    folder = os.open(pid, os.O_RDONLY | os.O_DIRECTORY, dir_fd=proc)
                except OSError:  # it has ended meanwhile
                    continue
                found.append(Process(pid, folder))
        parents = {each.pid: _parent(each) for each in found if _name(each) == name}
        lasting = own(parents)
        yield [each for each in found if each.pid in lasting]
    finally:
        for each in found:
            os.close(each.folder)


def opened(machine: Machine, name: str) -> dict[str, list[str]]:
    """What the descriptors of each process of this name lead to, by its number."""
    found: dict[str, list[str]] = {}
    with processes(machine, name) as there:
        for process in there:
            with suppress(OSError):  # it has ended meanwhile
                found[process.pid] = process.targets()
    return found


def own(parents: Mapping[str, str | None]) -> set[str]:
    """Which processes are a daemon's own, by the parent of each: those that none of them has
    started, and their children.
    """
    first = {pid for pid, parent in parents.items() if parent not in parents}
    return first | {pid for pid, parent in parents.items() if parent in first}


def _parent(process: Process) -> str | None:
    try:
        # Behind the name, which may have spaces in it: the state, and the parent.
        return process.read("stat").rpartition(")")[2].split()[1]
    except OSError:  # it has ended meanwhile
        return None


def _name(process: Process) -> str | None:
    try:
        return process.read("comm").strip()
    except OSError:  # it has ended meanwhile
        return None
