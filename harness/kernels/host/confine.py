"""The guard: starts the kernel process, confines it, and ends all of it when the caller is gone,
however it went.

The guest is hostile, and under ptrace or seccomp so is the kernel process, which whoever is root in
the guest may take over. So this process can do little: docs/security.md says what, and why by these
means.

It is a process of its own because the caller may be killed with SIGKILL. The caller holds the other
end of its standard input: when that closes, the guard ends the kernel, its memory and itself, and
puts the terminal back.
"""

from __future__ import annotations

import errno
import marshal
import os
import resource
import select
import signal
import sys
import termios
import time
from contextlib import suppress

from harness.kernels import wire
from harness.kernels.calls import linux
from harness.kernels.host import limits, processors
from harness.kernels.host.quota import Quota

TYPE_CHECKING = False  # that of `typing` takes 15 ms to import
if TYPE_CHECKING:
    from typing import Any

_TURNS = 50  # for pid 1, and for whatever it wakes


def main() -> None:
    """What the caller starts; the orders come as one marshalled dict on standard input (see
    ``uml.py``).
    """
    size = int.from_bytes(_read(4), "big")
    orders: dict[str, Any] = marshal.loads(_read(size))
    try:
        # In a network namespace of our own all processors would look free: so this comes first.
        with processors.claimed() as processor:
            _guard(orders, processor)
    except OSError as error:
        sys.exit(f"the embedded kernel's guard failed: {error}")


def _guard(orders: dict[str, Any], processor: int) -> None:
    isolated = os.geteuid() == 0 and _isolate(orders["writable"])
    folder, store = _make_store(orders, isolated)
    try:
        for name, content in orders["files"].items():
            with open(
                name, "wb", opener=lambda name, flags: os.open(name, flags, 0o600, dir_fd=store)
            ) as file:
                file.write(content)
        kernel = _start(orders, store, processor)
        names = os.open(".", os.O_RDONLY | os.O_DIRECTORY, dir_fd=store)
        os.close(store)
        _watch(kernel, names, orders)
    finally:
        _remove(folder)
    _restore(orders["terminal"])


def _read(size: int) -> bytearray:
    data = bytearray(size)
    view = memoryview(data)
    while view:
        if not (count := os.readv(0, [view])):
            sys.exit(1)
        view = view[count:]
    return data


def _isolate(writable: str) -> bool:
    """As root: own namespaces, in which only ``writable`` can be written. False where root may not
    make any.

    The guard goes on as pid 1 of the new pid namespace, so that the kernel kills everything with
    it.
    """
    namespaces = linux.CLONE_NEWNS | linux.CLONE_NEWPID | linux.CLONE_NEWIPC | linux.CLONE_NEWNET
    try:
        linux.unshare(namespaces)
    except PermissionError:
        return False
    if inner := os.fork():
        os.closerange(0, 1024)
        os.waitpid(inner, 0)
        os._exit(0)
    linux.prctl(linux.PR_SET_PDEATHSIG, signal.SIGKILL)
    os.setsid()
    _make_private()
    for path in (writable, *limits.DEVICES):
        linux.mount(path, path, flags=linux.MS_BIND)
    # A read-only mount does not stop writing to the devices on it.
    restrictions = linux.MOUNT_ATTR_RDONLY | linux.MOUNT_ATTR_NOSUID | linux.MOUNT_ATTR_NODEV
    linux.set_mount_attributes("/", add=restrictions, recursive=True)
    linux.set_mount_attributes(writable, remove=linux.MOUNT_ATTR_RDONLY)
    for path in limits.DEVICES:
        linux.set_mount_attributes(path, remove=linux.MOUNT_ATTR_NODEV)
    linux.mount(
        "proc",
        "/proc",
        "proc",
        linux.MS_RDONLY | linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC,
    )
    return True


def _make_private() -> None:
    """Keep what is mounted from now on to this namespace."""
    try:
        linux.mount("", "/", flags=linux.MS_REC | linux.MS_PRIVATE)
    except OSError as problem:
        if problem.errno != errno.EINVAL:
            raise
        # A chroot: its root is a mere folder. A mount of that folder will do; on /proc, which is
        # mounted for certain, for what is mounted on the folder's own file system might be seen
        # outside.
        linux.mount("", "/proc", flags=linux.MS_PRIVATE)
        linux.mount("/", "/proc", flags=linux.MS_BIND | linux.MS_REC)
        os.chroot("/proc")
        os.chdir("/")
        linux.mount("", "/", flags=linux.MS_REC | linux.MS_PRIVATE)


def _make_store(orders: dict[str, Any], isolated: bool) -> tuple[str | None, int]:
    """A folder for the caller's files and the guest's memory: its path, if it has one, and its
    descriptor.
    """
    room = orders["memory"] + sum(map(len, orders["files"].values())) + limits.REST
    if isolated:
        return None, linux.detached_tmpfs(room)
    candidates = ("/dev/shm", os.environ.get("TMPDIR", "/tmp"), "/var/tmp")
    for parent in candidates:
        if os.access(parent, os.W_OK) and _has_room(parent, room):
            folder = f"{parent}/lvs-harness-{os.urandom(8).hex()}"
            os.mkdir(folder, 0o700)
            return folder, os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    mebibytes = orders["memory"] >> 20
    sys.exit(
        f"no room for {mebibytes} MiB of guest memory in any of"
        f" {', '.join(candidates)}: free some or ask for less"
    )


def _has_room(path: str, size: int) -> bool:
    status = os.statvfs(path)
    return status.f_bavail * status.f_frsize >= size and not status.f_flag & os.ST_NOEXEC


def _remove(folder: str | None) -> None:
    if folder is not None and os.path.exists(folder):
        for name in os.listdir(folder):
            os.unlink(f"{folder}/{name}")
        os.rmdir(folder)


def _start(orders: dict[str, Any], store: int, processor: int) -> int:
    """Start the kernel process, as little privileged as it can be, and close what only it needs."""
    null = os.open("/dev/null", os.O_RDWR)
    linux.prctl(linux.PR_SET_CHILD_SUBREAPER, 1)
    guard = os.getpid()
    kernel = os.fork()
    if not kernel:
        try:
            # The leader of a group cannot make a session: so the kernel process stays in the
            # guard's, for kill_session.
            os.setpgid(0, 0)
            os.dup2(null, 0)
            os.set_inheritable(store, True)
            linux.die_with_parent(guard)
            # Every guest system call switches between the kernel's processes: on one CPU that takes
            # half the time.
            os.sched_setaffinity(0, {processor})
            # Of every process in the guest the kernel process holds descriptors; a shell's soft
            # limit is soon used up.
            _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
            _close_all_but({0, 1, 2, *orders["lines"], store})
            limits.enter(orders, store)
            environment = {"TMPDIR": f"/proc/self/fd/{store}"}
            argv = [word.replace("{store}", str(store)) for word in orders["argv"]]
            os.execve(argv[0], argv, environment)
        except BaseException as error:
            os.write(2, f"cannot start {orders['argv'][0]}: {error}\n".encode())
            os._exit(127)
    for descriptor in (*orders["lines"], null):
        os.close(descriptor)
    return kernel


def _close_all_but(kept: set[int]) -> None:
    """Above all the caller's terminal is not the guest's to have."""
    for descriptor in map(int, os.listdir("/proc/self/fd")):
        if descriptor not in kept:
            with suppress(OSError):  # that of the listing
                os.close(descriptor)


def _watch(kernel: int, names: int, orders: dict[str, Any]) -> None:
    """Obey the caller until the kernel process ends or standard input does; end the former then.

    The files in the folder ``names`` are removed once the guest has them: a guest that boots again
    finds nothing to do.
    """
    ended = os.pidfd_open(kernel)
    poll = select.poll()
    poll.register(0, select.POLLIN)
    poll.register(ended, select.POLLIN)
    quota = Quota(orders["writable"], orders["quota"], kernel)
    while True:
        ready = {descriptor for descriptor, _ in poll.poll(quota.pause * 1000)}
        if ended in ready:
            _tell_how_it_ended(kernel)
            break
        if quota.exceeded():
            os.write(1, b"\n" + wire.QUOTA + b"\n")
            break
        if 0 not in ready:
            continue
        if not (order := os.read(0, 1)):
            break
        if order == wire.TAKEN:
            for name in os.listdir(names):
                os.unlink(name, dir_fd=names)
        elif order in (wire.HALT, wire.GO):
            os.kill(kernel, signal.SIGSTOP if order == wire.HALT else signal.SIGCONT)
        elif order == wire.PROD:
            _prod(kernel)
    _end(kernel)


def _tell_how_it_ended(kernel: int) -> None:
    result = os.waitid(os.P_PID, kernel, os.WEXITED | os.WNOWAIT)
    if result is not None and result.si_code != os.CLD_EXITED:
        os.write(1, b"\n" + wire.KILLED + signal.Signals(result.si_status).name.encode() + b"\n")


def _prod(kernel: int) -> None:
    """Get a guest in virtual time to schedule: by itself it never takes the CPU from a process that
    only computes.

    In our kernel (deterministic.patch) each SIGALRM to what runs there has it give way to others.
    Under seccomp or ptrace, guest processes are processes of the host's, and the one that runs
    there runs here. One that is only being made would die of it, and its kernel wait for it for
    ever.
    """
    name = _status(kernel).get(b"Name")
    for _ in range(_TURNS):
        for pid, state in linux.members(os.getsid(0)):
            if (
                state == b"R"
                and pid not in (kernel, os.getpid())
                and _heeds_alarms(_status(pid), name)
            ):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGALRM)
        time.sleep(0.001)


def _heeds_alarms(status: dict[bytes, bytes], kernel: bytes | None) -> bool:
    """Whether a guest process is past its beginnings: under seccomp it catches SIGALRM then, else
    it is traced.

    At first it is a copy of the kernel process, which is called as that is, and catches SIGALRM to
    no good.
    """
    if status.get(b"TracerPid", b"0") != b"0":
        return True
    return status.get(b"Name") != kernel and bool(
        int(status.get(b"SigCgt", b"0"), 16) >> signal.SIGALRM - 1 & 1
    )


def _status(pid: int) -> dict[bytes, bytes]:
    """proc_pid_status(5); nothing if the process is gone."""
    try:
        with open(f"/proc/{pid}/status", "rb") as file:
            lines = file.read().splitlines()
    except OSError:
        return {}
    found = {}
    for line in lines:
        name, _, value = line.partition(b":")
        found[name] = value.strip()
    return found


def _end(kernel: int) -> None:
    """End the kernel process after its guest processes.

    Without seccomp these are traced: if their tracer died first, they would go on as processes of
    the host's kernel.
    """
    os.kill(kernel, signal.SIGSTOP)
    linux.kill_session(os.getsid(0), spare={os.getpid(), kernel})
    os.kill(kernel, signal.SIGKILL)
    os.waitpid(kernel, 0)
    linux.kill_session(os.getsid(0), spare={os.getpid()})
    while True:
        try:
            os.wait()
        except ChildProcessError:
            return


def _restore(terminal: tuple[int, list[Any], list[Any]] | None) -> None:
    """Put the terminal back if the caller is gone and left it raw; whoever has set it since knows
    better.

    A caller that is there does it itself, once it has shown all that the guest has sent.
    """
    if terminal is None or not _hung_up():
        return
    descriptor, raw, original = terminal
    if termios.tcgetattr(descriptor) == raw:
        termios.tcsetattr(descriptor, termios.TCSANOW, original)


def _hung_up() -> bool:
    """Whether nobody holds the other end of standard input."""
    poll = select.poll()
    poll.register(0, 0)
    return any(event & select.POLLHUP for _, event in poll.poll(0))


if __name__ == "__main__":
    main()
