"""Stand-ins for the programs that a director's health scripts look for: a process of that name, a
port that answers.

A process is a copy of ``sleep`` under another name, so that killall, pidof and pgrep find it by
whatever they compare: the name, the first argument or the program file.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable
from pathlib import Path

from harness.daemons import httpd
from harness.daemons.daemon import Daemon
from harness.lab.machine import Machine
from harness.topology.local import LocalService

FOLDER = "/usr/local/sbin"
"""Where a stand-in is whose script gives no path."""
TOOLS = {
    "systemctl": "/usr/bin/systemctl",
    "service": "/usr/sbin/service",
    "init script": "/etc/init.d/keepalived",
}
"""Programs that ask an init system, which machines do not have: they are told by the processes
instead.
"""

PIDOF = ("/usr/bin/pidof", "/bin/pidof", "/usr/sbin/pidof", "/sbin/pidof")
"""Debian has pidof as a link to killall5. keepalived resolves links and gives a script's program
the resolved name (2.2.7, measured: ``execve("/usr/sbin/killall5", ["/usr/sbin/killall5",
"nginx"])``), under which it is not pidof.
"""

_SLEEP = "/bin/sleep"
_NEVER = re.compile(r"(?!)")
_ANSWER = "ok\n"


def daemons(services: Iterable[LocalService]) -> tuple[Daemon, ...]:
    """What has to run for these services: one for each process, and one httpd for all ports."""
    wanted = list(services)
    found = {service.name: _daemon(service) for service in wanted if service.process is not None}
    if any(service.port is not None for service in wanted):
        found[httpd.HTTPD.name] = httpd.HTTPD
    return tuple(found.values())


def daemon_of(service: LocalService) -> Daemon:
    """What runs for one service."""
    return _daemon(service) if service.process is not None else httpd.HTTPD


def _daemon(service: LocalService) -> Daemon:
    return Daemon(service.name, (_place(service), "infinity"), None, _NEVER, "coreutils")


def _place(service: LocalService) -> str:
    process = service.process or ""
    return process if process.startswith("/") else f"{FOLDER}/{process}"


def prepare(machine: Machine, services: Iterable[LocalService]) -> None:
    """Put the stand-ins in place, on a director that has just been switched on."""
    wanted = list(services)
    for service in wanted:
        if service.process is not None:
            put(machine, service)
    ports = [service for service in wanted if service.port is not None]
    if ports:
        numbers = [service.port for service in ports if service.port is not None]
        tls = {service.port for service in ports if service.tls and service.port is not None}
        pages = {_page(service.path): _ANSWER for service in ports}
        httpd.prepare(machine, _ANSWER.strip(), numbers, tls, 2, pages, {})
    if wanted:
        script = (Path(__file__).parent / "systemctl.sh").read_bytes()
        for tool in TOOLS.values():
            machine.write(tool, script, 0o755)


def put(machine: Machine, service: LocalService) -> None:
    """Put the stand-in for a process in place."""
    with machine.open(_SLEEP) as program:
        machine.write(_place(service), program.read(), 0o755)


def unlink_pidof(machine: Machine) -> None:
    """Make pidof a program of its own, as most distributions have it."""
    for place in PIDOF:
        with contextlib.suppress(FileNotFoundError):
            with machine.open(place) as program:
                content = program.read()
            machine.remove(place)
            machine.write(place, content, 0o755)


def _page(path: str) -> str:
    return path + "index.html" if path.endswith("/") else path
