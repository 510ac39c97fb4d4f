"""Phantom routers: a machine without any daemon that says what it is told to say as a VRRP
speaker.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass, field
from typing import Any

from harness.clock import Instant
from harness.daemons.advertisements import Advertisement
from harness.nodes.node import Node
from harness.topology import PhantomRouter


@dataclass(frozen=True)
class Advertise:
    """Say ``times`` times, ``every`` so many seconds, what is right but for the fields in
    ``lies``.
    """

    times: int = 1
    every: float = 1.0
    lies: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Silence:
    """Say nothing for so many seconds."""

    seconds: float


@dataclass(frozen=True)
class Resign:
    """Say once, with priority 0, that it is master no longer (RFC 3768 and RFC 9568 section
    6.4.3).
    """


Step = Advertise | Silence | Resign


class PhantomNode(Node):
    """Runs nothing. Its advertisements are right but for what the caller says."""

    @property
    def role(self) -> PhantomRouter:
        """What the topology says of it."""
        assert isinstance(self.plan.role, PhantomRouter)
        return self.plan.role

    @property
    def source(self) -> str:
        """The address that it sends from: of its own family's, for IPv6 the link-local one of its
        interface.
        """
        if ":" not in self.role.vrrp.vips[0]:
            return self.ip
        # RFC 4291 appendix A: modified EUI-64
        parts = [int(part, 16) for part in self.mac.split(":")]
        parts[0] ^= 2
        middle = [*parts[:3], 0xFF, 0xFE, *parts[3:]]
        words = [f"{middle[at] << 8 | middle[at + 1]:x}" for at in range(0, 8, 2)]
        return "fe80::" + ":".join(words)

    def prepare(self) -> None:
        """Import what packets are made with now: in a scenario that would take a while, and how
        long depends on what was imported before.
        """
        super().prepare()
        bytes(self.advertisement().packet())

    def advertisement(self, **lies: Any) -> Advertisement:
        """The advertisement that it would send, with other values in the fields ``lies``."""
        right = Advertisement.of(self.role.vrrp, self.source)
        return right if self.role.truthful else right.replace(**lies)

    def advertise(self, **lies: Any) -> Advertisement:
        """Send one advertisement, with other values in the fields ``lies``; returns it."""
        said = self.advertisement(**lies)
        self.send(said.packet())
        return said

    def play(self, *script: Step) -> Instant:
        """Advertise by a script, step by step; returns the instant of the last advertisement."""
        timeline = self.context.timeline
        said = timeline.now()
        for step in script:
            if isinstance(step, Silence):
                timeline.let_pass(step.seconds)
                continue
            times, every, lies = (
                (1, 0.0, {"priority": 0}) if isinstance(step, Resign) else astuple(step)
            )
            for number in range(times):
                if number:
                    timeline.let_pass(every)
                said = timeline.now()
                self.advertise(**lies)
        return said
