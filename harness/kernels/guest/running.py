"""Which processes of the embedded kernel are running, asked by pid 1 when virtual time does not
move on.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

from harness.kernels.calls import linux

SIGUSR1, SIGUSR2, SIGXCPU = 10, 12, 24  # `signal` adds enums, which take 10 ms to import
_LOOKS = 2


def report(program: int) -> str:
    """A line for each process that is running or could be; Python programs among them show their
    stacks.

    They show it on standard error, as does ``program``, whatever it is doing.
    """
    running = list(_running())
    lines = [f"{name}, pid {pid} on {_machine(pid)}: {_command(pid)}" for pid, name in running]
    for pid in {program, *(pid for pid, _ in running)}:
        _ask_for_stack(pid)
    return "\n".join(lines)


def relieve(program: int, limited: bool) -> str:
    """End the processes that compute; returns a line for each that nobody expects to be ended.

    ``limited``: only those with a limit to their processor time. Where there is none but
    ``program``, that is told, for it to end what it is doing.
    """
    if limited:
        _end_limited(program)
        return ""
    spinning = dict(_running())
    for _ in range(_LOOKS):  # others that can run get their turn, and rest then
        os.sched_yield()
        still = dict(_running())
        spinning = {pid: name for pid, name in spinning.items() if pid in still}
    lines = []
    for pid, name in spinning.items():
        if pid != program:
            lines.append(f"{name}, pid {pid} on {_machine(pid)}: {_command(pid)}")
            _send(pid, SIGXCPU)
    if not lines and program in spinning and _catches(program, SIGUSR2):
        _send(program, SIGUSR2)
        lines.append("the scenario, as the tests themselves compute")
    return "\n".join(lines)


def _end_limited(program: int) -> None:
    """End what has a limit to its processor time and computes, with all of its process group.

    What forks for ever is other processes at each look. Whoever started it expects its end, and
    tells.
    """
    groups = _limited_groups(program)
    for _ in range(_LOOKS):
        os.sched_yield()
        groups &= _limited_groups(program)
    for group in groups:
        _send(-group, SIGXCPU)


def _limited_groups(program: int) -> set[int]:
    groups = set()
    for pid, _ in _running():
        if pid != program and _is_limited(pid):
            try:
                groups.add(os.getpgid(pid))
            except ProcessLookupError:
                continue  # it has just ended
    return groups


def _is_limited(pid: int) -> bool:
    """getrlimit(2), RLIMIT_CPU."""
    line = _read(pid, "limits").partition("Max cpu time")[2]
    return bool(line) and line.split()[0] != "unlimited"


def _send(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return  # it has just ended


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
    """Forks of the program have its handler for SIGUSR1; to others the signal may mean something
    else.
    """
    if os.readlink(f"/proc/{pid}/exe") == os.readlink("/proc/self/exe") and _catches(pid, SIGUSR1):
        os.kill(pid, SIGUSR1)


def _catches(pid: int, number: int) -> bool:
    caught = int((_read(pid, "status").partition("SigCgt:")[2].split() or ["0"])[0], 16)
    return bool(caught >> number - 1 & 1)


def _read(pid: int, name: str) -> str:
    try:
        with open(f"/proc/{pid}/{name}", errors="replace") as file:
            return file.read()
    except OSError:  # It has just ended.
        return ""
