"""FRRouting's vrrpd, and zebra, by which it knows and changes interfaces."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from harness.clock import Window
from harness.daemons.daemon import Daemon
from harness.daemons.speaker import Holding
from harness.events import State
from harness.frr import config, says, timers
from harness.images.image import Image
from harness.lab.hosts import InterfacePlan
from harness.lab.machine import Machine
from harness.topology.vrrp import VrrpInstance

CONFIG = "/etc/frr/vrrpd.conf"
FOLDER = "/usr/lib/frr"
_RUNNING = "/run/frr"
_LOG = ("--log", "stdout", "--log-level", "informational")


def _daemon(name: str, *options: str, first: bool) -> Daemon:
    """One of FRR's daemons, in the foreground; all say alike that they serve (``lib/libfrr.c``,
    ``frr_run``).
    """
    return Daemon(
        name=name,
        argv=(f"{FOLDER}/{name}", *_LOG, "-A", "127.0.0.1", *options),
        ready=re.compile(r" starting: vty@"),
        failed=re.compile(r"[Ff]ailed"),
        package="frr",
        first=first,
    )


MGMTD = _daemon("mgmtd", first=True)
ZEBRA = _daemon("zebra", first=True)
VRRPD = _daemon("vrrpd", "-f", CONFIG, first=False)


class Frr:
    """A director whose VRRP is vrrpd's. Its addresses are on a macvlan for each instance, which
    zebra has lose its carrier (``protodown``) while vrrpd is not master.
    """

    config_file = CONFIG
    holding: Holding = "carrier"

    def daemons(self, image: Image) -> tuple[Daemon, ...]:
        """Since FRR 9 zebra reports to mgmtd, and without that tries again each hundredth of a
        second.
        """
        return (VRRPD, ZEBRA) if image.program(MGMTD.argv[0]) is None else (VRRPD, MGMTD, ZEBRA)

    def prepare(self, machine: Machine, instances: Sequence[VrrpInstance]) -> None:
        """Make the macvlans, and the folder of its sockets, as its own init script does."""
        machine.run(["install", "-d", "-o", "frr", "-g", "frr", "-m", "755", _RUNNING])
        for instance in instances:
            wired = machine.plan.interface(instance.interface)
            for argv in config.commands(instance, wired.mac, _prefix(wired, instance.family)):
                machine.run(argv)

    def entered(self, line: str, instances: Sequence[VrrpInstance]) -> tuple[str, State] | None:
        return says.entered(line, instances)

    def device_of(self, instance: VrrpInstance, vip: str) -> str:
        return config.device(instance)

    def hardware_address(self, instance: VrrpInstance, own: str) -> str:
        return config.hardware_address(instance)

    def due(
        self, window: Window, instance: VrrpInstance, master_advert_int: float | None
    ) -> Window:
        return timers.rounded(window, instance, master_advert_int)

    def ask_counters(self, machine: Machine, instance: VrrpInstance) -> None:
        pass

    def counters(self, machine: Machine, instance: VrrpInstance) -> dict[str, int]:
        told = status(machine, instance).get("stats")
        return (
            {name: count for name, count in told.items() if isinstance(count, int)} if told else {}
        )


def status(machine: Machine, instance: VrrpInstance) -> dict[str, Any]:
    """What vrrpd tells of an instance when it is asked: ``show vrrp json``, by its own names."""
    return says.parse(
        machine.run(["vtysh", "-d", "vrrpd", "-c", "show vrrp json"]).stdout, instance
    )


def _prefix(wired: InterfacePlan, family: int) -> int:
    """The length of the LAN's prefix, in bits; 64 where the LAN has no IPv6 subnet but link-local
    addresses.
    """
    lengths = [
        address.network.prefixlen for address in wired.addresses if address.version == family
    ]
    return lengths[0] if lengths else 64
