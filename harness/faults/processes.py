"""Processes: keepalived, or what else speaks VRRP on a director, stopped, hung, killed."""

from __future__ import annotations

import signal
from dataclasses import dataclass, field
from typing import ClassVar

from harness.errors import HarnessError
from harness.faults.fault import Fault, Surroundings
from harness.keepalived.timers import Symptom
from harness.lab.machine import Process
from harness.nodes import DirectorNode, Node
from harness.topology.machines import SPEAKERS


class _OfSpeaker(Fault[DirectorNode]):
    """It befalls what speaks VRRP, so that has to be there."""

    def check(self) -> None:
        super().check()
        if self.node.role.by not in SPEAKERS:
            raise HarnessError(
                f"{self.name} befalls what speaks VRRP, and {self.node.name} runs nothing of the"
                " kind: StopProgram and HangProgram take any program by its name"
            )


class StopSpeaker(_OfSpeaker):
    """What speaks VRRP is stopped in an orderly way: a master resigns with an advertisement of
    priority 0.
    """

    announced: ClassVar[bool] = True

    def inject(self, around: Surroundings) -> None:
        self.node.stop()

    def heal(self, around: Surroundings) -> None:
        around.start(self.node)


class StopKeepalived(StopSpeaker):
    """keepalived is stopped in an orderly way: a master resigns with an advertisement of priority
    0.
    """


class HangSpeaker(_OfSpeaker):
    """What speaks VRRP is stopped by SIGSTOP, and its children: silent, while the kernel still has
    all that it set.
    """

    in_office: ClassVar[bool] = True

    def inject(self, around: Surroundings) -> None:
        self.node.signal_all(signal.SIGSTOP)

    def heal(self, around: Surroundings) -> None:
        self.node.signal_all(signal.SIGCONT)


@dataclass(frozen=True)
class StarveMachine(Fault[Node]):
    """A whole machine gets the processor by turns, as :class:`Starve` has it of keepalived alone:
    all its processes stand still for ``stands`` seconds, run for ``runs`` seconds, and so on. Its
    kernel goes on meanwhile: it answers ARP and accepts connections.
    """

    symptom: ClassVar[Symptom] = Symptom.SILENT
    in_office: ClassVar[bool] = True
    stands: float
    runs: float
    _schedulers: list[Process] = field(default_factory=list, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.stands <= 0 or self.runs <= 0:
            raise HarnessError(
                f"StarveMachine: stands={self.stands:g} and runs={self.runs:g} are to be above 0 s"
            )

    @property
    def name(self) -> str:
        return f"StarveMachine (stands {self.stands:g} s, runs {self.runs:g} s)"

    def inject(self, around: Surroundings) -> None:
        # kill(-1) spares the machine's pid 1 and whoever calls it (kill(2)), so sleep comes after.
        turn = f"kill -STOP -1; sleep {self.stands}; kill -CONT -1; sleep {self.runs}"
        words = ["sh", "-c", f"while :; do {turn}; done"]
        self._schedulers.append(self.node.machine.popen(*words))

    def heal(self, around: Surroundings) -> None:
        while self._schedulers:
            self._schedulers.pop().send_signal(signal.SIGKILL)
        self.node.machine.run(["sh", "-c", "kill -CONT -1"], check=False)


class HangKeepalived(HangSpeaker):
    """keepalived and its children are stopped by SIGSTOP: silent, while the kernel still holds VIP
    and IPVS table. It waits until one that has just been started hears signals, so that this
    one outlives a reload meanwhile.
    """

    def inject(self, around: Surroundings) -> None:
        if self.node.role.by == "keepalived":
            self.node.wait_hearing(signal.SIGHUP)
        super().inject(around)


class KillKeepalived(_OfSpeaker):
    """keepalived and its children die by SIGKILL: nobody takes the VIP and the IPVS table out of
    the kernel.
    """

    def inject(self, around: Surroundings) -> None:
        self.node.kill()

    def heal(self, around: Surroundings) -> None:
        around.start(self.node)


class CrashVrrp(_OfSpeaker):
    """The VRRP child alone dies by SIGKILL; its parent starts another, so there is nothing to
    heal.
    """

    def inject(self, around: Surroundings) -> None:
        self.node.signal_vrrp(signal.SIGKILL)

    def heal(self, around: Surroundings) -> None:
        pass


@dataclass(frozen=True)
class Starve(_OfSpeaker):
    """keepalived gets the processor by turns: it and its children stand still for ``stands``
    seconds, run for ``runs`` seconds, and so on. It is what a host that is too busy does to a
    virtual machine.

    In virtual time computing takes no time, so a share of the processor can only be had as such a
    schedule.
    """

    in_office: ClassVar[bool] = True
    stands: float
    runs: float
    _schedulers: list[Process] = field(default_factory=list, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.stands <= 0 or self.runs <= 0:
            raise HarnessError(
                f"Starve: stands={self.stands:g} and runs={self.runs:g} are to be above 0 s"
            )

    @property
    def name(self) -> str:
        return f"Starve (stands {self.stands:g} s, runs {self.runs:g} s)"

    def inject(self, around: Surroundings) -> None:
        group = self.node.process().pid
        turn = f"kill -STOP -{group}; sleep {self.stands}; kill -CONT -{group}; sleep {self.runs}"
        self._schedulers.append(self.node.machine.popen("sh", "-c", f"while :; do {turn}; done"))

    def heal(self, around: Surroundings) -> None:
        while self._schedulers:
            self._schedulers.pop().send_signal(signal.SIGKILL)
        self.node.signal_all(signal.SIGCONT)
