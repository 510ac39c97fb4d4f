"""The Linux system calls that Python's ``os`` does not offer, as functions that raise ``OSError``.

The guard outside, pid 1 inside the embedded kernel and every machine use it, so it imports only C
modules.
"""

from __future__ import annotations

import _thread
import ctypes
import fcntl
import os

TYPE_CHECKING = False  # that of `typing` takes 15 ms to import
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

_libc = ctypes.CDLL(None, use_errno=True)
_libc.syscall.restype = ctypes.c_long

# <linux/mount.h>, <linux/sched.h>, <linux/prctl.h>, <linux/capability.h>
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_BIND, MS_REC, MS_PRIVATE = (
    1,
    2,
    4,
    8,
    4096,
    16384,
    1 << 18,
)
MNT_DETACH = 2
CLONE_NEWNS, CLONE_NEWIPC, CLONE_NEWPID, CLONE_NEWNET = (
    0x00020000,
    0x08000000,
    0x20000000,
    0x40000000,
)
CLONE_NEWUTS = 0x04000000
PR_SET_PDEATHSIG, PR_CAPBSET_READ, PR_CAPBSET_DROP, PR_SET_TIMERSLACK = 1, 23, 24, 29
PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 36, 38
CAP_DAC_READ_SEARCH = 2
MOUNT_ATTR_RDONLY, MOUNT_ATTR_NOSUID, MOUNT_ATTR_NODEV = 1, 2, 4
AT_FDCWD, AT_RECURSIVE = -100, 0x8000

_RLIMIT_CPU = 0  # <sys/resource.h>
_MCL_FUTURE = 2  # <sys/mman.h>
_STACK = 1 << 20
_RNDRESEEDCRNG = 0x5207  # <linux/random.h>
_SIGCHLD, _SIGKILL = 17, 9
_CLONE = {"x86_64": 56, "aarch64": 220}
# Numbers from 424 on are the same on every architecture.
_FSOPEN, _FSCONFIG, _FSMOUNT, _MOUNT_SETATTR = 430, 431, 432, 442
_FSCONFIG_SET_STRING, _FSCONFIG_CMD_CREATE = 1, 6


def _checked(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


def mount(source: str, target: str, kind: str = "", flags: int = 0, data: str = "") -> None:
    """mount(2)."""
    arguments = [os.fsencode(text) for text in (source, target, kind)]
    result = _libc.mount(*arguments, ctypes.c_ulong(flags), os.fsencode(data))
    _checked(result, f"cannot mount {source or kind} on {target}")


def pivot_root(new: str, old: str) -> None:
    """pivot_root(2)."""
    _checked(_libc.pivot_root(os.fsencode(new), os.fsencode(old)), f"cannot make {new} the root")


def unmount(target: str, flags: int = 0) -> None:
    """umount2(2)."""
    _checked(_libc.umount2(os.fsencode(target), flags), f"cannot unmount {target}")


def unshare(flags: int) -> None:
    """unshare(2)."""
    _checked(_libc.unshare(flags), "cannot make new namespaces")


def clone(flags: int) -> int:
    """fork(2) into new namespaces: 0 in the child, its pid in the parent. The caller has one thread
    only.
    """
    return syscall(_CLONE[os.uname().machine], flags | _SIGCHLD, None, None, None, None)


def change_root(new_root: str) -> None:
    """Make ``new_root`` the root of this mount namespace and let go of the old one."""
    os.chdir(new_root)
    pivot_root(".", ".")
    unmount(".", MNT_DETACH)
    os.chdir("/")


def die_with_parent(parent: int) -> None:
    """Be killed when the parent process ends; ``parent`` is its pid, for the case that it has ended
    already.
    """
    prctl(PR_SET_PDEATHSIG, _SIGKILL)
    if os.getppid() != parent:
        os._exit(1)


def limit_processor_time(pid: int, seconds: int) -> None:
    """prlimit(2), RLIMIT_CPU: a SIGXCPU after so many seconds of processor, a SIGKILL after twice
    as many.
    """
    limits = (ctypes.c_uint64 * 2)(seconds, 2 * seconds)
    _checked(_libc.prlimit64(pid, _RLIMIT_CPU, limits, None), f"cannot limit process {pid}")


def setns(descriptor: int, kind: int = 0) -> None:
    """setns(2); ``kind`` 0 is any."""
    _checked(_libc.setns(descriptor, kind), "cannot enter a namespace")


def prctl(option: int, argument: int = 0) -> int:
    """prctl(2) for the options that take one number."""
    zero = ctypes.c_ulong(0)
    return _checked(
        _libc.prctl(option, ctypes.c_ulong(argument), zero, zero, zero), f"prctl {option}"
    )


def set_hostname(name: str) -> None:
    """sethostname(2)."""
    encoded = os.fsencode(name)
    _checked(_libc.sethostname(encoded, len(encoded)), "cannot set the hostname")


def fault_in_advance() -> None:
    """mlockall(2): whatever is mapped from now on has its memory at once, not page by page when
    each is first touched.

    In the embedded kernel a page costs 8 us that way and 36 us otherwise, and what a program
    imports is thousands.
    """
    _thread.stack_size(_STACK)  # for they are had at once as well, 8 MiB each by default
    _checked(_libc.mlockall(_MCL_FUTURE), "cannot have memory at once")


def reseed_random() -> None:
    """Have the kernel take a new key for its random numbers, as it does every minute (random(4),
    RNDRESEEDCRNG).
    """
    with open("/dev/urandom", "rb") as device:
        fcntl.ioctl(device, _RNDRESEEDCRNG)


def detached_tmpfs(size: int) -> int:
    """The descriptor of a tmpfs of ``size`` bytes that no path leads to: it ends with its last
    user.
    """
    context = syscall(_FSOPEN, b"tmpfs", 1)
    try:
        syscall(_FSCONFIG, context, _FSCONFIG_SET_STRING, b"size", str(size).encode(), 0)
        syscall(_FSCONFIG, context, _FSCONFIG_CMD_CREATE, None, None, 0)
        return syscall(_FSMOUNT, context, 1, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)
    finally:
        os.close(context)


def set_mount_attributes(
    path: str, *, add: int = 0, remove: int = 0, recursive: bool = False
) -> None:
    """mount_setattr(2), Linux 5.12 or newer."""
    attributes = (ctypes.c_uint64 * 4)(add, remove, 0, 0)
    flags = AT_RECURSIVE if recursive else 0
    syscall(
        _MOUNT_SETATTR, AT_FDCWD, os.fsencode(path), flags, attributes, ctypes.sizeof(attributes)
    )


def members(session: int) -> Iterator[tuple[int, bytes]]:
    """The processes of ``session``: pid and state (a letter, proc_pid_stat(5))."""
    for name in os.listdir("/proc"):
        if name.isdigit():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:
                    fields = file.read().rpartition(b")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(fields[3]) == session:
                yield int(name), fields[0]


def kill_session(session: int, spare: Collection[int] = ()) -> None:
    """Send SIGKILL to every process of ``session`` but those in ``spare``."""
    for pid, _ in members(session):
        if pid not in spare:
            try:
                os.kill(pid, _SIGKILL)
            except ProcessLookupError:
                continue


def syscall(number: int, *arguments: int | bytes | ctypes.Array[ctypes.c_uint64] | None) -> int:
    """syscall(2): any system call, by its number."""
    words = [ctypes.c_long(word) if isinstance(word, int) else word for word in arguments]
    return _checked(int(_libc.syscall(ctypes.c_long(number), *words)), f"system call {number}")


def power_off() -> None:
    """reboot(2): end this kernel at once."""
    _checked(_libc.reboot(0x4321FEDC), "cannot power off")
