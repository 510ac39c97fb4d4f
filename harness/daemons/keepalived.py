"""keepalived: the VRRP and health-checking daemon of a director."""

from __future__ import annotations

import re

from harness.daemons.daemon import Daemon
from harness.errors import HarnessError
from harness.lab.machine import Machine

CONFIG = "/etc/keepalived/keepalived.conf"
DOWN = "/etc/keepalived/down"

KEEPALIVED = Daemon(
    name="keepalived",
    argv=("keepalived", "-n", "-l", "-D"),
    ready=re.compile(r"Starting VRRP child process|Starting Healthcheck child process"),
    failed=re.compile(r"CONFIG ERROR|terminate|exited with"),
    package="keepalived",
)
TABLE_CHANGED = re.compile(r"real server|virtual server|service|Adding|Removing|Enabling|Disabling|quorum|weight", re.I)
ENTERED = re.compile(r"\((?P<instance>[^)]+)\) Entering (?P<state>MASTER|BACKUP|FAULT) STATE")


def check_config(machine: Machine, origin: str) -> None:
    """Let keepalived itself read its configuration; raises HarnessError with its complaints and their lines.

    Old versions exit with 0 in spite of errors (2.1.5), so their words count as well; ``origin`` names the file.
    """
    result = machine.run(["keepalived", "-t", "-l", "-f", CONFIG], check=False)
    lines = [line.strip() for line in result.stdout.splitlines() if line.strip()]
    complaints = [re.sub(r"^\w{3} \w{3} [\d: ]+\d{4}: ", "", line) for line in lines]
    if result.returncode in (0, 5) and not any("(Line" in line for line in complaints):  # 5: script security, no error
        return
    shown = "; ".join(line for line in complaints if not line.startswith(("Starting", "Running", "Command")))
    raise HarnessError(f"{machine.name}: keepalived rejects {origin}: {shown or f'exit status {result.returncode}'}")
