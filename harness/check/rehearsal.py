"""Running each tracked script once where nothing is broken, to see which of them fail all by themselves.

What a script needs may not be on the machines here: a database, a client program, the internet. A cluster whose scripts
all fail shows nothing, so whoever fails here is told, and by default a stand-in that succeeds takes its place.
"""

from __future__ import annotations

import os
import re
import select
import shlex
import signal
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import IO

from harness.check.facts import Ill, Script
from harness.check.local import looked_for
from harness.daemons import httpd, local
from harness.lab.machine import Machine, Process
from harness.topology.local import LocalService

LONGEST = 5
"""Seconds that a script may take, if it is not allowed less."""
PROCESSOR = 2
"""Seconds of processor time after which it is ended."""
_MOST = 1 << 16
_TOLD = 200
_CHUNK = 1 << 12
_OF_A_SHELL = frozenset("|<>&;`$")
_OPERATOR = re.compile(r"[|&;]+|\d*[<>]+&?(?:\d|[\w./-]*)")
"""A word that a shell acts on, and keepalived hands to the program as it is."""
_JOINS = ("|", "||", "&&", ";")
"""Those without which nothing of what the line says can come about."""


def ill(
    machine: Machine, scripts: Sequence[Script], files: Mapping[str, tuple[bytes, int]], own: Collection[str]
) -> Iterator[Ill]:
    """The scripts that fail on a director on which all runs that they are known to look for.

    ``own`` are addresses that it may hold.
    """
    services = {service for script in scripts for service in looked_for(script.command, files, own)}
    with _running(machine, sorted(services, key=lambda service: service.name)):
        for script in scripts:
            argv = _words(script.command)
            status, said = _run(machine, argv, script)
            if status:
                by_shell = bool(_OF_A_SHELL.intersection(script.command)) and not _has_shell(argv)
                meant = by_shell and (_is_joined(argv) or _run(machine, ["bash", "-c", _line(argv)], script)[0] == 0)
                yield Ill(script.name, status, said, needs_shell=meant)


@contextmanager
def _running(machine: Machine, services: Sequence[LocalService]) -> Iterator[None]:
    """The stand-ins for what scripts look for, while they run."""
    machine.run(["ip", "link", "set", "lo", "up"])
    local.prepare(machine, services)
    processes: list[Process] = []
    with ExitStack() as opened:
        null = opened.enter_context(open(os.devnull, "rb"))
        for daemon in local.daemons(services):
            reader, writer = os.pipe()
            output = opened.enter_context(os.fdopen(reader, "rb", buffering=0))
            try:
                processes.append(machine.spawn(daemon.argv, null.fileno(), writer, writer))
            finally:
                os.close(writer)
            if daemon.ready is not None and daemon is httpd.HTTPD:
                _wait_ready(daemon.ready, output)
        yield
    for process in processes:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGKILL)


def _wait_ready(ready: re.Pattern[str], output: IO[bytes]) -> None:
    said = b""
    while not ready.search(said.decode(errors="replace")):
        if not select.select([output], [], [], LONGEST)[0] or not (data := output.read(_CHUNK)):
            return
        said += data


def _run(machine: Machine, argv: Sequence[str], script: Script) -> tuple[int, str]:
    """A command's exit status, and the end of what it says. It may not end, print for ever, or leave processes."""
    longest = max(1, min(LONGEST, int(script.timeout or script.interval)))
    reader, writer = os.pipe()
    try:
        with open(os.devnull, "rb") as null:
            limited = ["prlimit", f"--cpu={PROCESSOR}:{2 * PROCESSOR}"]  # before anything else is started
            command = [*limited, "timeout", "-k", "1", str(longest), *argv]
            process = machine.spawn(command, null.fileno(), writer, writer)
    finally:
        os.close(writer)
    said, length = b"", 0
    with os.fdopen(reader, "rb", buffering=0) as output:
        while length < _MOST:
            patience = 0 if process.ended.wait(0) else longest + 2  # what it has started may live on
            if not select.select([output], [], [], patience)[0] or not (data := output.read(_CHUNK)):
                break
            said, length = (said + data)[-_TOLD:], length + len(data)
        if (
            length >= _MOST
        ):  # timeout hands the signal on; while nobody reads, whoever prints waits and spins on nothing
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
            process.wait()
            return -signal.SIGTERM, "more than anybody reads"
    status = process.wait()
    if status == 124:  # what timeout(1) says when it had to end the command
        return status, f"nothing within {longest} s"
    return status, " ".join(said.decode(errors="replace").split()) or "nothing"


def _words(command: str) -> list[str]:
    with suppress(ValueError):
        return shlex.split(command)
    return command.split()


def _is_joined(argv: Sequence[str]) -> bool:
    """Whether a word of it stands between two commands."""
    return any(word in _JOINS for word in argv)


def _line(argv: Sequence[str]) -> str:
    """The words as the line for a shell that they were meant to be."""
    if len(argv) == 1:
        return argv[0]
    words = (word if _OPERATOR.fullmatch(word) else _quoted(word) for word in argv)
    return " ".join(words)


def _quoted(word: str) -> str:
    return f'"{word}"' if "$" in word or "`" in word else shlex.quote(word)


def _has_shell(argv: Sequence[str]) -> bool:
    return any(word.rpartition("/")[2] in ("sh", "bash", "dash", "zsh", "ksh") for word in argv[:1])
