"""Which kernel carries the clusters: this machine's own, or the embedded one."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import HarnessError
from harness.kernels import native

if TYPE_CHECKING:
    from harness.kernels.uml import Kernel

KERNELS = ("auto", "native", "uml")
GUEST, HEADER = "LVS_HARNESS_GUEST", "LVS_HARNESS_HEADER"
INSTALL = "apt-get install user-mode-linux"
REAL_TIME_SLACK = 0.15
VIRTUAL_TIME_SLACK = 0.005


def in_guest() -> bool:
    """Whether this is already the embedded kernel."""
    return GUEST in os.environ


def slack() -> float:
    """How late this machine may see things, in seconds, at either end of a window."""
    return VIRTUAL_TIME_SLACK if os.environ.get(GUEST) == "virtual" else REAL_TIME_SLACK


@dataclass(frozen=True)
class Choice:
    """A kernel, and the line that says which and why; ``embedded`` is None for this machine's own."""

    header: str
    embedded: Kernel | None

    def run_pytest(self, arguments: list[str], folder: Path, outside: Iterable[Path]) -> int:
        """Run pytest in the embedded kernel, which may write ``folder`` and bring back the files ``outside`` it."""
        from harness.kernels import uml

        assert self.embedded is not None
        return uml.run(
            self.embedded, "pytest", arguments, writable=folder, environment={GUEST: "real"},
            collect={path: path for path in outside},
        )  # fmt: skip


def choose(wanted: str) -> Choice:
    """The kernel for ``--kernel``. Raises HarnessError that names what is missing and what installs it."""
    lacking = None if wanted == "uml" else native.lacking()
    if wanted != "uml" and lacking is None:
        return Choice(f"native kernel {platform.release()} (root, with IPVS), real time", None)
    if wanted == "native":
        raise HarnessError(
            f"--kernel native cannot run here: {lacking}; load IPVS as root (modprobe ip_vs), or use --kernel uml"
        )
    from harness.kernels import uml

    kernel = uml.packaged()
    if kernel is None:
        reason = f"native: {lacking}; " if lacking else ""
        raise HarnessError(f"no kernel to run clusters on ({reason}uml: not installed); install it: {INSTALL}")
    why = f"native: {lacking}" if lacking else "asked for"
    return Choice(f"embedded kernel {kernel.release} of {kernel.path} ({why}), real time", kernel)
