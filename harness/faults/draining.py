"""Draining: what an operator does to a real server before maintenance."""

from __future__ import annotations

from dataclasses import dataclass

from harness.daemons import ipvsadm
from harness.faults.fault import Fault, Surroundings
from harness.nodes import DirectorNode, RealServerNode
from harness.topology import VirtualService


@dataclass(frozen=True)
class Drain(Fault[DirectorNode]):
    """A director gives ``server`` the weight 0 in ``service``: ``ipvsadm -e ... -w 0``."""

    service: VirtualService
    server: RealServerNode

    def inject(self, around: Surroundings) -> None:
        self._weigh(0)

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
        self.node.machine.run(["ipvsadm", "-e", *words])
