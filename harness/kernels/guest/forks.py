"""A lean process forked off pid 1 of the guest: it is there in a third of the time that a new
interpreter takes.

Part of pid 1 of the guest, and so as sparing with imports and system calls as ``guest.py``.
"""

from __future__ import annotations

import _socket
import os

from harness.kernels.calls import linux, messages

TYPE_CHECKING = False  # that of `typing` takes 15 ms to import
if TYPE_CHECKING:
    from typing import NoReturn

# unix(7): abstract, so of the guest's own network namespace, whatever is mounted where
NAME = "\0lvs-harness/forks"
KEPT = 3  # the descriptor that the process has from whoever asked for it
_TIMER_SLACK = 50_000  # nanoseconds, as every process has it; pid 1 may have changed its own


def fork(program: str, kept: int) -> int:
    """Have pid 1 of this guest execute a program's text in the first process of a new pid
    namespace.

    The process has the descriptor ``kept`` as :data:`KEPT`. Returns a descriptor of it; raises
    OSError.
    """
    asking = _socket.socket(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
    try:
        asking.connect(NAME)
        messages.send(asking, {"program": program}, [kept])
        answer, held = messages.receive(asking)
    finally:
        asking.close()
    if not held:
        raise OSError((answer or {}).get("error", "pid 1 of the guest is gone"))
    return held[0]


class Forks:
    """Pid 1's part."""

    def __init__(self) -> None:
        self.listener = _socket.socket(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
        self.listener.bind(NAME)
        self.listener.listen()

    def serve(self) -> None:
        """Somebody asks: a message is a program's text, and a descriptor beside it."""
        descriptor, _ = self.listener._accept()  # type: ignore[attr-defined]  # what `accept` of `socket` is made of
        asking = _socket.socket(fileno=descriptor)
        try:
            wanted, given = messages.receive(asking)
            if wanted and given:
                held = _fork(wanted["program"], given[0])
                messages.send(asking, {}, [held])
                for descriptor in (*given, held):
                    os.close(descriptor)
        except OSError as problem:
            messages.send(asking, {"error": str(problem)})
        asking.close()


def _fork(program: str, kept: int) -> int:
    """Execute a program's text in the first process of a new pid namespace; returns a descriptor of
    it.
    """
    own = os.open("/proc/thread-self/ns/pid", os.O_RDONLY)
    linux.unshare(linux.CLONE_NEWPID)
    try:
        if (pid := os.fork()) == 0:  # which knows of our threads, other than linux.clone
            _become(program, kept)
    finally:
        linux.setns(own)
        os.close(own)
    return os.pidfd_open(pid)


def _become(program: str, kept: int) -> NoReturn:
    try:
        os.setsid()  # a Ctrl-C at the terminal is the caller's to handle
        null = os.open(os.devnull, os.O_RDWR)
        for standard in (0, 1, 2):
            os.dup2(null, standard)
        os.dup2(kept, KEPT, inheritable=False)
        os.closerange(KEPT + 1, 1 << 20)
        linux.prctl(linux.PR_SET_TIMERSLACK, _TIMER_SLACK)
        exec(program, {})
    finally:
        os._exit(1)
