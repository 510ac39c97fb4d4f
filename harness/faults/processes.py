"""Processes: keepalived stopped, hung, killed."""

from __future__ import annotations

import signal
from typing import ClassVar

from harness.daemons.nodes import DirectorNode
from harness.faults.fault import Fault, Surroundings


class StopKeepalived(Fault[DirectorNode]):
    """keepalived is stopped in an orderly way: a master resigns with an advertisement of priority 0."""

    announced: ClassVar[bool] = True

    def inject(self, around: Surroundings) -> None:
        self.node.stop()

    def heal(self, around: Surroundings) -> None:
        around.start(self.node)


class HangKeepalived(Fault[DirectorNode]):
    """keepalived and its children are stopped by SIGSTOP: silent, while the kernel still holds VIP and IPVS table."""

    in_office: ClassVar[bool] = True

    def inject(self, around: Surroundings) -> None:
        self.node.signal_all(signal.SIGSTOP)

    def heal(self, around: Surroundings) -> None:
        self.node.signal_all(signal.SIGCONT)


class KillKeepalived(Fault[DirectorNode]):
    """keepalived and its children die by SIGKILL: nobody takes the VIP and the IPVS table out of the kernel."""

    def inject(self, around: Surroundings) -> None:
        self.node.kill()

    def heal(self, around: Surroundings) -> None:
        around.start(self.node)


class CrashVrrp(Fault[DirectorNode]):
    """The VRRP child alone dies by SIGKILL; its parent starts another, so there is nothing to heal."""

    def inject(self, around: Surroundings) -> None:
        self.node.signal_vrrp(signal.SIGKILL)

    def heal(self, around: Surroundings) -> None:
        pass
