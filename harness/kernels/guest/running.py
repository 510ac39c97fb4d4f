"""Which processes of the embedded kernel are running, asked by pid 1 when virtual time does not
move on.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

from harness.kernels.calls import linux

# `signal` adds enums, which take 10 ms to import
SIGKILL, SIGUSR1, SIGUSR2, SIGXCPU = 9, 10, 12, 24
_LOOKS = 2
_MANY_LOOKS = 5
_NEW = 0.02  # seconds; starts are known to the hundredth
# proc_pid_stat(5), as fields behind the name
_STATE, _PARENT, _CMINFLT, _UTIME, _STIME, _STARTED, _FIELDS = 0, 1, 8, 11, 12, 19, 50
LAST_WORDS = "computed without rest, and took no notice of SIGXCPU"
"""What a process that has to be killed is heard to say of itself."""


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
    spinning = _charged() or _restless() or _restarting()
    lines = []
    for pid, name in spinning.items():
        if pid != program:
            lines.append(f"{name}, pid {pid} on {_machine(pid)}: {_command(pid)}")
            _end(pid)
    if not lines and program in spinning and _catches(program, SIGUSR2):
        _send(program, SIGUSR2)
        lines.append("the scenario, as the tests themselves compute")
    return "\n".join(lines)


def _charged() -> dict[int, str]:
    """Which of the processes that can run had the processor when the watchdog asked: pid -> name.

    Whoever computes keeps it, and all others that can run, such as daemons that are being started,
    wait for it. Computing takes no time, but 10 ms count as spent by what runs when the watchdog
    asks (``time_travel_preempt`` of the kernel's patch). It asks several times in a row, and the
    second time may meet one of those that waited: then all get their turn, until one is left, which
    the watchdog meets whenever it asks. One that was started just now may only be what somebody
    starts again and again: it is there after its turn if it computes itself.
    """
    suspects = _charged_anew()
    for _ in range(_MANY_LOOKS):
        if len(suspects) < 2 and not any(map(_is_new, suspects)):
            break
        os.sched_yield()
        met = _charged_anew() or dict(_running())
        suspects = {pid: name for pid, name in suspects.items() if pid in met}
    return suspects


def _is_new(pid: int) -> bool:
    """Whether it was started no more than a tick ago, in the time that stands still."""
    started = int(_stat(pid)[1][_STARTED] or 0) / os.sysconf("SC_CLK_TCK")
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started < _NEW


def _charged_anew() -> dict[int, str]:
    """Those that can run and have been charged since this was called before."""
    running = dict(_running())
    spent = {pid: _spent(pid) for pid in running}
    found = {pid: name for pid, name in running.items() if spent[pid] > _charges.get(pid, 0)}
    _charges.update(spent)
    return found


_charges: dict[int, int] = {}
"""What was spent when the watchdog asked before, by pid."""


def _restless() -> dict[int, str]:
    """Which processes can still run when all others have had their turn."""
    spinning = dict(_running())
    for _ in range(_LOOKS):
        os.sched_yield()
        still = dict(_running())
        spinning = {pid: name for pid, name in spinning.items() if pid in still}
    return spinning


def _restarting() -> dict[int, str]:
    """Which process runs one program after the other without rest: pid -> name.

    Such a shell is hardly ever found running itself, and each program is another process. What
    tells it from others are the page faults of the children that it has waited for.
    """
    before = _faults_of_children()
    for _ in range(_LOOKS):
        os.sched_yield()
    after = _faults_of_children()
    more = {pid: faults - before.get(pid, faults) for pid, faults in after.items()}
    most = max(more.values(), default=0)
    return {pid: _stat(pid)[0] for pid, faults in more.items() if faults == most > 0}


def _faults_of_children() -> dict[int, int]:
    return {pid: int(_stat(pid)[1][_CMINFLT] or 0) for pid in _others()}


def _spent(pid: int) -> int:
    """The processor time that a process has used, in ticks."""
    _, fields = _stat(pid)
    return int(fields[_UTIME] or 0) + int(fields[_STIME] or 0)


def _end(pid: int) -> None:
    """End a process by SIGXCPU or, where it keeps that from taking effect, as keepalived does,
    which waits for its signals in a loop of its own, by SIGKILL; that it was is in its log then.
    """
    if not _withstands(pid):
        _send(pid, SIGXCPU)
        return
    try:
        log = os.open(f"/proc/{pid}/fd/2", os.O_WRONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            os.write(log, f"{LAST_WORDS}\n".encode())
        finally:
            os.close(log)
    except OSError:
        pass  # it has no standard error, or nobody reads that
    _send(pid, SIGKILL)


def _withstands(pid: int) -> bool:
    """Whether SIGXCPU does not end a process. A shell blocks all signals too, but only while it
    starts a program.
    """
    for _ in range(_MANY_LOOKS):
        if not any(_has(pid, mask, SIGXCPU) for mask in ("SigBlk", "SigIgn", "SigCgt")):
            return False
        os.sched_yield()
    return True


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
    for pid in _others():
        name, fields = _stat(pid)
        # Kernel threads are children of pid 2.
        if fields[_STATE] == "R" and fields[_PARENT] != "2":
            yield pid, name


def _others() -> list[int]:
    """The processes but this one, in order."""
    return sorted(
        int(name) for name in os.listdir("/proc") if name.isdigit() and int(name) != os.getpid()
    )


def _stat(pid: int) -> tuple[str, list[str]]:
    """A process's name, and the fields that follow it: proc_pid_stat(5). They are empty if it has
    just ended.
    """
    start, _, rest = _read(pid, "stat").rpartition(") ")
    return start.partition("(")[2], rest.split() or [""] * _FIELDS


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
    return _has(pid, "SigCgt", number)


def _has(pid: int, mask: str, number: int) -> bool:
    """Whether a signal is in one of a process's masks: proc_pid_status(5)."""
    signals = int((_read(pid, "status").partition(f"{mask}:")[2].split() or ["0"])[0], 16)
    return bool(signals >> number - 1 & 1)


def _read(pid: int, name: str) -> str:
    try:
        with open(f"/proc/{pid}/{name}", errors="replace") as file:
            return file.read()
    except OSError:  # It has just ended.
        return ""
