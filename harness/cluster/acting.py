"""What is done to a cluster: faults injected and healed, requests sent, questions asked."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator

from harness.clock import Instant
from harness.cluster.waiting import Waiting
from harness.daemons.nodes import Node
from harness.faults.fault import Fault
from harness.observers import protocols
from harness.observers.client import Load
from harness.timeline import Event


class Acting(Waiting):
    """Acts, and records what it does."""

    @contextlib.contextmanager
    def suffering(self, fault: Fault[Node]) -> Iterator[Instant]:
        """Inject a fault, give the instant just before it, and heal it at the end whatever happens."""
        struck = self.inject(fault)
        try:
            yield struck
        finally:
            self.heal(fault)

    def inject(self, fault: Fault[Node]) -> Instant:
        """Inject a fault; returns the instant just before."""
        struck = self.timeline.record(fault.node.name, "fault", name=fault.name, action="injected").at
        self._suffered.append(fault)
        fault.inject(self._around)
        return struck

    def heal(self, fault: Fault[Node]) -> Instant:
        """Heal a fault; returns the instant just before."""
        healed = self.timeline.record(fault.node.name, "fault", name=fault.name, action="healed").at
        fault.heal(self._around)
        self._suffered = [other for other in self._suffered if other != fault]
        return healed

    @contextlib.contextmanager
    def load(self, rate: float = 20.0, path: str = "/") -> Iterator[Load]:
        """Have the client send ``rate`` requests a second to the first service's VIP meanwhile."""
        load = self.recorder.load(self.client.machine, (self.vip, self.service.port), rate, path)
        try:
            yield load
        finally:
            self.recorder.end_load(load)

    def fetch(self, count: int) -> list[Event]:
        """Send ``count`` requests to the first service, one after the other; returns their events."""
        target = (self.vip, self.service.port)
        return [self.recorder.fetch(self.client.machine, target) for _ in range(count)]

    def ask_arp(self, asker: Node, address: str, count: int) -> list[Event]:
        """Broadcast ``count`` ARP questions for an address; returns the answers, as they left the machines."""
        began = self.timeline.now()
        with asker.machine.inside(), socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as wire:
            wire.bind((asker.plan.interface().name, 0))
            for _ in range(count):
                wire.send(protocols.arp_question(asker.mac, asker.ip, address))
        self.timeline.let_pass(self.slack)
        answers = self.timeline.events("arp", since=began, sent=True, operation="reply", sender=address)
        return [answer for answer in answers if answer.target == asker.ip]

    def speak_first(self, speaker: Node, source: str, to: Node) -> None:
        """Have a machine that does not know ``to`` send it a datagram from one of its own addresses."""
        speaker.machine.run(["ip", "neighbour", "flush", "all"])
        with speaker.machine.inside(), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as talk:
            talk.bind((source, 0))
            talk.sendto(b"", (to.ip, 9))
        self.timeline.let_pass(self.slack)
