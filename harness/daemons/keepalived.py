"""keepalived: the VRRP and health-checking daemon of a director."""

from __future__ import annotations

import contextlib
import re
import signal
from collections.abc import Iterable, Sequence
from typing import Final

from harness.clock import Window
from harness.daemons.daemon import Daemon
from harness.daemons.speaker import Holding
from harness.errors import HarnessError
from harness.events import State
from harness.images.image import Image
from harness.keepalived import statistics
from harness.kernels.host.watchdog import PROCESSOR_LIMIT
from harness.lab.machine import Machine
from harness.topology.machines import KEEPALIVED_CONF
from harness.topology.vrrp import VrrpInstance

CONFIG = KEEPALIVED_CONF
DOWN = "/etc/keepalived/down"
VRRP_PID_FILE = "/run/vrrp.pid"
STATISTICS = "/tmp/keepalived.stats"
"""What a SIGUSR2 makes it write (keepalived(8), SIGNALS)."""

KEEPALIVED = Daemon(
    name="keepalived",
    # -f, for builds of the user's own have other defaults
    argv=("keepalived", "-n", "-l", "-D", "-f", CONFIG),
    ready=re.compile(r"Starting VRRP child process|Starting Healthcheck child process"),
    failed=re.compile(r"CONFIG ERROR|terminate|exited with"),
    package="keepalived",
)
TABLE_CHANGED = re.compile(
    r"real server|virtual server|service|Adding|Removing|Enabling"
    r"|Disabling|quorum|weight",
    re.I,
)
_STAMP = re.compile(r"^\w{3} \w{3} [\d: ]+\d{4}: ")
_UNNAMED = re.compile(r"^\(Line (?=\d+\))")
"""The file that keepalived was given it does not name when it reads it for the first time
(``lib/parser.c``, ``current_file_name``).
"""
_PLACE = re.compile(r"\bLine \d+\)")
_HARMLESS = re.compile(r"^(Starting|Running|Command) |SECURITY VIOLATION|keepalived_script")
CHECKING = re.compile(r"Activating healthchecker for ")
CRASHED = re.compile(r"exited due to ")
_ENTERED = re.compile(r"\((?P<instance>.+)\):? entering (?P<state>MASTER|BACKUP|FAULT) state", re.I)
_STATES: Final[dict[str, State]] = {"MASTER": "MASTER", "BACKUP": "BACKUP", "FAULT": "FAULT"}


def entered(line: str) -> tuple[str, State] | None:
    """The instance that a line of the log says has changed its state, and that state; None if it
    says no such thing.

    At the start the word for FAULT is "entering FAULT state", and else "Entering FAULT STATE"
    (``vrrp.c``).
    """
    found = _ENTERED.search(line)
    return None if found is None else (found["instance"], _STATES[found["state"].upper()])


_UNENDED = ("sh", "-c", 'trap "" TERM; exec "$@"', "sh")
"""Before 2.2.8 ``keepalived -t`` ends itself by SIGTERM, without a word, where a script runs as
another user than root (``check_script_secure`` of lib/notify.c took its parent for one that had
died).
"""


def complaints(machine: Machine, origin: str) -> tuple[int, list[str]]:
    """What ``keepalived -t`` says against a machine's configuration, with lines of ``origin``; and
    its exit status.

    Raises HarnessError if it does not end reading it, or crashes.
    """
    result = machine.run(
        [*_UNENDED, "keepalived", "-t", "-l", "-f", CONFIG], check=False, processor=PROCESSOR_LIMIT
    )
    if result.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
        raise HarnessError(
            f"{machine.name}: keepalived does not end reading {origin}: it computed for"
            f" {PROCESSOR_LIMIT} s and was"
            " ended, so it would never run with it"
        )
    lines = [
        _UNNAMED.sub(f"({CONFIG}: Line ", _STAMP.sub("", line.strip())).replace(CONFIG, origin)
        for line in result.stdout.splitlines()
    ]
    said = [line for line in dict.fromkeys(lines) if line and not _HARMLESS.search(line)]
    if result.returncode < 0:
        why = f"; what it says before: {'; '.join(said)}" if said else ""
        raise HarnessError(
            f"{machine.name}: keepalived crashes reading {origin}"
            f" ({signal.Signals(-result.returncode).name}){why}"
        )
    return result.returncode, said


def name_places(lines: Iterable[str]) -> bool:
    """Whether complaints say where in a file something is wrong, which no mere warning does."""
    return any(_PLACE.search(line) for line in lines)


def check_config(machine: Machine, origin: str) -> None:
    """Let keepalived itself read its configuration; raises HarnessError with its complaints and
    their lines.

    Old versions exit with 0 in spite of errors (2.1.5), and the statuses have changed their
    meanings since, so its words decide; scripts that are not secure are no error. ``origin`` names
    the file.
    """
    status, lines = complaints(machine, origin)
    if lines and (status or name_places(lines)):
        raise HarnessError(f"{machine.name}: keepalived rejects {origin}: {'; '.join(lines)}")


class Keepalived:
    """A director whose VRRP is keepalived's, which sets the VIPs on the interface itself, or takes
    them away.
    """

    config_file = CONFIG
    holding: Holding = "address"

    def daemons(self, image: Image) -> tuple[Daemon, ...]:
        return (KEEPALIVED,)

    def prepare(self, machine: Machine, instances: Sequence[VrrpInstance]) -> None:
        pass

    def entered(self, line: str, instances: Sequence[VrrpInstance]) -> tuple[str, State] | None:
        return entered(line)

    def device_of(self, instance: VrrpInstance, vip: str) -> str:
        return instance.device_of(vip)

    def hardware_address(self, instance: VrrpInstance, own: str) -> str:
        return own

    def due(
        self, window: Window, instance: VrrpInstance, master_advert_int: float | None
    ) -> Window:
        return window

    def ask_counters(self, machine: Machine, instance: VrrpInstance) -> None:
        with contextlib.suppress(FileNotFoundError):
            machine.remove(STATISTICS)
        machine.kill(int(machine.read(VRRP_PID_FILE)), signal.SIGUSR2)

    def counters(self, machine: Machine, instance: VrrpInstance) -> dict[str, int]:
        try:
            return statistics.parse(machine.read(STATISTICS))[instance.name]
        except FileNotFoundError:
            raise HarnessError(
                f"{machine.name}: its keepalived has written no {STATISTICS}"
            ) from None
