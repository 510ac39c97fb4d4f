"""What the kernel process gives up before it starts: all that User Mode Linux does without
(docs/security.md).
"""

from __future__ import annotations

import os
import resource

from harness.kernels.calls import landlock, linux, seccomp

TYPE_CHECKING = False  # that of `typing` takes 15 ms to import
if TYPE_CHECKING:
    from typing import Any

DEVICES = ("/dev/null", "/dev/random")  # all that the kernel process opens
REST = 1 << 24  # bytes, beside the guest's memory and its files
_IMAGE = (
    1 << 32
    # bytes: before the guest's memory, its file has a hole from the kernel's image to a random
    # address
)
_SYSTEM = (
    "/usr",
    "/bin",
    "/sbin",
    "/lib",
    "/lib32",
    "/lib64",
    "/libx32",
    "/opt",
    "/nix/store",
    "/gnu/store",
)
"""What programs consist of, which is no secret of anybody's. Of /etc there is what everybody may
read.
"""


def enter(orders: dict[str, Any], store: int) -> None:
    """Give up all that the kernel process needs not, for good."""
    largest = max(orders["quota"], orders["memory"] + _IMAGE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (largest, largest))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
    ruleset = _ruleset(orders, store)
    _drop_privileges()
    if ruleset is not None:
        ruleset.enter()
    if seccomp.known():
        seccomp.enter()


def _ruleset(orders: dict[str, Any], store: int) -> landlock.Ruleset | None:
    if not (known := landlock.version()):
        return None
    ruleset = landlock.Ruleset(known)
    landlock.allow_all(
        ruleset, landlock.READ, (*_SYSTEM, *landlock.public("/etc"), *orders["readable"])
    )
    landlock.allow_all(ruleset, landlock.READ, ("/proc/cpuinfo", orders["argv"][0]))
    landlock.allow_all(ruleset, landlock.LIST, ("/etc", *orders["listable"]))
    landlock.allow_all(ruleset, landlock.WRITE, DEVICES)
    ruleset.allow(landlock.WRITE, orders["writable"])
    ruleset.allow(landlock.WRITE | landlock.READ, store)
    return ruleset


def _drop_privileges() -> None:
    if os.geteuid():
        return
    capability = 0
    while True:
        try:
            present = linux.prctl(linux.PR_CAPBSET_READ, capability)
        except OSError:
            return
        # Users' homes are closed to others: without this one, root could not read a project in
        # them.
        if present and capability != linux.CAP_DAC_READ_SEARCH:
            linux.prctl(linux.PR_CAPBSET_DROP, capability)
        capability += 1
