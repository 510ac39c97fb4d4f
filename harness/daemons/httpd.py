"""Apache httpd on a real server, with only the modules and workers that a test needs."""

from __future__ import annotations

import re

from harness.daemons.daemon import Daemon
from harness.lab.machine import Machine

CONFIG = "/etc/apache2/apache2.conf"
DOCUMENT_ROOT = "/var/www/html"
LARGE = "large"
"""A page of :data:`LARGE_SIZE` bytes, many times what one packet carries."""
LARGE_SIZE = 100_000

HTTPD = Daemon(
    name="httpd",
    argv=("apache2", "-D", "FOREGROUND"),
    ready=re.compile(r"resuming normal operations"),
    failed=re.compile(r"AH000(15|72|16)|Syntax error|unable to"),
    package="apache2",
)

# Processes instead of threads: threads that wait for each other by spinning wait for ever where CPU work takes no time.
_TEXT = """\
ServerName {name}
ServerRoot /etc/apache2
DefaultRuntimeDir /run/apache2
PidFile /run/apache2/apache2.pid
ErrorLog /proc/self/fd/2
LogLevel notice
User www-data
Group www-data
{listen}
LoadModule mpm_prefork_module /usr/lib/apache2/modules/mod_mpm_prefork.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule dir_module /usr/lib/apache2/modules/mod_dir.so
StartServers {workers}
MinSpareServers 1
MaxSpareServers {most}
MaxRequestWorkers {most}
KeepAlive Off
DocumentRoot {root}
DirectoryIndex index.html
"""


def prepare(machine: Machine, page: str, ports: list[int], workers: int) -> None:
    """Write configuration and page, ``page`` answered on every one of ``ports`` by ``workers`` processes or more."""
    listen = "\n".join(f"Listen {port}" for port in sorted(set(ports)))
    machine.write(
        CONFIG,
        _TEXT.format(name=machine.name, listen=listen, root=DOCUMENT_ROOT, workers=workers, most=max(8, workers)),
    )
    machine.write(f"{DOCUMENT_ROOT}/index.html", page + "\n")
    machine.write(f"{DOCUMENT_ROOT}/{LARGE}", (page + "\n").ljust(LARGE_SIZE, "."))
    machine.write("/run/apache2/.made", "")
