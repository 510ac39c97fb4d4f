"""Configuration: the switches that an operator turns, and the protection that one forgot."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

from harness.daemons.daemon import require
from harness.errors import HarnessError
from harness.faults.fault import Fault, Surroundings
from harness.nodes import DirectorNode, Node, RealServerNode
from harness.nodes.node import IPTABLES


class Maintenance(Fault[DirectorNode]):
    """The maintenance file ``down`` exists on a director."""

    def inject(self, around: Surroundings) -> None:
        self.node.open_maintenance()

    def heal(self, around: Surroundings) -> None:
        self.node.close_maintenance()


@dataclass(frozen=True)
class Reconfigure(Fault[DirectorNode]):
    """keepalived reloads its configuration, in which ``old``, that stood there once, has become
    ``new``, and so have the pairs in ``more``. With ``restart`` it is stopped and started instead,
    as a package's upgrade does it.
    """

    old: str
    new: str
    more: tuple[tuple[str, str], ...] = ()
    restart: bool = False

    def inject(self, around: Surroundings) -> None:
        self._configure(around, (self.old, self.new), *self.more)

    def heal(self, around: Surroundings) -> None:
        self._configure(around)

    def _configure(self, around: Surroundings, *edits: tuple[str, str]) -> None:
        if not self.restart:
            self.node.reread(*edits)
            return
        self.node.configure(*edits)
        self.node.stop()
        around.start(self.node)


@dataclass(frozen=True)
class Firewall(Fault[Node]):
    """A machine's firewall has one ``rule`` more, in iptables' own words: ``"-A INPUT -p udp
    --dport 53 -j DROP"``. It begins with ``-A``, after ``-t TABLE`` if it is not of the table
    ``filter``; healed, it is deleted.
    """

    rule: str

    def __post_init__(self) -> None:
        if "-A" not in shlex.split(self.rule):
            raise HarnessError(
                'Firewall: a rule is appended to a chain: "-A INPUT ... -j DROP", not'
                f" {self.rule!r}"
            )

    @property
    def name(self) -> str:
        return f"Firewall {self.rule}"

    def inject(self, around: Surroundings) -> None:
        require(IPTABLES, self.node.plan.image)
        self.node.machine.run([IPTABLES, *shlex.split(self.rule)])

    def heal(self, around: Surroundings) -> None:
        words = ["-D" if word == "-A" else word for word in shlex.split(self.rule)]
        self.node.machine.run([IPTABLES, *words])


class AcceptLocal(Fault[Node]):
    """The machine takes packets from the wire whose source is one of its own addresses
    (``accept_local=1``).
    """

    def inject(self, around: Surroundings) -> None:
        self._set("1")

    def heal(self, around: Surroundings) -> None:
        self._set("0")

    def _set(self, value: str) -> None:
        for interface in self.node.plan.interfaces:
            self.node.machine.write(f"/proc/sys/net/ipv4/conf/{interface.name}/accept_local", value)


class HintSource(Fault[DirectorNode]):
    """The holder of a VIP speaks to it from its DIP: the source that the route to this local
    address names.
    """

    def inject(self, around: Surroundings) -> None:
        self._route(self.node.ip)

    def heal(self, around: Surroundings) -> None:
        self._route(self.node.vrrp.vips[0])

    def _route(self, source: str) -> None:
        vip = self.node.vrrp.vips[0]
        interface = self.node.vrrp.device_of(vip)
        route = ["local", vip, "dev", interface, "src", source, "table", "local"]
        self.node.machine.run(["ip", "route", "replace", *route])


class ForgetVip(Fault[RealServerNode]):
    """A real server does not hold the VIP; healed, its script puts it on ``lo`` again."""

    def inject(self, around: Surroundings) -> None:
        for vip in dict.fromkeys(service.vip for service in self.node.role.serves):
            self.node.machine.run(["ip", "address", "del", f"{vip}/32", "dev", "lo"])

    def heal(self, around: Surroundings) -> None:
        self.node.protect(True)


class Unprotected(Fault[RealServerNode]):
    """A real server answers ARP for the VIP that it holds on ``lo``."""

    def inject(self, around: Surroundings) -> None:
        self.node.protect(False)

    def heal(self, around: Surroundings) -> None:
        self.node.protect(True)


@dataclass(frozen=True)
class HalfProtected(Fault[RealServerNode]):
    """A real server on which one of the two settings was forgotten: ``lacks`` is arp_ignore or
    arp_announce.
    """

    lacks: str

    def inject(self, around: Surroundings) -> None:
        for interface in ("all", "lo"):
            self.node.machine.write(f"/proc/sys/net/ipv4/conf/{interface}/{self.lacks}", "0")

    def heal(self, around: Surroundings) -> None:
        self.node.protect(True)
