"""What runs inside a machine as its pid 1: makes the machine's private files, then starts and reaps its programs.

It is forked, not executed, so it uses only what its parent has imported. It talks to the harness over two
``SOCK_SEQPACKET`` sockets: requests and replies on ``control``, and the ends of its children on ``notes``. A
message is one JSON object; file descriptors travel beside it.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import select
import shutil
import signal
import socket
from collections.abc import Callable
from typing import Any, NoReturn

from harness.kernels import linux
from harness.lab import syscalls

MESSAGE_LIMIT = 1 << 16
FRESH_FOLDERS = ("run", "tmp", "var/log", "etc/keepalived")
QUIET = {"accept_dad": "0", "router_solicitations": "0"}
"""IPv6 addresses are usable at once, since all are known to differ, and nobody asks for routers that are not there."""


def serve(hostname: str, control: socket.socket, notes: socket.socket) -> NoReturn:
    """Become the machine; answer requests until the harness lets go of ``control`` or kills this process."""
    try:
        syscalls.die_with_parent(0)  # in its own pid namespace a parent outside counts as pid 0
        socket.sethostname(hostname)
        _make_root()
        _quieten_ipv6()
        os.setsid()
        os.umask(0o022)
        fds = [os.pidfd_open(os.getpid()), os.open("/proc/self/ns/net", os.O_RDONLY)]
        _answer(control, {"ready": hostname}, fds)
        for fd in fds:
            os.close(fd)
        _loop(control, notes)
    except BaseException as problem:  # the last word of a process that must not return into its parent's code
        with contextlib.suppress(OSError):
            _answer(control, {"error": str(problem)})
    os._exit(1)


def _make_root() -> None:
    """A private, writable view of the whole file system: an overlay over ``/``, and fresh folders on top of it."""
    with open("/proc/self/mountinfo", encoding="utf-8") as mounts:
        mounted = [line.split()[4] for line in mounts]
    linux.mount("none", "/", flags=linux.MS_REC | linux.MS_PRIVATE)
    linux.mount("machine", "/tmp", "tmpfs", data="mode=755")
    for folder in ("upper", "work", "root"):
        os.mkdir(f"/tmp/{folder}")
    layers = "lowerdir=/,upperdir=/tmp/upper,workdir=/tmp/work"
    try:
        linux.mount("machine", "/tmp/root", "overlay", data=layers)
    except OSError as problem:
        raise OSError(f"{problem}; machines need the kernel's file system overlay (CONFIG_OVERLAY_FS)") from None
    for point in mounted:
        if point.split("/")[1] in ("boot", "home", "opt", "root", "srv", "usr"):  # file systems of their own
            linux.mount(point, f"/tmp/root{point}", flags=linux.MS_BIND)
    linux.mount("/dev", "/tmp/root/dev", flags=linux.MS_BIND | linux.MS_REC)
    # syslog(3) falls back on the console where no syslog daemon runs: that is the harness's terminal, keep it clean
    linux.mount("/dev/null", "/tmp/root/dev/console", flags=linux.MS_BIND)
    guarded = linux.MS_NOSUID | linux.MS_NODEV
    for folder in FRESH_FOLDERS:
        os.makedirs(f"/tmp/root/{folder}", exist_ok=True)
        linux.mount("machine", f"/tmp/root/{folder}", "tmpfs", guarded, "mode=755")
    os.chmod("/tmp/root/tmp", 0o1777)
    linux.mount("proc", "/tmp/root/proc", "proc", guarded | linux.MS_NOEXEC)
    linux.mount("sysfs", "/tmp/root/sys", "sysfs", guarded | linux.MS_NOEXEC)
    syscalls.change_root("/tmp/root")


def _quieten_ipv6() -> None:
    """Settings that the interfaces yet to come take over (kernel, Documentation/networking/ip-sysctl.rst)."""
    with contextlib.suppress(FileNotFoundError):  # a kernel without IPv6
        for name, value in QUIET.items():
            with open(f"/proc/sys/net/ipv6/conf/default/{name}", "w", encoding="ascii") as setting:
                setting.write(value)


def _loop(control: socket.socket, notes: socket.socket) -> None:
    wake, waker = socket.socketpair()
    waker.setblocking(False)
    signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda number, frame: None)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    while True:
        readable, _, _ = select.select([control, wake], [], [])
        if wake in readable:
            wake.recv(4096)
            _reap(notes)
        if control in readable:
            data, fds, _, _ = socket.recv_fds(control, MESSAGE_LIMIT, 8)
            if not data:
                return
            _serve_one(control, json.loads(data), fds)


def _reap(notes: socket.socket) -> None:
    with contextlib.suppress(ChildProcessError):
        while True:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                return
            notes.send(json.dumps({"pid": pid, "status": os.waitstatus_to_exitcode(status)}).encode())


def _serve_one(control: socket.socket, request: dict[str, Any], fds: list[int]) -> None:
    try:
        answer, answered = _OPERATIONS[request.pop("do")](fds=fds, **request)
    except OSError as problem:
        answer, answered = {"error": problem.strerror, "errno": problem.errno}, []
    for fd in fds:
        os.close(fd)
    _answer(control, answer, answered)
    for fd in answered:
        os.close(fd)


def _spawn(argv: list[str], env: dict[str, str], fds: list[int]) -> tuple[dict[str, Any], list[int]]:
    """Start a program with the three given descriptors as its standard input, output and error."""
    actions = [(os.POSIX_SPAWN_DUP2, fd, target) for target, fd in enumerate(fds)]
    program = shutil.which(argv[0], path=env["PATH"])
    if program is None:
        raise FileNotFoundError(errno.ENOENT, f"there is no program {argv[0]}")
    pid = os.posix_spawn(
        program, argv, env, file_actions=actions, setsid=True, setsigdef=signal.valid_signals(), setsigmask=()
    )
    return {"pid": pid}, []


def _signal(pid: int, number: int, fds: list[int]) -> tuple[dict[str, Any], list[int]]:
    os.kill(pid, number)
    return {}, []


def _open(path: str, flags: int, mode: int, fds: list[int]) -> tuple[dict[str, Any], list[int]]:
    """Open a file as the machine sees it; the harness gets the descriptor."""
    if flags & os.O_CREAT:
        os.makedirs(os.path.dirname(path), exist_ok=True)
    return {}, [os.open(path, flags | os.O_CLOEXEC, mode)]


def _fifo(path: str, fds: list[int]) -> tuple[dict[str, Any], list[int]]:
    """Make a FIFO; the harness gets its end, open for both so that no writer is ever missing a reader."""
    os.mkfifo(path, 0o600)
    return {}, [os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)]


def _remove(path: str, fds: list[int]) -> tuple[dict[str, Any], list[int]]:
    os.unlink(path)
    return {}, []


_OPERATIONS: dict[str, Callable[..., tuple[dict[str, Any], list[int]]]] = {
    "spawn": _spawn,
    "signal": _signal,
    "open": _open,
    "fifo": _fifo,
    "remove": _remove,
}


def _answer(control: socket.socket, answer: dict[str, Any], fds: list[int] | None = None) -> None:
    socket.send_fds(control, [json.dumps(answer).encode()], fds or [])
