"""Running each tracked script once where nothing is broken, to see which of them fail all by
themselves.

What a script needs may not be on the machines here: a database, a client program, the internet. A
cluster whose scripts all fail shows nothing, so whoever fails here is told, and by default a
stand-in that succeeds takes its place.
"""

from __future__ import annotations

import os
import re
import select
import shlex
import signal
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO

from harness.check.facts import Ill
from harness.check.files import TEXT
from harness.check.local import looked_for
from harness.daemons import httpd, local
from harness.kernels import choice
from harness.lab.machine import Machine, Process
from harness.topology.local import LocalService
from harness.topology.tracking import VrrpScript

LONGEST = 5
"""Seconds that a script may take, if it is not allowed less."""
PROCESSOR = 2
"""Seconds of processor time after which it is ended."""
_STATES = ("MASTER", "BACKUP")
"""What scripts are told that keepalived notifies."""
MANY = 900
"""No script starts so many processes in one run but one that never ends with it."""
_ITSELF = LocalService(process="keepalived")
"""What runs wherever keepalived runs a script, and scripts may look for."""
_KILLED = (signal.SIGXCPU, signal.SIGKILL)
_MOST = 1 << 16
_TOLD = 200
_CHUNK = 1 << 12
_OF_A_SHELL = frozenset("|<>&;`$")
_OPERATOR = re.compile(r"[|&;]+|\d*[<>]+&?(?:\d|[\w./-]*)")
"""A word that a shell acts on, and keepalived hands to the program as it is."""
_JOINS = ("|", "||", "&&", ";")
"""Those without which nothing of what the line says can come about."""


Known = dict[bytes, tuple[int, str]]
"""The texts of scripts that are known never to end, with their exit status and what they say.

Finding it out takes seconds of processor, and most directors have the same scripts.
"""


def ill(
    machine: Machine,
    scripts: Sequence[VrrpScript],
    files: Mapping[str, tuple[bytes, int]],
    own: Collection[str],
    known: Known,
) -> Iterator[Ill]:
    """The scripts that fail on a director on which all runs that they are known to look for.

    ``own`` are addresses that it may hold.
    """
    services = {service for script in scripts for service in looked_for(script.script, files, own)}
    with _running(machine, sorted(services, key=lambda service: service.name)):
        for script in scripts:
            argv = _words(script.script)
            longest = max(1, min(LONGEST, int(script.timeout or script.interval)))
            text = next((files[word][0] for word in argv if word in files), None)
            status, said, never_ends = _run_once(machine, argv, longest, text, known)
            if never_ends:
                yield Ill(script.name, status, said, endless=True)
            elif status:
                by_shell = bool(_OF_A_SHELL.intersection(script.script)) and not _has_shell(argv)
                meant = by_shell and (
                    _is_joined(argv) or _run(machine, ["bash", "-c", _line(argv)], longest)[0] == 0
                )
                yield Ill(script.name, status, said, needs_shell=meant)


def endless(
    machine: Machine,
    scripts: Sequence[VrrpScript],
    files: Mapping[str, tuple[bytes, int]],
    programs: Collection[str],
    known: Known,
) -> Iterator[Ill]:
    """The programs of the user's own that no ``vrrp_script`` runs, and that never end: notify
    scripts and checks.

    A script that waits for ever does no harm to whoever does not wait for it; one that computes,
    prints or starts processes for ever does.
    """
    tracked = {word for script in scripts for word in _words(script.script)}
    for path in programs:
        if path in tracked or files.get(path, (b"", TEXT))[1] == TEXT:
            continue
        for state in _STATES:
            argv = [path, "INSTANCE", "V", state, "100"]
            status, said, never_ends = _run_once(machine, argv, LONGEST, files[path][0], known)
            if never_ends:
                yield Ill(path, status, said, endless=True)
                break


@contextmanager
def _running(machine: Machine, services: Sequence[LocalService]) -> Iterator[None]:
    """The stand-ins for what scripts look for, while they run."""
    machine.run(["ip", "link", "set", "lo", "up"])
    local.prepare(machine, services)
    local.put(machine, _ITSELF)
    processes: list[Process] = []
    with ExitStack() as opened:
        null = opened.enter_context(open(os.devnull, "rb"))
        for daemon in (*local.daemons(services), local.daemon_of(_ITSELF)):
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


def _run_once(
    machine: Machine, argv: Sequence[str], longest: int, text: bytes | None, known: Known
) -> tuple[int, str, bool]:
    """As :func:`_run`, but not again what has the ``text`` of a script that is known never to
    end.
    """
    if text in known:
        return *known[text], True
    status, said, never_ends = _run(machine, argv, longest)
    if never_ends and text is not None:
        known[text] = status, said
    return status, said, never_ends


def _run(machine: Machine, argv: Sequence[str], longest: int) -> tuple[int, str, bool]:
    """A command's exit status, the end of what it says, and whether it never ends otherwise than by
    waiting.

    It may take ``longest`` seconds. Nothing that it has started outlives it.
    """
    forks = _forks()
    reader, writer = os.pipe()
    try:
        with open(os.devnull, "rb") as null:
            limited = [
                "prlimit",
                f"--cpu={PROCESSOR}:{2 * PROCESSOR}",
            ]  # before anything else is started
            command = [*limited, "timeout", "-k", "1", str(longest), *argv]
            process = machine.spawn(command, null.fileno(), writer, writer)
    finally:
        os.close(writer)
    try:
        status, said, length = _heard(process, reader, longest)
    finally:
        with suppress(ProcessLookupError):
            machine.kill(-process.pid, signal.SIGKILL)
    words = " ".join(said.decode(errors="replace").split()) or "nothing"
    if choice.in_guest() and _forks() - forks > MANY:
        return status, f"{words}, and starts processes without end", True
    if length >= _MOST:
        return status, "more than anybody reads", True
    if status in (124, 137):  # what timeout(1) says when it had to end the command
        return status, f"nothing within {longest} s", False
    if status in (*(-each for each in _KILLED), 128 + signal.SIGXCPU):
        return status, f"{words}, and computes without end", True
    return status, words, False


def _heard(process: Process, reader: int, longest: int) -> tuple[int, bytes, int]:
    """A process's exit status, the end of what it and what it starts says, and how much that is."""
    said, length = b"", 0
    with os.fdopen(reader, "rb", buffering=0) as output:
        while length < _MOST:
            if not select.select([output], [], [], longest + 2)[0] or not (
                data := output.read(_CHUNK)
            ):
                break
            said, length = (said + data)[-_TOLD:], length + len(data)
        if length >= _MOST:
            # timeout hands the signal on. While nobody reads, whoever prints waits, and spins on
            # nothing.
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
            process.wait()
            return -signal.SIGTERM, said, length
    return process.wait(), said, length


def _forks() -> int:
    """How many processes the kernel has started until now (proc_stat(5))."""
    found = re.search(r"(?m)^processes (\d+)", Path("/proc/stat").read_text())
    return int(found[1]) if found else 0


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
