"""Links: cables pulled, and machines that nothing reaches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from harness.errors import HarnessError
from harness.faults.fault import Fault, Surroundings
from harness.keepalived.timers import Symptom
from harness.lab.cuts import Cut as Lost
from harness.nodes import Node


@dataclass(frozen=True)
class Unplug(Fault[Node]):
    """The cable of one ``interface`` is pulled, or all cables are: the machine sees that it has no
    carrier.
    """

    cuts: ClassVar[bool] = True
    interface: str | None = None

    def inject(self, around: Surroundings) -> None:
        around.lab.unplug(self.node.name, self.interface)

    def heal(self, around: Surroundings) -> None:
        around.lab.plug(self.node.name, self.interface)


class BlackHole(Fault[Node]):
    """The switch silently drops all that goes to or comes from the machine, whose carrier stays
    up.
    """

    in_office: ClassVar[bool] = True
    symptom: ClassVar[Symptom] = Symptom.BLACK_HOLE
    cuts: ClassVar[bool] = True

    def inject(self, around: Surroundings) -> None:
        around.lab.block(self.node.name, True)

    def heal(self, around: Surroundings) -> None:
        around.lab.block(self.node.name, False)


@dataclass(frozen=True)
class Cut(Fault[Node]):
    """Two machines of one LAN do not hear each other, while both see their carrier and everybody
    else hears them.

    With ``both=False`` only what ``node`` sends to ``other`` is lost. ``protocol`` (TCP, UDP, ICMP,
    VRRP, IPIP or ARP) and ``port`` narrow it down: ``Cut(client, director, protocol="TCP",
    port=80)`` is a firewall on the way to a service. What others pass on for the machine, such as a
    director for its client, is not lost.
    """

    symptom: ClassVar[Symptom] = Symptom.BLACK_HOLE
    in_office: ClassVar[bool] = True
    cuts: ClassVar[bool] = True
    other: Node
    both: bool = True
    protocol: str | None = None
    port: int | None = None

    def __post_init__(self) -> None:
        if self.node.name == self.other.name:
            raise HarnessError(f"Cut: {self.node.name} cannot be cut off from itself")
        Lost(self.protocol, self.port)  # raises HarnessError for what cannot be

    @property
    def name(self) -> str:
        what = " ".join(str(each) for each in (self.protocol, self.port) if each is not None)
        way = "from" if self.both else "one way to"
        return f"Cut {way} {self.other.name}" + (f" ({what})" if what else "")

    @property
    def _what(self) -> Lost:
        return Lost(self.protocol, self.port)

    @property
    def _ways(self) -> list[tuple[str, str]]:
        there = (self.node.name, self.other.name)
        return [there, there[::-1]] if self.both else [there]

    def inject(self, around: Surroundings) -> None:
        for sender, receiver in self._ways:
            around.lab.cut(sender, receiver, self._what)

    def heal(self, around: Surroundings) -> None:
        for sender, receiver in self._ways:
            around.lab.mend_cut(sender, receiver, self._what)
