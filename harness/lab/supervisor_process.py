"""The one process below which all machines live: pid 1 of a pid namespace, in a network namespace
that holds the wires.

When it ends, for whatever reason, the kernel ends every machine and removes every namespace, mount
and interface; and it ends with the process that started it (:mod:`harness.lab.supervisor`), even
when that one dies by SIGKILL.

The pid 1 of every machine is forked from it, and what a fork costs, above all in the embedded
kernel, is the memory that there is, and that parent and child touch afterwards. So it is a program
of its own, executed and not forked from its caller, imports C modules only, and forks: all else
that makes a machine is done elsewhere.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # `signal` adds enums, which take 10 ms to import
import _socket
import gc
import os

from harness.kernels.calls import linux, messages
from harness.lab import init

TYPE_CHECKING = False  # that of `typing` takes 15 ms to import
if TYPE_CHECKING:
    from typing import NoReturn

NAMESPACES = {
    "mnt": linux.CLONE_NEWNS,
    "uts": linux.CLONE_NEWUTS,
    "ipc": linux.CLONE_NEWIPC,
    "net": linux.CLONE_NEWNET,
}
"""Of a machine, beside that of its processes."""
EACH = len(NAMESPACES) + 2
"""So many descriptors are the request to make a machine: its namespaces, and its sockets
``control`` and ``notes``.
"""
MOST = messages.MOST_DESCRIPTORS // EACH
"""So many machines can be asked for at once."""
NO_IPV6 = {"disable_ipv6": "1"}
"""Of the wires' ends at the switches, which are not to speak themselves."""


def main(descriptor: int) -> NoReturn:
    """Answer with the namespace of the wires, then make pid 1 for every request, until the caller
    lets go.

    ``descriptor`` is the one that the caller left for it, the last of all.
    """
    control = _socket.socket(fileno=descriptor)
    try:
        linux.die_with_parent(0)  # in its own pid namespace a parent outside counts as pid 0
        os.closerange(descriptor + 1, 1 << 20)
        for number in (_signal.SIGINT, _signal.SIGTERM, _signal.SIGHUP):
            _signal.signal(number, _signal.SIG_IGN)
        _signal.signal(
            _signal.SIGCHLD, _signal.SIG_IGN
        )  # nobody asks how a machine ended, so the kernel reaps it
        os.umask(0o022)
        linux.unshare(linux.CLONE_NEWNET)
        set_ipv6(NO_IPV6)
        # a collection writes into all objects, which every machine then has its own copies of
        gc.disable()
        gc.freeze()
        fabric = os.open("/proc/self/ns/net", os.O_RDONLY)
        messages.send(control, {}, [fabric])
        os.close(fabric)
        while descriptors := messages.receive(control)[1]:
            _fork(control, descriptors)
    except OSError as problem:
        messages.send(control, {"error": str(problem)})
    os._exit(0)


def _fork(control: _socket.socket, descriptors: list[int]) -> None:
    """Make the pid 1 of each machine, and answer with descriptors of them.

    Whatever is touched between two forks is copied once more, so it is done before or after all of
    them.
    """
    machines = [descriptors[first : first + EACH] for first in range(0, len(descriptors), EACH)]
    pids = []
    try:
        for own in machines:
            if (pid := linux.clone(linux.CLONE_NEWPID)) == 0:
                init.serve(own)
            pids.append(pid)
        held = [os.pidfd_open(pid) for pid in pids]
        messages.send(control, {}, held)
        os.closerange(control.fileno() + 1, held[-1] + 1)
    except OSError as problem:
        messages.send(control, {"error": str(problem)})
        os.closerange(control.fileno() + 1, 1 << 20)


def set_ipv6(settings: dict[str, str]) -> None:
    """Settings that the interfaces yet to come take over (kernel,
    Documentation/networking/ip-sysctl.rst).
    """
    folder = "/proc/sys/net/ipv6/conf/default"
    if os.path.isdir(folder):  # not so in a kernel without IPv6
        for name, value in settings.items():
            put(f"{folder}/{name}", value.encode())


def put(path: str, content: bytes, mode: int | None = None) -> None:
    """Write a file in as few system calls as it takes, which is half of what ``open`` makes of
    it.
    """
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o666)
    try:
        while content:
            content = content[os.write(descriptor, content) :]
        if mode is not None:
            os.fchmod(descriptor, mode)
    finally:
        os.close(descriptor)
