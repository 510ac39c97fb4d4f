"""The one process below which all machines live: pid 1 of a pid namespace, in a network namespace that holds the wires.

When it ends, for whatever reason, the kernel ends every machine and removes every namespace, mount and interface;
and it ends with the process that called :meth:`Supervisor.start`, even when that one is killed with SIGKILL.
"""

from __future__ import annotations

import json
import os
import socket
from typing import NoReturn

from harness.errors import HarnessError
from harness.kernels import linux
from harness.lab import init, syscalls

_MACHINE = linux.CLONE_NEWNS | syscalls.CLONE_NEWUTS | linux.CLONE_NEWIPC | linux.CLONE_NEWPID | linux.CLONE_NEWNET


class Supervisor:
    """The harness's hold on it: ``fabric`` is a file descriptor of the network namespace of bridges and wires."""

    def __init__(self, control: socket.socket, fabric: int, pid: int) -> None:
        self._control, self._pid = control, pid
        self.fabric = fabric

    @classmethod
    def start(cls) -> Supervisor:
        """Fork it. Raises HarnessError where namespaces may not be made.

        The calling process should have one thread still, as for every fork.
        """
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        harness = os.getpid()
        if (pid := os.fork()) == 0:
            _enter_namespaces(theirs, harness)
        theirs.close()
        data, fds, _, _ = socket.recv_fds(ours, init.MESSAGE_LIMIT, 1)
        answer = json.loads(data or '{"error": "it ended before it said a word"}')
        if "error" in answer:
            os.waitpid(pid, 0)
            raise HarnessError(f"cannot make namespaces for the machines: {answer['error']}; run as root")
        return cls(ours, fds[0], pid)

    def machine(self, hostname: str) -> tuple[socket.socket, socket.socket]:
        """Fork a machine; returns its control and its notes socket at once, while it is still setting itself up."""
        socket.send_fds(self._control, [hostname.encode()], [])
        data, fds, _, _ = socket.recv_fds(self._control, init.MESSAGE_LIMIT, 2)
        if len(fds) != 2:
            raise HarnessError(f"{hostname}: cannot make its namespaces: {data.decode() or 'the supervisor is gone'}")
        control, notes = (socket.socket(fileno=fd) for fd in fds)
        return control, notes

    def stop(self) -> None:
        """End it and with it every machine; they are gone when this returns."""
        self._control.close()
        os.close(self.fabric)
        os.waitpid(self._pid, 0)


def _enter_namespaces(control: socket.socket, harness: int) -> NoReturn:
    """The parent of pid 1: it only waits, so that the harness can wait for it and be outlived by nothing."""
    try:
        os.setsid()  # a Ctrl-C at the terminal is the harness's to handle
        syscalls.die_with_parent(harness)
        _let_go_of_everything_but(control)
        flags = linux.CLONE_NEWPID | linux.CLONE_NEWNS | linux.CLONE_NEWNET | linux.CLONE_NEWIPC
        linux.unshare(flags)
        linux.mount("none", "/", flags=linux.MS_REC | linux.MS_PRIVATE)
        if (pid := os.fork()) == 0:
            _serve(control)
        control.close()
        os.waitpid(pid, 0)
    except OSError as problem:
        control.send(json.dumps({"error": str(problem)}).encode())
    os._exit(0)


def _let_go_of_everything_but(control: socket.socket) -> None:
    """Close what the harness has open, so that no pipe or file of its is kept alive down here."""
    null = os.open("/dev/null", os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(null, standard)
    kept = control.fileno()
    os.closerange(3, kept)
    os.closerange(kept + 1, 1 << 20)
    os.chdir("/")


def _serve(control: socket.socket) -> NoReturn:
    syscalls.die_with_parent(0)
    linux.mount("proc", "/proc", "proc")
    fabric = os.open("/proc/self/ns/net", os.O_RDONLY)
    socket.send_fds(control, [b"{}"], [fabric])
    os.close(fabric)
    while request := control.recv(init.MESSAGE_LIMIT):
        _fork_machine(control, request.decode())
        _reap()
    os._exit(0)


def _fork_machine(control: socket.socket, hostname: str) -> None:
    pairs = [socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET) for _ in range(2)]
    try:
        if syscalls.clone(_MACHINE) == 0:
            control.close()
            for ours, _ in pairs:
                ours.close()
            init.serve(hostname, pairs[0][1], pairs[1][1])
        socket.send_fds(control, [b"made"], [ours.fileno() for ours, _ in pairs])
    except OSError as problem:
        control.send(str(problem).encode())
    finally:
        for pair in pairs:
            for end in pair:
                end.close()


def _reap() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass
