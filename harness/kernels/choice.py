"""Which kernel carries the clusters, and which clock it keeps: this machine's own kernel, or the
embedded one.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import HarnessError
from harness.kernels import native
from harness.kernels.host.memory import QUOTA, SMALLEST

if TYPE_CHECKING:
    from harness.kernels.host.uml import Kernel
    from harness.kernels.run import Run

CLOCKS = ("auto", "real", "virtual")
GUEST = "LVS_HARNESS_GUEST"
"""The environment's variable that says in a guest, and to all that it starts, which time it has."""
INSTALL = "apt-get install user-mode-linux"

REAL_TIME_SLACK = 0.15
VIRTUAL_TIME_SLACK = 0.005
FIRST_DAY = 1_767_225_600  # 2026-01-01: virtual time begins as many days later as the seed says
DAYS = (
    1 << 12
)  # and with 0 days again after so many: a clock of 32 bits has its last second in 2038
_DAY = 86_400
_SEEDS = 1 << 64  # as many as the kernel tells apart


def in_guest() -> bool:
    """Whether this is already the embedded kernel."""
    return GUEST in os.environ


def virtual() -> bool:
    """Whether this is an embedded kernel in virtual time."""
    return os.environ.get(GUEST) == "virtual"


def slack() -> float:
    """How late this machine may see things, in seconds, at either end of a window."""
    return VIRTUAL_TIME_SLACK if virtual() else REAL_TIME_SLACK


def first_day(seed: int) -> int:
    """When virtual time begins, in seconds since 1970: the midnight of a day for any integer.

    Each of ``DAYS`` seeds in a row has a day of its own.
    """
    return FIRST_DAY + seed % DAYS * _DAY


@dataclass(frozen=True)
class Choice:
    """A kernel and a clock; ``embedded`` is None for this machine's own kernel, ``why`` says why it
    was taken.

    ``memory`` is what the embedded kernel is given, in bytes.
    """

    embedded: Kernel | None
    virtual: bool
    why: str
    seed: int = 0
    memory: int = SMALLEST
    quota: int = QUOTA

    @property
    def header(self) -> str:
        """The one line that says where a run takes place."""
        if self.embedded is None:
            return f"native kernel {platform.release()} ({self.why}), real time"
        clock = "virtual" if self.virtual else "real"
        return (
            f"embedded kernel {self.embedded.release} ({self.why}), {clock} time, seed {self.seed}"
        )

    def run(
        self,
        module: str,
        arguments: list[str],
        run: Run,
        outside: Iterable[Path] = (),
        watchdog: float = 0,
        paced: bool = False,
        modules: bytes | None = None,
        readable: Iterable[Path] = (),
    ) -> int:
        """Run a module in the embedded kernel, which may write the run's folder and bring back the
        files ``outside`` it.

        ``watchdog`` is in seconds; it, ``paced``, ``modules`` and ``readable`` are explained at
        :func:`harness.kernels.host.uml.run`.
        """
        from harness.kernels.host import uml

        assert self.embedded is not None
        environment = {
            GUEST: "virtual" if self.virtual else "real",
            "PYTHONHASHSEED": "0",  # sets of strings come in the same order in every run
            # thrown away it would be, and a file's stamp reads the clock: 256 ns
            "PYTHONDONTWRITEBYTECODE": "1",
            # below /tmp its folder may be an ordinary user's, and all run as root
            "PYTEST_DEBUG_TEMPROOT": "/run",
            **run.environment(),
        }
        return uml.run(
            self.embedded,
            module,
            arguments,
            writable=run.folder,
            memory=self.memory,
            virtual_start=first_day(self.seed) * 1_000_000_000 if self.virtual else None,
            seed=self.seed % _SEEDS,
            environment=environment,
            collect={path: path for path in outside},
            watchdog=watchdog,
            paced=paced,
            modules=modules,
            readable=[*readable],
            quota=self.quota,
        )


def unsuited() -> str | None:
    """Why this machine cannot run an embedded kernel, in words; None if it can: User Mode Linux is
    for x86-64 alone.
    """
    machine = platform.machine()
    if machine == "x86_64":
        return None
    return (
        f"this machine is {machine}, and the embedded kernel is for x86_64 alone: run"
        " clusters on this machine's own"
        " kernel (as root, after `modprobe ip_vs`), or go to an x86_64 machine, virtual or not"
    )


def choose(kernel: str, clock: str, seed: int) -> Choice:
    """What ``--kernel`` (auto, native, uml, or the path of a User Mode Linux kernel) and
    ``--clock`` ask for.

    ``auto`` is the built kernel with virtual time, else this machine's own if it can, else the
    distribution's.

    Raises HarnessError that names what is missing and what provides it.
    """
    if kernel == "native" and clock == "virtual":
        raise HarnessError(
            "--clock virtual needs the embedded kernel: leave --kernel native out, or"
            " use --kernel uml"
        )
    if kernel == "auto" and clock != "real" and (built := _built()) is not None:
        return Choice(built, True, "built", seed)
    lacking = native.lacking() if kernel in ("auto", "native") and clock != "virtual" else None
    if kernel in ("auto", "native") and clock != "virtual" and lacking is None:
        return Choice(None, False, "root, with IPVS", seed)
    if kernel == "native":
        raise HarnessError(
            f"--kernel native cannot run here: {lacking}; as root, load IPVS with"
            " `modprobe ip_vs`, or use --kernel uml"
        )
    from harness.kernels.host import uml

    embedded, origin = _embedded(kernel, clock, lacking)
    if (problem := uml.unfit(embedded)) is not None:
        raise HarnessError(problem)
    if clock == "virtual" and not embedded.time_travel:
        raise HarnessError(
            f"{embedded.path} has no virtual time; build a kernel that has it: make kernel"
        )
    why = f"{origin}; native: {lacking}" if lacking else origin
    return Choice(embedded, embedded.time_travel and clock != "real", why, seed)


def _embedded(kernel: str, clock: str, lacking: str | None) -> tuple[Kernel, str]:
    """The kernel at a path, or the built one, or the distribution's; and where it comes from."""
    from harness.kernels.host import uml

    packaged = uml.packaged()
    if packaged is not None and kernel == str(packaged.path):
        return packaged, "packaged"
    if kernel not in ("auto", "uml"):
        return uml.Kernel.at(Path(kernel)), kernel
    if (built := _built()) is not None:
        return built, "built"
    if (problem := unsuited()) is not None:
        raise HarnessError(problem)
    if clock == "virtual":
        raise HarnessError(
            "there is no kernel with virtual time yet; build one (a few minutes): make kernel"
        )
    if packaged is not None:
        return packaged, "packaged"
    reason = f"native: {lacking}; " if lacking else ""
    raise HarnessError(
        f"no kernel to run clusters on ({reason}uml: not installed); install it: {INSTALL}"
    )


def _built() -> Kernel | None:
    from harness.kernels.host import uml
    from harness.kernels.making import cache

    found = cache.find()
    return None if found is None or unsuited() else uml.Kernel.at(found.path)
