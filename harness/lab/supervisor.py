"""The harness's hold on the process below which all machines live
(:mod:`harness.lab.supervisor_process`).
"""

from __future__ import annotations

import contextlib
import os
import resource
import select
import socket
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import harness
from harness.errors import HarnessError
from harness.kernels import choice
from harness.kernels.calls import linux, messages
from harness.kernels.guest import forks
from harness.lab import namespaces, supervisor_process
from harness.lab.plan import HostPlan

_PROGRAM = f"from harness.lab import supervisor_process; supervisor_process.main({forks.KEPT})"


class Born(NamedTuple):
    """What a machine is held by: two sockets, and the descriptors of its network namespace and of
    its pid 1.
    """

    control: socket.socket
    notes: socket.socket
    netns: int
    pidfd: int


_DESCRIPTORS = 16384  # enough for 500 machines several times over; root may have so many


class Supervisor:
    """``fabric`` is a file descriptor of the network namespace of bridges and wires."""

    def __init__(self, control: socket.socket, fabric: int, pidfd: int) -> None:
        self._control, self._pidfd = control, pidfd
        self.fabric = fabric

    @classmethod
    def start(cls) -> Supervisor:
        """Start it; it ends with this process. Raises HarnessError where namespaces may not be
        made.
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            with theirs:
                pidfd = _start(theirs)
            answer, fds = messages.receive(ours)
        except OSError as problem:
            answer, fds = {"error": str(problem)}, []
        if not fds:
            reason = (answer or {}).get(
                "error", "the process that is to hold them ended before it said a word"
            )
            raise HarnessError(f"cannot make namespaces for the machines: {reason}; run as root")
        _allow_descriptors()
        return cls(ours, fds[0], pidfd)

    def machines(self, hosts: Sequence[HostPlan], etc_hosts: str) -> list[Born]:
        """Make machines; returns at once, while their pids 1 are still setting themselves up.
        Raises HarnessError.
        """
        many = [
            hosts[first : first + supervisor_process.MOST]
            for first in range(0, len(hosts), supervisor_process.MOST)
        ]
        return [born for some in many for born in self._machines(some, etc_hosts)]

    def _machines(self, hosts: Sequence[HostPlan], etc_hosts: str) -> list[Born]:
        made = namespaces.make(hosts, etc_hosts)
        pairs = [
            [socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET) for _ in range(2)]
            for _ in hosts
        ]
        wanted = [
            [*own, *(theirs.fileno() for _, theirs in two)]
            for own, two in zip(made, pairs, strict=True)
        ]
        messages.send(self._control, {}, [descriptor for own in wanted for descriptor in own])
        for _, theirs in [pair for two in pairs for pair in two]:
            theirs.close()
        answer, pids = messages.receive(self._control)
        if not pids:
            namespaces.close(made)
            reason = (answer or {}).get("error", "the supervisor is gone")
            raise HarnessError(f"{hosts[0].name}: cannot set up this machine: {reason}")
        nets = [own.pop() for own in made]
        namespaces.close(made)
        return [
            Born(control, notes, net, pid)
            for ((control, _), (notes, _)), net, pid in zip(pairs, nets, pids, strict=True)
        ]

    def stop(self) -> None:
        """End it and with it every machine; they are gone when this returns."""
        self._control.close()
        os.close(self.fabric)
        end = (
            select.poll()
        )  # unlike select(2) it takes any number of descriptors, of which a farm has thousands
        end.register(self._pidfd, select.POLLIN)
        end.poll()
        with contextlib.suppress(
            ChildProcessError
        ):  # where it is not ours, but a child of the guest's pid 1
            os.waitid(os.P_PIDFD, self._pidfd, os.WEXITED)
        os.close(self._pidfd)


def _allow_descriptors() -> None:
    """Of which this process holds several for each machine; what machines run has its own limit by
    now.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < _DESCRIPTORS:
        resource.setrlimit(resource.RLIMIT_NOFILE, (_DESCRIPTORS, max(hard, _DESCRIPTORS)))


def _start(control: socket.socket) -> int:
    """Start it as the first process of a new pid namespace; returns a descriptor of it."""
    if choice.in_guest():
        return forks.fork(_PROGRAM, control.fileno())
    own = os.open("/proc/thread-self/ns/pid", os.O_RDONLY | os.O_CLOEXEC)
    try:
        linux.unshare(linux.CLONE_NEWPID)
        try:
            pid = os.posix_spawn(
                sys.executable,
                [sys.executable, "-S", "-s", "-P", "-c", _PROGRAM],
                {**os.environ, "PYTHONPATH": str(Path(harness.__file__).parent.parent)},
                file_actions=[
                    *(
                        (os.POSIX_SPAWN_OPEN, standard, os.devnull, os.O_RDWR, 0)
                        for standard in (0, 1, 2)
                    ),
                    (os.POSIX_SPAWN_DUP2, control.fileno(), forks.KEPT),
                ],
                setsid=True,  # a Ctrl-C at the terminal is the harness's to handle
            )
        finally:
            linux.setns(own, linux.CLONE_NEWPID)
    finally:
        os.close(own)
    return os.pidfd_open(pid)
