"""Whether what runs in a kernel is kept from this machine as docs/security.md says, and if not,
what is missing.
"""

from __future__ import annotations

import os
import sys

from harness.kernels import native
from harness.kernels.calls import landlock, seccomp


def lacking(embedded: bool) -> str | None:
    """What this machine lacks to run something of somebody else's, in words; None if nothing.

    ``embedded`` is False for this machine's own kernel.
    """
    if not embedded:
        return "it would run as root on this machine's own kernel"
    if not seccomp.known():
        return f"on {os.uname().machine} nothing filters the kernel process's system calls"
    known = landlock.version()
    if not known:
        return "this machine's kernel has no Landlock (Linux 5.13, and `landlock` among its lsm=)"
    if known < landlock.SIGNALS and not (os.geteuid() == 0 and native.may_make_namespaces()):
        return "before Linux 6.12 Landlock does not keep an ordinary user's processes from signals"
    return None


def agreed(missing: str) -> bool:
    """Whether somebody at a terminal, told what is missing, wants it run all the same; False where
    nobody is there.
    """
    if not sys.stdin.isatty():
        return False
    try:
        answer = input(f"{missing} (docs/security.md). Run it all the same? [y/N] ")
    except EOFError:
        return False
    return answer.strip().lower() in ("y", "yes")
