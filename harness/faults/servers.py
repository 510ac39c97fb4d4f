"""Real servers that are not well: stopped, hung, or answering what they should not, and the
firewalls before them.
"""

from __future__ import annotations

import signal
from dataclasses import dataclass
from typing import ClassVar

from harness.daemons import dnsmasq, httpd, mail
from harness.daemons.daemon import Daemon, require
from harness.daemons.firewall import FIREWALLS
from harness.faults.fault import Fault, Surroundings
from harness.keepalived.timers import Symptom
from harness.nodes import RealServerNode

_REQUEST = ("--protocol", "tcp", "--tcp-flags", "PSH", "PSH")


class StopHttpd(Fault[RealServerNode]):
    """httpd is gone, by SIGKILL: the machine refuses connections from this moment on, where an
    orderly end takes its time.
    """

    daemon: ClassVar[Daemon] = httpd.HTTPD

    def inject(self, around: Surroundings) -> None:
        self.node.kill(self.daemon)

    def heal(self, around: Surroundings) -> None:
        around.start(self.node)


class StopDnsmasq(StopHttpd):
    """dnsmasq is gone: the machine answers its datagrams with ICMP's "port unreachable"."""

    daemon: ClassVar[Daemon] = dnsmasq.DNSMASQ


class StopMail(StopHttpd):
    """The SMTP server is gone: the machine refuses connections."""

    daemon: ClassVar[Daemon] = mail.MAIL


class HangHttpd(Fault[RealServerNode]):
    """httpd and its workers are stopped by SIGSTOP: the kernel accepts connections, and nobody
    answers in them.
    """

    daemon: ClassVar[Daemon] = httpd.HTTPD
    symptom: ClassVar[Symptom] = Symptom.HUNG

    def inject(self, around: Surroundings) -> None:
        self.node.signal_all(signal.SIGSTOP, self.daemon)

    def heal(self, around: Surroundings) -> None:
        self.node.signal_all(signal.SIGCONT, self.daemon)


class HangDnsmasq(HangHttpd):
    """dnsmasq is stopped by SIGSTOP: the kernel takes datagrams, and nobody answers them."""

    daemon: ClassVar[Daemon] = dnsmasq.DNSMASQ


class HangMail(HangHttpd):
    """The SMTP server is stopped by SIGSTOP: the kernel accepts connections, and nobody greets."""

    daemon: ClassVar[Daemon] = mail.MAIL


@dataclass(frozen=True)
class RemovePage(Fault[RealServerNode]):
    """A page is gone: httpd answers with a wrong status code."""

    path: str = "/index.html"

    def inject(self, around: Surroundings) -> None:
        self.node.remove_page(self.path)

    def heal(self, around: Surroundings) -> None:
        self.node.put_page(self.path)


@dataclass(frozen=True)
class ChangePage(RemovePage):
    """A page is another one than it should be, with the same status code."""

    text: str = "under construction\n"

    def inject(self, around: Surroundings) -> None:
        self.node.put_page(self.path, self.text)


@dataclass(frozen=True)
class SlowPage(RemovePage):
    """A page comes so slowly that no checker may wait for all of it: it lies in httpd's folder
    whose pages trickle, and is as long as takes :data:`SLOW` seconds.
    """

    symptom: ClassVar[Symptom] = Symptom.SILENT
    path: str = f"/{httpd.TRICKLE}/page"

    def inject(self, around: Surroundings) -> None:
        self.node.put_page(self.path, "." * (SLOW * httpd.TRICKLE_RATE))


SLOW = 10
"""Seconds that a :class:`SlowPage` takes: twice what a checker waits by default."""


def _versions(node: RealServerNode) -> list[int]:
    """The versions of IP that a machine has addresses of."""
    addresses = [each for wired in node.plan.interfaces for each in wired.addresses]
    return sorted({each.version for each in addresses})


class Filtered(Fault[RealServerNode]):
    """A firewall on the machine does ``rule`` (iptables-extensions(8)) to what arrives, by each
    version of IP that the machine has addresses of.
    """

    rule: ClassVar[tuple[str, ...]]

    def inject(self, around: Surroundings) -> None:
        for version in _versions(self.node):
            require(FIREWALLS[version], self.node.plan.image)
        self._each("--append")

    def heal(self, around: Surroundings) -> None:
        self._each("--delete")

    def _each(self, command: str) -> None:
        for version in _versions(self.node):
            self.node.machine.run([FIREWALLS[version], command, "INPUT", *self.rule])


class ResetRequests(Filtered):
    """Connections are accepted, and reset as soon as a request comes: a proxy that has lost what is
    behind it.
    """

    rule: ClassVar[tuple[str, ...]] = (*_REQUEST, "--jump", "REJECT", "--reject-with", "tcp-reset")


class HalfOpen(Filtered):
    """Connections are accepted, and what comes in them is neither acknowledged nor answered."""

    rule: ClassVar[tuple[str, ...]] = (*_REQUEST, "--jump", "DROP")
    symptom: ClassVar[Symptom] = Symptom.HALF_OPEN


class DropUdp(Filtered):
    """Datagrams are dropped without a word."""

    rule: ClassVar[tuple[str, ...]] = ("--protocol", "udp", "--jump", "DROP")
    symptom: ClassVar[Symptom] = Symptom.SILENT


class DropTcp(Filtered):
    """Connections are dropped without a word: what a firewall does to a port that is not open."""

    rule: ClassVar[tuple[str, ...]] = ("--protocol", "tcp", "--jump", "DROP")
    symptom: ClassVar[Symptom] = Symptom.BLACK_HOLE
    cuts: ClassVar[bool] = True


class IgnoreEcho(Fault[RealServerNode]):
    """The machine does not answer echo requests (``net.ipv4.icmp_echo_ignore_all``, and the same of
    IPv6).
    """

    symptom: ClassVar[Symptom] = Symptom.SILENT

    def inject(self, around: Surroundings) -> None:
        self._ignore(1)

    def heal(self, around: Surroundings) -> None:
        self._ignore(0)

    def _ignore(self, ignored: int) -> None:
        places = {4: "ipv4/icmp_echo_ignore_all", 6: "ipv6/icmp/echo_ignore_all"}
        for version in _versions(self.node):
            self.node.machine.write(f"/proc/sys/net/{places[version]}", f"{ignored}\n")
