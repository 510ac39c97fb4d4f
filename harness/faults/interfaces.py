"""Interfaces that change below running daemons: deleted and made again, renamed, without their
address, another MTU.

That is what a driver's restart, udev, NetworkManager, systemd-networkd and DHCP clients do to
machines.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from harness.errors import HarnessError
from harness.faults.fault import Fault, Surroundings
from harness.keepalived.timers import Symptom
from harness.lab import devices
from harness.nodes import Node

_RENAMING = 0.001
"""Seconds for which an interface is down while it is renamed. A keepalived that hears of that only
once the interface is up again can resign by it.
"""


@dataclass(frozen=True)
class InterfaceFault(Fault[Node]):
    """What befalls one ``interface`` of a machine, by default the one that has the machine's own
    address.
    """

    symptom: ClassVar[Symptom] = Symptom.BLACK_HOLE
    cuts: ClassVar[bool] = True
    interface: str | None = None

    def __post_init__(self) -> None:
        if self.interface is not None and self.interface not in self.node.plan.devices:
            there = ", ".join(self.node.plan.devices)
            raise HarnessError(
                f"{self.name}: {self.node.name} has no interface {self.interface}; it has {there}"
            )

    @property
    def device(self) -> str:
        """The interface."""
        return self.node.plan.main_device if self.interface is None else self.interface

    @property
    def name(self) -> str:
        return f"{type(self).__name__} {self.device}"

    def _ip(self, *words: str) -> None:
        self.node.machine.run(["ip", *words])


@dataclass(frozen=True)
class DeleteInterface(InterfaceFault):
    """The interface is gone, with what is on it; healed, it is made again as it was, under another
    number.
    """

    def inject(self, around: Surroundings) -> None:
        if used := [each.name for each in self.node.plan.role.links if self.device in each.parts]:
            raise HarnessError(
                f"{self.name}: {used[0]} of {self.node.name} is made of it; delete that instead"
            )
        self._ip("link", "delete", self.device)

    def heal(self, around: Surroundings) -> None:
        made = {device.name: device for device in self.node.plan.role.links}
        if self.device in made:
            devices.make_one(self.node.machine, made[self.device])
        else:
            around.lab.wire_again(self.node.name, self.device)
        devices.route(self.node.machine)


@dataclass(frozen=True)
class RenameInterface(InterfaceFault):
    """The interface has another name ``to``, as after udev's late rules: down, renamed, up
    again.
    """

    to: str = "renamed0"

    def inject(self, around: Surroundings) -> None:
        self._rename(self.device, self.to)

    def heal(self, around: Surroundings) -> None:
        self._rename(self.to, self.device)

    def _rename(self, before: str, after: str) -> None:
        self._ip("link", "set", before, "down")
        self.node.context.timeline.let_pass(_RENAMING)
        self._ip("link", "set", before, "name", after)
        self._ip("link", "set", after, "up")
        devices.route(self.node.machine)


@dataclass(frozen=True)
class LoseAddress(InterfaceFault):
    """The interface loses an ``address`` (None: the machine's own): a lease that ended, or a VIP
    that systemd-networkd takes for foreign. Healed, the machine's own one is back; a VIP is its
    daemon's affair.
    """

    cuts: ClassVar[bool] = False
    address: str | None = None

    @property
    def _own(self) -> bool:
        return self.address in (None, self.node.ip)

    @property
    def _prefixed(self) -> str:
        if self._own:
            return str(self.node.plan.interface().address)
        return f"{self.address}/{128 if ':' in str(self.address) else 32}"

    def inject(self, around: Surroundings) -> None:
        self._ip("address", "del", self._prefixed, "dev", self.device)

    def heal(self, around: Surroundings) -> None:
        if self._own:
            self._ip("address", "replace", self._prefixed, "dev", self.device)
            devices.route(self.node.machine)


@dataclass(frozen=True)
class ChangeMtu(InterfaceFault):
    """The interface takes packets of ``mtu`` bytes at most; healed, of 1500 again."""

    symptom: ClassVar[Symptom] = Symptom.SILENT
    cuts: ClassVar[bool] = False
    in_office: ClassVar[bool] = True
    mtu: int = 1280

    def inject(self, around: Surroundings) -> None:
        self._ip("link", "set", self.device, "mtu", str(self.mtu))

    def heal(self, around: Surroundings) -> None:
        self._ip("link", "set", self.device, "mtu", "1500")
