"""A machine as the harness sees it: runs programs in it, reads and writes its files, cuts its
power.

The methods ``cmd``, ``popen``, ``IP``, ``MAC`` and ``intfNames`` are those of Mininet's ``Node``.
"""

from __future__ import annotations

import contextlib
import marshal
import os
import select
import shlex
import signal
import socket
import subprocess
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import IO, Any

from harness.errors import HarnessError
from harness.kernels.calls import messages
from harness.kernels.guest import program
from harness.lab import entering
from harness.lab.netlink import Batch
from harness.lab.plan import HostPlan
from harness.lab.supervisor import Born, Supervisor
from harness.latch import Latch

ENVIRONMENT = {
    "PATH": "/run/sbin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LANG": "C",  # with another locale each run of a check script reads a dozen of its files
    "TERM": "dumb",
}


class MissingProgram(HarnessError, FileNotFoundError):
    """The machine has no program of this name."""


@dataclass
class Process:
    """A program that was started in a machine.

    ``status`` is None while it runs, and then its exit status; a negative one is a signal's number.
    ``limited``: it has a limit to its processor time.
    """

    machine: Machine
    argv: tuple[str, ...]
    pid: int
    limited: bool = False
    status: int | None = None
    ended: Latch = field(default_factory=Latch, repr=False)

    def send_signal(self, number: int) -> None:
        """Send a signal to the program."""
        self.machine.kill(self.pid, number)

    def hears(self, *numbers: int) -> bool:
        """Whether the program handles these signals, as a daemon does once it has begun to hear
        them: until then it dies of them, or ignores them.

        It blocks those that it reads from a signalfd (keepalived ``lib/signals.c``), where others
        would catch them.
        """
        try:
            status = self.machine.read(f"/proc/{self.pid}/status")
        except (HarnessError, OSError):  # it has ended, or its machine has
            return False
        masks = dict(
            line.split(":", 1)
            for line in status.splitlines()
            if line.startswith(("SigBlk:", "SigCgt:"))
        )
        heard = int(masks["SigBlk"], 16) | int(masks["SigCgt"], 16)
        return all(heard >> (number - 1) & 1 for number in numbers)

    def wait(self) -> int:
        """Wait until the program has ended; returns its exit status."""
        self.ended.wait()
        assert self.status is not None
        return self.status


class Machine:
    """One node of the topology. Its power is on from construction until :meth:`power_off`."""

    def __init__(self, plan: HostPlan, born: Born) -> None:
        self.plan = plan
        self.name = plan.name
        self.powered = True
        self.on_exit: Callable[[Process], None] = lambda process: None
        self._control, self.notes, self.netns, self._pidfd = born
        self._processes: dict[int, Process] = {}
        self._lock = threading.Lock()
        self._early: dict[int, int] = {}
        self._requests = 0

    @classmethod
    def make(
        cls, plans: Sequence[HostPlan], etc_hosts: str, supervisor: Supervisor
    ) -> list[Machine]:
        """Make machines; returns while they still set themselves up. Raises HarnessError."""
        return [
            cls(plan, born)
            for plan, born in zip(plans, supervisor.machines(plans, etc_hosts), strict=True)
        ]

    def wait_ready(self) -> None:
        """Wait until the machine has its files. Raises HarnessError with its own reason."""
        answer, _ = self._receive()
        if "error" in answer:
            raise HarnessError(f"{self.name}: cannot set up this machine: {answer['error']}")

    def request(
        self, operation: str, fds: Sequence[int] = (), **arguments: Any
    ) -> tuple[dict[str, Any], list[int]]:
        """Let the machine's pid 1 do something, and return its answer.

        Raises OSError as if it had been done here, and HarnessError if the machine is off.
        Arguments are of types that :mod:`marshal` knows.
        """
        with self._lock:
            if not self.powered:
                raise HarnessError(f"{self.name} is powered off: it cannot {operation} anything")
            self._requests += 1
            messages.send(
                self._control, {"do": operation, "request": self._requests, **arguments}, list(fds)
            )
            answer, received = self._receive()
            while (
                answer.get("request", self._requests) != self._requests
            ):  # Ctrl-C came before that was taken
                for descriptor in received:
                    os.close(descriptor)
                answer, received = self._receive()
        if "errno" not in answer and "error" in answer:
            raise HarnessError(f"{self.name}: its pid 1 has failed: {answer['error']}")
        if "error" in answer:
            raise OSError(answer["errno"], f"{self.name}: {answer['error']}")
        return answer, received

    def _receive(self) -> tuple[dict[str, Any], list[int]]:
        answer, fds = messages.receive(self._control)
        if answer is None:
            raise HarnessError(f"{self.name}: its pid 1 has ended unexpectedly")
        return answer, fds

    # -- programs --------------------------------------------------------------

    def spawn(
        self, argv: Sequence[str], stdin: int, stdout: int, stderr: int, processor: int = 0
    ) -> Process:
        """Start a program. The descriptors remain the caller's.

        ``processor`` limits the processor time of it and of each of its children, in seconds (0: no
        limit); SIGXCPU ends what exceeds it. In virtual time processors take no time, and the
        guest's watchdog ends what spins. Raises FileNotFoundError if there is no such program.
        """
        streams = (stdin, stdout, stderr)
        if processor:
            program.begin_limited()
        try:
            answer, _ = self.request(
                "spawn", streams, argv=list(argv), env=ENVIRONMENT, processor=processor
            )
        except BaseException:
            if processor:
                program.end_limited()
            raise
        process = Process(self, tuple(argv), answer["pid"], limited=bool(processor))
        self._processes[process.pid] = process
        if process.pid in self._early:
            self._ended(process.pid, self._early.pop(process.pid))
        return process

    def kill(self, pid: int, number: int) -> None:
        """Send a signal to a process, by its pid inside the machine."""
        self.request("signal", pid=pid, number=int(number))

    def read_note(self) -> bool:
        """Take one report of a program's end. Returns False once the machine sends no more."""
        data = self.notes.recv(messages.LIMIT)
        if not data:
            return False
        note = marshal.loads(data)
        self._ended(note["pid"], note["status"])
        return True

    def _ended(self, pid: int, status: int) -> None:
        process = self._processes.pop(pid, None)
        if process is None:  # an orphan, or a program whose start is still being answered
            self._early[pid] = status
            return
        if process.limited:
            program.end_limited()
        process.status = status
        process.ended.set()
        self.on_exit(process)

    def run(
        self, argv: Sequence[str], check: bool = True, processor: int = 0
    ) -> subprocess.CompletedProcess[str]:
        """Run a program to its end, and return what it printed and its exit status.

        ``argv``: its words, or all of them in one text, as a shell would split it. ``processor`` is
        as for :meth:`spawn`. With ``check`` a failure raises HarnessError with the command, its
        output and the machine's name. :class:`MissingProgram` is raised if there is no such
        program.
        """
        argv = shlex.split(argv) if isinstance(argv, str) else argv
        reader, writer = os.pipe()
        with (
            open(os.devnull, "rb") as null,
            os.fdopen(reader, encoding="utf-8", errors="replace") as output,
        ):
            try:
                process = self.spawn(argv, null.fileno(), writer, writer, processor)
            except FileNotFoundError:
                raise MissingProgram(f"{self.name}: there is no program {argv[0]}") from None
            finally:
                os.close(writer)
            text = output.read()
        result = subprocess.CompletedProcess(list(argv), process.wait(), stdout=text)
        if check and result.returncode:
            raise HarnessError(
                f"{self.name}: `{shlex.join(argv)}` failed with {result.returncode}: {text.strip()}"
            )
        return result

    def cmd(self, *argv: str) -> str:
        """Run a command, given as words or as one string, and return what it printed.

        This is Mininet's.
        """
        words = shlex.split(argv[0]) if len(argv) == 1 else list(argv)
        return self.run(words, check=False).stdout

    def popen(self, *argv: str) -> Process:
        """Start a command without waiting for it; its output is discarded. This is Mininet's."""
        words = shlex.split(argv[0]) if len(argv) == 1 else list(argv)
        with open(os.devnull, "r+b") as null:
            return self.spawn(words, null.fileno(), null.fileno(), null.fileno())

    # -- files -----------------------------------------------------------------

    def open(self, path: str, mode: str = "rb", permissions: int = 0o644) -> IO[bytes]:
        """Open a file of the machine; ``mode`` is ``rb`` or ``wb``.

        Folders above a new file are made.
        """
        flags = os.O_RDONLY if mode == "rb" else os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        _, (fd,) = self.request("open", path=path, flags=flags, mode=permissions)
        return os.fdopen(fd, mode)

    @contextlib.contextmanager
    def directory(self, path: str) -> Iterator[int]:
        """A descriptor of a folder, for functions of :mod:`os` that take ``dir_fd``."""
        flags = os.O_RDONLY | os.O_DIRECTORY
        _, (fd,) = self.request("open", path=path, flags=flags, mode=0)
        try:
            yield fd
        finally:
            os.close(fd)

    def read(self, path: str) -> str:
        """Read a file as text."""
        with self.open(path) as file:
            return file.read().decode(errors="replace")

    def write(self, path: str, content: str | bytes, permissions: int = 0o644) -> None:
        """Write a file, which is made or replaced. ``permissions`` are those of a new one."""
        with self.open(path, "wb", permissions) as file:
            file.write(content.encode() if isinstance(content, str) else content)

    def replace(self, path: str, content: str | bytes, permissions: int = 0o644) -> None:
        """Write a file so that whoever reads it meanwhile finds the old one or the new, and never
        half of it (rename(2)).
        """
        new = f"{path}.new"
        self.write(new, content, permissions)
        self.request("rename", path=new, to=path)

    def fifo(self, path: str) -> int:
        """Make a FIFO; returns a descriptor that reads from it without waiting."""
        _, (fd,) = self.request("fifo", path=path)
        return fd

    def remove(self, path: str) -> None:
        """Remove a file."""
        self.request("remove", path=path)

    # -- network ---------------------------------------------------------------

    def inside(self) -> contextlib.AbstractContextManager[None]:
        """Enter the machine's network namespace for the length of a ``with`` block.

        Sockets that are made in it belong to the machine.
        """
        return entering.inside_netns(self.netns)

    def set_sysctl(self, name: str, value: int) -> None:
        """Set a kernel setting such as ``net.ipv4.ip_forward``.

        Raises HarnessError if this kernel has no such setting.
        """
        try:
            self.write(f"/proc/sys/{name.replace('.', '/')}", f"{value}\n")
        except OSError as problem:
            raise HarnessError(
                f"{self.name}: cannot set sysctl {name} to {value}: {problem.strerror}"
            ) from None

    def add_addresses(self, addresses: Sequence[str]) -> None:
        """Add addresses, as /32 or /128, to the interface with the machine's own address."""
        batch = Batch()
        with self.inside():
            index = socket.if_nametoindex(self.plan.main_device)
            for address in addresses:
                batch.address(index, address, 128 if ":" in address else 32)
            batch.send(self.name)

    def intfNames(self) -> list[str]:
        """The names of the interfaces that are wired."""
        return [interface.name for interface in self.plan.interfaces]

    def IP(self, intf: str | None = None) -> str:
        """The address of an interface, by default of the first one, without the prefix length."""
        return str(self.plan.interface(intf).address.ip)

    def MAC(self, intf: str | None = None) -> str:
        """The hardware address of an interface, by default of the first one."""
        return self.plan.interface(intf).mac

    # -- power -----------------------------------------------------------------

    def let_go(self) -> None:
        """Close the connections to the machine. One that still sets itself up ends by that."""
        self.powered = False
        self._control.close()
        self.notes.close()
        for held in (self._pidfd, self.netns):
            os.close(held)

    def power_off(self) -> list[Process]:
        """Kill pid 1, and with it every process of the machine; returns those that died.

        Close all sockets that were made in its network namespace first: the namespace lives as long
        as they do.
        """
        signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
        end = (
            select.poll()
        )  # unlike select(2) it takes any number of descriptors, of which a farm has thousands
        end.register(self._pidfd, select.POLLIN)
        end.poll()  # pid 1 ends last of all (kernel, zap_pid_ns_processes)
        self.let_go()
        died = list(self._processes.values())
        self._processes.clear()
        for process in died:
            process.status = -signal.SIGKILL
            process.ended.set()
        return died
