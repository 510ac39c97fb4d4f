"""Which processes of the embedded kernel are running, asked by pid 1 when virtual time does not move on."""

from __future__ import annotations

import os
from collections.abc import Iterator

from harness.kernels import linux

_SIGUSR1 = 10


def report(program: int) -> str:
    """A line for each process that is running or could be; Python programs among them show their stacks.

    They show it on standard error, as does ``program``, whatever it is doing.
    """
    running = list(_running())
    lines = [f"{name}, pid {pid} on {_machine(pid)}: {_command(pid)}" for pid, name in running]
    for pid in {program, *(pid for pid, _ in running)}:
        _ask_for_stack(pid)
    return "\n".join(lines)


def _running() -> Iterator[tuple[int, str]]:
    for pid in sorted(int(name) for name in os.listdir("/proc") if name.isdigit()):
        start, _, rest = _read(pid, "stat").rpartition(") ")
        # State and parent, proc_pid_stat(5); kernel threads are children of pid 2.
        if pid != os.getpid() and rest[:1] == "R" and rest.split()[1] != "2":
            yield pid, start.partition("(")[2]


def _machine(pid: int) -> str:
    try:
        namespace = os.open(f"/proc/{pid}/ns/uts", os.O_RDONLY)
        linux.setns(namespace, linux.CLONE_NEWUTS)
        os.close(namespace)
    except OSError:
        return "an unknown machine"
    return os.uname().nodename


def _command(pid: int) -> str:
    return _read(pid, "cmdline").replace("\0", " ").strip()[:100]


def _ask_for_stack(pid: int) -> None:
    """Forks of the program have its handler for SIGUSR1; to others the signal may mean something else."""
    caught = int(_read(pid, "status").partition("SigCgt:")[2].split()[0] or "0", 16)
    if os.readlink(f"/proc/{pid}/exe") == os.readlink("/proc/self/exe") and caught >> _SIGUSR1 - 1 & 1:
        os.kill(pid, _SIGUSR1)


def _read(pid: int, name: str) -> str:
    try:
        with open(f"/proc/{pid}/{name}", errors="replace") as file:
            return file.read()
    except OSError:  # It has just ended.
        return ""
