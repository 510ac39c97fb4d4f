"""What runs inside a machine as its pid 1: starts and reaps its programs, and opens its files.

It talks to the harness over two ``SOCK_SEQPACKET`` sockets: requests and replies on ``control``,
and the ends of its children on ``notes`` (:mod:`harness.kernels.calls.messages`).

There is one such process for every machine, forked from :mod:`harness.lab.supervisor_process`, so
it imports C modules only.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # `signal` adds enums, which take 10 ms to import
import _socket
import errno
import marshal
import os
import select

from harness.kernels.calls import linux, messages

TYPE_CHECKING = False  # that of `typing` takes 15 ms to import
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn


def serve(own: list[int]) -> NoReturn:
    """Be the machine: answer requests until the harness lets go of ``control`` or the supervisor
    ends.

    ``own`` are descriptors: of the namespaces to live in, and of the two sockets. All others are
    closed.
    """
    *namespaces, controlled, noted = own
    control, notes = _socket.socket(fileno=controlled), _socket.socket(fileno=noted)
    try:
        for descriptor in namespaces:
            linux.setns(descriptor)
        os.closerange(3, controlled)
        os.closerange(noted + 1, 1 << 20)
        linux.mount("proc", "/proc", "proc", linux.MS_NOSUID | linux.MS_NODEV | linux.MS_NOEXEC)
        os.setsid()
        messages.send(control, {})
        _loop(control, notes)
    except (
        BaseException
    ) as problem:  # the last word of a process that must not return into its parent's code
        try:
            messages.send(control, {"error": str(problem)})
        finally:
            os._exit(1)
    os._exit(0)


def _loop(control: _socket.socket, notes: _socket.socket) -> None:
    wake, waker = _socket.socketpair()
    waker.setblocking(False)
    _signal.set_wakeup_fd(waker.fileno(), warn_on_full_buffer=False)
    _signal.signal(_signal.SIGCHLD, lambda number, frame: None)
    while True:
        readable, _, _ = select.select([control, wake], [], [])
        if wake in readable:
            wake.recv(4096)
            _reap(notes)
        if control in readable:
            request, fds = messages.receive(control)
            if request is None:
                return
            _serve_one(control, request, fds)


def _reap(notes: _socket.socket) -> None:
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        notes.send(marshal.dumps({"pid": pid, "status": os.waitstatus_to_exitcode(status)}))


def _serve_one(control: _socket.socket, request: dict[str, Any], fds: list[int]) -> None:
    asked = request.pop("request")
    try:
        answer, answered = _OPERATIONS[request.pop("do")](fds=fds, **request)
    except OSError as problem:
        answer, answered = {"error": problem.strerror, "errno": problem.errno}, []
    for fd in fds:
        os.close(fd)
    messages.send(control, {**answer, "request": asked}, answered)
    for fd in answered:
        os.close(fd)


def _spawn(
    argv: list[str], env: dict[str, str], processor: int, fds: list[int]
) -> tuple[dict[str, Any], list[int]]:
    """Start a program with the three given descriptors as its standard input, output and error.

    ``processor`` is how many seconds of it the program may take; 0 is no limit.
    """
    actions = [(os.POSIX_SPAWN_DUP2, fd, target) for target, fd in enumerate(fds)]
    program = _find(argv[0], env["PATH"])
    pid = os.posix_spawn(
        program,
        argv,
        env,
        file_actions=actions,
        setsid=True,
        setsigdef=_signal.valid_signals(),
        setsigmask=(),
    )
    if processor:
        linux.limit_processor_time(pid, processor)
    return {"pid": pid}, []


def _find(program: str, path: str) -> str:
    for folder in path.split(":") if "/" not in program else ("",):
        candidate = os.path.join(folder, program)
        if os.access(candidate, os.X_OK) and not os.path.isdir(candidate):
            return candidate
    raise FileNotFoundError(errno.ENOENT, f"there is no program {program}")


def _kill(pid: int, number: int, fds: list[int]) -> tuple[dict[str, Any], list[int]]:
    os.kill(pid, number)
    return {}, []


def _open(path: str, flags: int, mode: int, fds: list[int]) -> tuple[dict[str, Any], list[int]]:
    """Open a file as the machine sees it; the harness gets the descriptor."""
    if flags & os.O_CREAT:
        os.makedirs(os.path.dirname(path), exist_ok=True)
    return {}, [os.open(path, flags | os.O_CLOEXEC, mode)]


def _fifo(path: str, fds: list[int]) -> tuple[dict[str, Any], list[int]]:
    """Make a FIFO; the harness gets its end, open for both so that no writer is ever missing a
    reader.
    """
    os.mkfifo(path, 0o600)
    return {}, [os.open(path, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)]


def _remove(path: str, fds: list[int]) -> tuple[dict[str, Any], list[int]]:
    os.unlink(path)
    return {}, []


def _rename(path: str, to: str, fds: list[int]) -> tuple[dict[str, Any], list[int]]:
    os.rename(path, to)
    return {}, []


_OPERATIONS: dict[str, Callable[..., tuple[dict[str, Any], list[int]]]] = {
    "spawn": _spawn,
    "signal": _kill,
    "open": _open,
    "fifo": _fifo,
    "remove": _remove,
    "rename": _rename,
}
