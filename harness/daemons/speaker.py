"""What a daemon must have to make a machine a director: the little that tells one VRRP
implementation from another.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Protocol

from harness.clock import Window
from harness.daemons.daemon import Daemon
from harness.events import State
from harness.images.image import Image
from harness.lab.machine import Machine
from harness.topology.vrrp import VrrpInstance

Holding = Literal["address", "carrier"]
"""How a director holds a VIP: ``address``, the address is there or not; ``carrier``, it always is,
on an interface that has its carrier while the director is master.
"""


class Speaker(Protocol):
    """A VRRP implementation. ``config_file`` is where its configuration is read.

    A further one is added to ``IMPLEMENTATIONS`` of :mod:`harness.nodes.claimant` and to
    ``SPEAKERS`` of :mod:`harness.topology.machines`.
    """

    config_file: str
    holding: Holding

    def daemons(self, image: Image) -> tuple[Daemon, ...]:
        """What it runs on a machine with the files of ``image``: first the daemon that speaks VRRP,
        which is started last, then the others, each after those that it needs.
        """

    def prepare(self, machine: Machine, instances: Sequence[VrrpInstance]) -> None:
        """Make what it wants to find on a machine, before its configuration is written and it is
        started.
        """

    def entered(self, line: str, instances: Sequence[VrrpInstance]) -> tuple[str, State] | None:
        """The instance that a line of its log says has changed its state, and the state; None if it
        says no such.
        """

    def device_of(self, instance: VrrpInstance, vip: str) -> str:
        """The interface on which it holds a VIP."""

    def hardware_address(self, instance: VrrpInstance, own: str) -> str:
        """At which hardware address it answers for its VIPs; ``own`` is the interface's."""

    def due(
        self, window: Window, instance: VrrpInstance, master_advert_int: float | None
    ) -> Window:
        """When it does what the RFCs have a router do in a window that has the skew in it."""

    def ask_counters(self, machine: Machine, instance: VrrpInstance) -> None:
        """Have it write its counters, if it has to be told beforehand."""

    def counters(self, machine: Machine, instance: VrrpInstance) -> dict[str, int]:
        """Its own counters of an instance, by its own names. Raises HarnessError if it has told
        none.
        """
