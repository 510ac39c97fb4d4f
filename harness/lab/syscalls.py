"""The calls that make and enter namespaces, on top of :mod:`harness.kernels.linux`. Errors are ``OSError``."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
from collections.abc import Iterator

from harness.kernels.linux import MNT_DETACH, PR_SET_PDEATHSIG, pivot_root, prctl, unmount

CLONE_NEWUTS = 0x04000000
CLONE_NEWNET = 0x40000000
_SYS_CLONE = {"x86_64": 56, "aarch64": 220}

_libc = ctypes.CDLL(None, use_errno=True)


def _checked(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def clone(flags: int) -> int:
    """fork(2) into new namespaces: 0 in the child, its pid in the parent. The caller has one thread only."""
    number = _SYS_CLONE[os.uname().machine]
    return _checked(_libc.syscall(number, flags | signal.SIGCHLD, None, None, None, None), "clone")


def change_root(new_root: str) -> None:
    """Make ``new_root`` the root of this mount namespace and let go of the old one."""
    os.chdir(new_root)
    pivot_root(".", ".")
    unmount(".", MNT_DETACH)
    os.chdir("/")


def die_with_parent(parent: int) -> None:
    """Be killed when the parent process ends; ``parent`` is its pid, for the case that it has ended already."""
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


@contextlib.contextmanager
def inside_netns(netns: int) -> Iterator[None]:
    """Work in another network namespace, given as a file descriptor; only the calling thread moves there."""
    own = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        _checked(_libc.setns(netns, CLONE_NEWNET), "setns")
        try:
            yield
        finally:
            _checked(_libc.setns(own, CLONE_NEWNET), "setns")
    finally:
        os.close(own)
