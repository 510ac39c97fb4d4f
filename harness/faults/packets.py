"""Packets: frames that are lost, late or out of order on the way to or from one machine, all or
some of them.

The carrier stays up and the switch goes on learning, so no daemon is told. What a machine sends is
on the timeline before it is lost on arrival at another; what is lost as it leaves is never seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from harness.faults.fault import Fault, Surroundings
from harness.lab.impairment import Impairment
from harness.nodes import Node

_ALL_LOST = Impairment(loss=1)
_ADVERTISEMENTS_LOST = Impairment(loss=1, only="advertisements")
_ARP_LOST = Impairment(loss=1, only="ARP")


@dataclass(frozen=True)
class Impaired(Fault[Node]):
    """What ``arriving`` frames suffer, or else those that leave. At most one such fault each way at
    a time.
    """

    in_office: ClassVar[bool] = True
    cuts: ClassVar[bool] = True
    impairment: Impairment = _ALL_LOST
    arriving: bool = True

    def inject(self, around: Surroundings) -> None:
        around.lab.impair(self.node.name, self.impairment, arriving=self.arriving)

    def heal(self, around: Surroundings) -> None:
        around.lab.impair(self.node.name, None, arriving=self.arriving)


@dataclass(frozen=True)
class Mute(Impaired):
    """Nothing that the machine sends arrives anywhere, and it hears everything: one-way loss."""

    arriving: bool = False


@dataclass(frozen=True)
class Deaf(Impaired):
    """Nothing arrives at the machine, and everybody hears it: one-way loss of the other way."""


@dataclass(frozen=True)
class DropAdvertisements(Impaired):
    """VRRP alone does not arrive at the machine, or does not leave it: a firewall, or a switch
    without multicast.
    """

    impairment: Impairment = _ADVERTISEMENTS_LOST


@dataclass(frozen=True)
class DropArp(Impaired):
    """ARP alone does not arrive at the machine, or does not leave it."""

    impairment: Impairment = _ARP_LOST
