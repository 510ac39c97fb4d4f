"""What operators and clients do, beside the faults: each is done and taken back as a fault is."""

from __future__ import annotations

import contextlib
import signal
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar

from harness.daemons import ipvsadm
from harness.errors import HarnessError
from harness.faults import Fault
from harness.faults.fault import Surroundings
from harness.lab import devices
from harness.nodes import ClientNode, DirectorNode, Node, RealServerNode

if TYPE_CHECKING:
    from harness.cluster import Cluster
    from harness.observers.client import Load
    from harness.topology import VirtualService


class Reload(Fault[DirectorNode]):
    """keepalived reads its configuration again, as that is now: nobody has edited it for this."""

    in_office: ClassVar[bool] = True

    def inject(self, around: Surroundings) -> None:
        self.node.tell(signal.SIGHUP)

    def heal(self, around: Surroundings) -> None:
        pass


@dataclass(frozen=True)
class Dump(Fault[DirectorNode]):
    """Somebody has keepalived write its data (``SIGUSR1``) or its statistics (``SIGUSR2``) to a
    file.
    """

    number: int
    in_office: ClassVar[bool] = True

    def inject(self, around: Surroundings) -> None:
        self.node.tell(self.number)

    def heal(self, around: Surroundings) -> None:
        pass


class Restart(Fault[DirectorNode]):
    """keepalived is stopped and started again at once."""

    announced: ClassVar[bool] = True

    def inject(self, around: Surroundings) -> None:
        self.node.stop()
        around.start(self.node)

    def heal(self, around: Surroundings) -> None:
        pass


BURIED = 0.05
"""Seconds after which nothing is left of processes that were killed: until then keepalived is
"already running" (``core/pidfile.c``), though all that has its number is a zombie.
"""


@dataclass(frozen=True)
class KillKeepalived(Fault[DirectorNode]):
    """keepalived and its children die by SIGKILL; whoever starts it again does so a moment
    later.
    """

    cluster: Cluster = field(repr=False, compare=False)

    def inject(self, around: Surroundings) -> None:
        self.node.kill()
        self.cluster.timeline.let_pass(BURIED)

    def heal(self, around: Surroundings) -> None:
        around.start(self.node)


@dataclass(frozen=True)
class SetDown(Fault[Node]):
    """Somebody sets the machine's interface down by hand, and up again: ``ip link set eth0
    down``.
    """

    def inject(self, around: Surroundings) -> None:
        self._set("down")

    def heal(self, around: Surroundings) -> None:
        self._set("up")
        machine, device = self.node.machine, self.node.plan.main_device
        for address in self.node.plan.interface().addresses:
            if address.version == 6:  # the kernel has forgotten them (net/ipv6/addrconf.c)
                machine.run(["ip", "address", "replace", str(address), "dev", device])
        devices.route(machine)

    def _set(self, state: str) -> None:
        self.node.machine.run(["ip", "link", "set", self.node.plan.main_device, state])


@dataclass(frozen=True)
class DeleteVip(Fault[DirectorNode]):
    """Somebody deletes the VIP by hand, if it is there."""

    vip: str

    def inject(self, around: Surroundings) -> None:
        device = self.node.claim(self.vip).device_of(self.vip)
        length = 128 if ":" in self.vip else 32
        self.node.machine.run(
            ["ip", "address", "del", f"{self.vip}/{length}", "dev", device], check=False
        )

    def heal(self, around: Surroundings) -> None:
        pass


@dataclass(frozen=True)
class Weigh(Fault[DirectorNode]):
    """Somebody gives a real server another weight by hand, if it is in the table: ``ipvsadm -e ...
    -w 0``.
    """

    service: VirtualService
    server: RealServerNode
    weight: int

    def inject(self, around: Surroundings) -> None:
        self._weigh(self.weight)

    def heal(self, around: Surroundings) -> None:
        self._weigh(self.node.destination(self.service, self.server).weight)

    def _weigh(self, weight: int) -> None:
        destination = self.node.destination(self.service, self.server)
        words = [
            *ipvsadm.service(self.service),
            *ipvsadm.server(self.service, destination),
            "-w",
            str(weight),
        ]
        self.node.machine.run(["ipvsadm", "-e", *words], check=False)


@dataclass(frozen=True)
class Ask(Fault[ClientNode]):
    """A client that is new on the LAN asks for the page of a service, ``rate`` times a second,
    until that is taken back.
    """

    cluster: Cluster = field(repr=False, compare=False)
    service: VirtualService
    rate: float
    _running: list[Load] = field(default_factory=list, repr=False, compare=False)

    def inject(self, around: Surroundings) -> None:
        self.node.machine.run(["ip", "neighbour", "flush", "to", self.service.vip], check=False)
        recorder, target = self.cluster.recorder, self.node.target(self.service)
        self._running.append(recorder.load(self.node.machine, target, self.rate))

    def heal(self, around: Surroundings) -> None:
        self.cluster.recorder.end_load(self._running.pop())


AGAIN = 0.05
"""Seconds after which a child that was started again dies again."""


@dataclass(frozen=True)
class CrashVrrp(Fault[DirectorNode]):
    """keepalived's VRRP child dies by SIGKILL, if it runs, so many ``times``; its parent starts
    another.
    """

    cluster: Cluster = field(repr=False, compare=False)
    times: int
    file: ClassVar[str] = "/run/vrrp.pid"

    def inject(self, around: Surroundings) -> None:
        for number in range(self.times):
            if number:
                self.cluster.timeline.let_pass(AGAIN)
            with contextlib.suppress(OSError, ValueError):  # it is just being started again
                self.node.machine.kill(int(self.node.machine.read(self.file)), signal.SIGKILL)

    def heal(self, around: Surroundings) -> None:
        pass


class CrashCheckers(CrashVrrp):
    """keepalived's checking child dies by SIGKILL, if it runs; its parent starts another."""

    file: ClassVar[str] = "/run/checkers.pid"


def service_named(nodes: list[DirectorNode], name: str) -> VirtualService:
    """The service of a name. HarnessError if no director has it."""
    for director in nodes:
        for service in director.role.services:
            if service.name == name:
                return service
    raise HarnessError(f"no director has a service {name}")
