"""The system calls of the host that a kernel process may make: those that User Mode Linux has use
for, and no others.

It opens no socket, so it reaches neither the network nor a service of this machine. It makes
nothing but regular files and folders, and gives none of them a mode with setuid or setgid. Modes,
owners and times are not its to change at all: that is answered as if it were done, since programs
in the guest take a refusal for an error.

Under seccomp the guest's processes are processes of the host with the same filter. Their system
calls are a trap of the kernel's own filter, which goes before whatever is said here (seccomp(2):
SECCOMP_RET_TRAP before _ERRNO).
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct

from harness.kernels.calls import linux

MACHINE = "x86_64"
"""The processors that User Mode Linux runs on, and whose numbers these are (<asm/unistd_64.h>)."""

_PLAIN = {
    # files
    "read": 0, "write": 1, "close": 3, "stat": 4, "fstat": 5, "lstat": 6, "poll": 7, "lseek": 8,
    "ioctl": 16, "pread64": 17, "pwrite64": 18, "readv": 19, "writev": 20, "access": 21,
    "fcntl": 72, "flock": 73, "fsync": 74, "fdatasync": 75, "ftruncate": 77, "getdents": 78,
    "getcwd": 79, "rename": 82, "rmdir": 84, "unlink": 87, "readlink": 89, "umask": 95,
    "statfs": 137, "fstatfs": 138, "getdents64": 217, "unlinkat": 263, "renameat": 264,
    "readlinkat": 267, "faccessat": 269, "newfstatat": 262, "renameat2": 316, "statx": 332,
    "faccessat2": 439,
    # descriptors
    "pipe": 22, "select": 23, "dup": 32, "dup2": 33, "sendmsg": 46, "recvmsg": 47, "shutdown":
    48, "epoll_create": 213, "epoll_wait": 232, "epoll_ctl": 233, "pselect6": 270, "ppoll": 271,
    "epoll_pwait": 281, "eventfd2": 290, "epoll_create1": 291, "dup3": 292, "pipe2": 293,
    "memfd_create": 319, "close_range": 436,
    # memory
    "mmap": 9, "mprotect": 10, "munmap": 11, "brk": 12, "mremap": 25, "msync": 26, "madvise":
    28, "mlock": 149, "munlock": 150, "mlockall": 151, "munlockall": 152,
    # signals
    "rt_sigaction": 13, "rt_sigprocmask": 14, "rt_sigreturn": 15, "kill": 62, "rt_sigpending":
    127, "rt_sigtimedwait": 128, "rt_sigsuspend": 130, "sigaltstack": 131, "tkill": 200,
    "tgkill": 234, "restart_syscall": 219, "signalfd4": 289,
    # processes
    "getpid": 39, "fork": 57, "vfork": 58, "execve": 59, "exit": 60, "wait4": 61, "uname": 63,
    "ptrace": 101, "getuid": 102, "getgid": 104, "geteuid": 107, "getegid": 108, "setpgid": 109,
    "getppid": 110, "getpgrp": 111, "setsid": 112, "personality": 135, "prctl": 157,
    "arch_prctl": 158, "modify_ldt": 154, "gettid": 186, "futex": 202, "set_thread_area": 205,
    "get_thread_area": 211, "set_tid_address": 218, "exit_group": 231, "waitid": 247,
    "set_robust_list": 273, "seccomp": 317, "execveat": 322, "rseq": 334, "getrandom": 318,
    "sysinfo": 99,
    # time
    "sched_yield": 24, "nanosleep": 35, "getitimer": 36, "setitimer": 38, "gettimeofday": 96,
    "time": 201, "timer_create": 222, "timer_settime": 223, "timer_gettime": 224,
    "timer_getoverrun": 225, "timer_delete": 226, "clock_gettime": 228, "clock_getres": 229,
    "clock_nanosleep": 230,
}  # fmt: skip
_PRETENDED = {
    "chmod": 90, "fchmod": 91, "fchmodat": 268, "fchmodat2": 452, "chown": 92, "fchown": 93,
    "lchown": 94, "fchownat": 260, "utime": 132, "utimes": 235, "futimesat": 261, "utimensat":
    280,
}  # fmt: skip
"""Of files their modes, owners and times."""

_REFUSED = {
    "link": 86, "linkat": 265, "symlink": 88, "symlinkat": 266, "mknod": 133, "mknodat": 259,
    "truncate": 76, "socket": 41, "connect": 42, "bind": 49, "listen": 50, "unshare": 272,
}  # fmt: skip
"""With a word that programs know. What is nowhere here is not implemented."""

# System call -> the argument that is looked at, and the bits of it that must be 0.
_SET_IDS = 0o6000
_NAMESPACES = 0x7E020000
_WITHOUT = {
    2: (2, _SET_IDS),  # open: mode
    257: (3, _SET_IDS),  # openat: mode
    83: (1, _SET_IDS),  # mkdir: mode
    258: (2, _SET_IDS),  # mkdirat: mode
    56: (0, _NAMESPACES),  # clone: flags
    302: (0, 0xFFFFFFFF),  # prlimit64: no process but itself
}
_OPEN_FLAGS = {2: 1, 257: 2}  # open and openat: which argument
_SOCKETPAIR, _STREAM, _TYPE = (
    53,
    1,
    0xF,
)  # a pair of datagram sockets could send to others (sendmsg with a name)

# <linux/bpf_common.h>, <linux/seccomp.h>, <linux/audit.h>
_LOAD, _AND, _EQUAL, _ANY, _RETURN = 0x20, 0x54, 0x15, 0x45, 0x06
_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_AUDIT_ARCH_X86_64 = 0xC000003E
_NUMBER, _ARCHITECTURE, _ARGUMENTS = 0, 4, 16
_SET_MODE_FILTER = 1
_SECCOMP = 317


def enter() -> None:
    """From now on this process can make no other system calls. It has PR_SET_NO_NEW_PRIVS set.
    Raises OSError.
    """
    program = _program()
    held = ctypes.create_string_buffer(program, len(program))
    header = struct.pack("HxxxxxxQ", len(program) // 8, ctypes.addressof(held))
    linux.syscall(_SECCOMP, _SET_MODE_FILTER, 0, header)


def known() -> bool:
    """Whether the system calls of this machine are known here."""
    return os.uname().machine == MACHINE


def _program() -> bytes:
    """The filter, in classic BPF: one system call after another, each with its answer."""
    words = [
        *_unless(_EQUAL, _AUDIT_ARCH_X86_64, _ERRNO | errno.ENOSYS, at=_ARCHITECTURE),
        _word(_LOAD, _NUMBER),
    ]
    for number in _PLAIN.values():
        words += _when(number, [_word(_RETURN, _ALLOW)])
    for number in _PRETENDED.values():
        words += _when(number, [_word(_RETURN, _ERRNO)])
    for number in _REFUSED.values():
        words += _when(number, [_word(_RETURN, _ERRNO | errno.EPERM)])
    for number, (argument, bits) in _WITHOUT.items():
        look = [*_flags(number), _word(_LOAD, _ARGUMENTS + 8 * argument), _word(_ANY, bits, 1, 0)]
        words += _when(
            number, [*look, _word(_RETURN, _ALLOW), _word(_RETURN, _ERRNO | errno.EPERM)]
        )
    pair = [_word(_LOAD, _ARGUMENTS + 8), _word(_AND, _TYPE), _word(_EQUAL, _STREAM, 1, 0)]
    words += _when(
        _SOCKETPAIR, [*pair, _word(_RETURN, _ERRNO | errno.EPERM), _word(_RETURN, _ALLOW)]
    )
    return b"".join([*words, _word(_RETURN, _ERRNO | errno.ENOSYS)])


def _flags(number: int) -> list[bytes]:
    """Refuse to truncate what is opened for reading only, which Landlock did not notice before
    Linux 6.2.
    """
    if number not in _OPEN_FLAGS:
        return []
    refuse = _word(_RETURN, _ERRNO | errno.EPERM)
    wanted = os.O_TRUNC | os.O_ACCMODE
    return [
        _word(_LOAD, _ARGUMENTS + 8 * _OPEN_FLAGS[number]),
        _word(_AND, wanted),
        _word(_EQUAL, os.O_TRUNC | os.O_RDONLY, 0, 1),
        refuse,
    ]


def _when(number: int, then: list[bytes]) -> list[bytes]:
    """These instructions for a system call, whose number is loaded and stays so for the others;
    they end the look.
    """
    return [_word(_EQUAL, number, 0, len(then)), *then]


def _unless(test: int, value: int, answer: int, at: int) -> list[bytes]:
    return [_word(_LOAD, at), _word(test, value, 1, 0), _word(_RETURN, answer)]


def _word(code: int, value: int, when_true: int = 0, when_false: int = 0) -> bytes:
    """One instruction (struct sock_filter)."""
    return struct.pack("HBBI", code, when_true, when_false, value)
