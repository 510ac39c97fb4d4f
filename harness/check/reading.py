"""Letting keepalived read a configuration, in a machine of its own that has the interfaces it
names and no wires.
"""

from __future__ import annotations

import os
import re
import select
import signal
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from ipaddress import ip_address
from pathlib import PurePosixPath

from harness.check import dump, rehearsal
from harness.check.facts import Reading
from harness.check.files import TEXT, Configuration
from harness.check.levels import MARK
from harness.check.places import statements
from harness.check.standins import SUCCEEDS
from harness.daemons import keepalived, local, users
from harness.daemons.keepalived import CONFIG
from harness.errors import HarnessError
from harness.kernels.host.watchdog import PROCESSOR_LIMIT
from harness.lab.machine import Machine
from harness.lab.netlink import Batch
from harness.lab.plan import HostPlan
from harness.lab.supervisor import Supervisor

_INTERFACE = re.compile(r"\b[Ii]nterface (\S+?),? (?:for .*)?(?:doesn't|does not) exist")
_PLAIN = re.compile(r"[A-Za-z][\w.-]{0,14}", re.ASCII)
"""What may be the name of an interface, and is nothing that keepalived replaces."""
_DUMPED = re.compile(rb"Activating healthchecker|Entering BACKUP STATE \(init\)|VRRP sockpool: \[")
"""What keepalived says once it has dumped everything."""
_QUIET = 1.0
"""Seconds after which a keepalived that says nothing has nothing to add, or no part to play at
all.
"""
_TURN = 0.02
"""Seconds between two looks at a dump: one for each of its lines would take minutes where there
are many services.
"""
_CHUNK = 1 << 16
_NUMBER = 32
"""Bytes of a tracked file that are read."""
_MOST_SAID = 1 << 26
"""Bytes that keepalived may say, with its scripts, before it has dumped everything."""
_ROUNDS = 16
_OWN_PID_MAX = (6, 14)
"""From this release of Linux on each pid namespace has a pid_max of its own
(kernel/pid_namespace.c).
"""
_INTERPRETERS = re.compile(r"(?:ba|da|z|k)?sh|python[\d.]*|perl|env|timeout|sudo|nice|busybox")
"""Programs without which other programs do not run."""
PATH = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
"""Where keepalived looks for programs that are named without their path."""
_REFUSED = "permanent error CONFIG"


def read(
    configuration: Configuration, host: HostPlan, supervisor: Supervisor, known: rehearsal.Known
) -> tuple[Reading, tuple[str, ...]]:
    """What keepalived makes of a configuration, and its complaints, each with file and line where
    it gives them.

    ``host`` is the machine to read it on: its name and image count. ``known`` are scripts that
    never end. Raises HarnessError with them if keepalived would not run with it, or would have
    nothing to do.
    """
    with _machine(host, supervisor) as machine:
        for place, (content, mode) in configuration.files.items():
            machine.write(place, content, mode)
        local.unlink_pidof(machine)
        users.prepare(machine, configuration.users)
        programs = tuple(_put_programs(machine, configuration.programs))
        interfaces, complaints = _make_interfaces(machine, configuration)
        with _without_scripts(machine, configuration):
            vrrp, checker = _dump(machine, "-P"), _dump(machine, "-C")
        found = _with_numbers(machine, dump.parse(vrrp, checker))
        own = [vip.address for one in found.instances for vip in one.held]
        _limit_processes(machine)
        ill = tuple(rehearsal.ill(machine, found.scripts, configuration.files, own, known))
        endless = tuple(
            rehearsal.endless(
                machine, found.scripts, configuration.files, configuration.programs, known
            )
        )
    if _REFUSED in vrrp + checker:
        why = "; ".join(complaints) or (vrrp + checker)[-500:]
        raise HarnessError(
            f"{configuration.director}: keepalived does not run with {configuration.origin}: {why}"
        )
    if not found.instances and not found.services:
        first = complaints[0].replace(MARK, "(byte order mark)") if complaints else ""
        why = f"; the first thing it says of that is: {first}" if first else ""
        raise HarnessError(
            f"{configuration.director}: keepalived finds neither a vrrp_instance nor a"
            f" virtual_server in"
            f" {configuration.origin}{why}"
        )
    sources, neighbours = (
        tuple(_of_bfd(configuration, word)) for word in ("source_ip", "neighbor_ip")
    )
    found = replace(found, bfd_sources=sources, bfd_neighbours=neighbours)
    return replace(
        found, interfaces=interfaces, programs=programs, ill=ill, endless=endless
    ), tuple(complaints)


def _with_numbers(machine: Machine, found: Reading) -> Reading:
    """What was read, with the numbers that keepalived has put into tracked files: it dumps them
    before (``init_file``).
    """
    numbers: dict[str, int] = {}
    for file in {file for one in found.instances for file in one.track_files}:
        with suppress(OSError, ValueError), machine.open(file.path) as content:
            numbers[file.path] = int(content.read(_NUMBER))
    instances = []
    for one in found.instances:
        files = [
            replace(each, value=numbers.get(each.path, each.value)) for each in one.track_files
        ]
        instances.append(replace(one, track_files=tuple(files)))
    return replace(found, instances=tuple(instances))


def _of_bfd(configuration: Configuration, word: str) -> Iterator[str]:
    """The addresses that a word gives in the BFD instances: keepalived's BFD process dumps none
    of them.
    """
    for statement in statements(configuration):
        if statement.words[0] == word and any(
            block.startswith("bfd_instance") for block in statement.blocks
        ):
            with suppress(ValueError):
                yield str(ip_address(statement.words[-1]))


@contextmanager
def _machine(host: HostPlan, supervisor: Supervisor) -> Iterator[Machine]:
    (machine,) = Machine.make([host], "127.0.0.1\tlocalhost\n", supervisor)
    machine.wait_ready()
    listening = threading.Thread(target=_hear, args=(machine,), daemon=True)
    listening.start()
    try:
        yield machine
    finally:
        machine.power_off()
        listening.join()


def _limit_processes(machine: Machine) -> None:
    """Let no script fill the kernel with processes, where a machine can have a limit of its own."""
    release = tuple(int(number) for number in os.uname().release.split("-")[0].split(".")[:2])
    if release >= _OWN_PID_MAX:
        machine.run(["sysctl", "-qw", f"kernel.pid_max={rehearsal.MANY + 100}"])


def _hear(machine: Machine) -> None:
    """Take the ends of programs, for whoever waits for them."""
    try:
        while machine.read_note():
            pass
    except OSError:
        return


@contextmanager
def _without_scripts(machine: Machine, configuration: Configuration) -> Iterator[None]:
    """Have scripts do nothing meanwhile.

    keepalived begins to run them before it can be told to stop, and some never end, or print for
    ever.
    """
    kept: dict[str, tuple[bytes, int]] = {}
    scripts = [place for place, (_, mode) in configuration.files.items() if mode != TEXT]
    for path in dict.fromkeys(
        [*scripts, *filter(None, (_found(machine, each) for each in configuration.programs))]
    ):
        if not _INTERPRETERS.fullmatch(PurePosixPath(path).name):
            with suppress(OSError), machine.open(path) as program:
                kept[path] = program.read(), configuration.files.get(path, (b"", 0o755))[1]
    for path in kept:
        machine.write(path, SUCCEEDS, 0o755)
    try:
        yield
    finally:
        for path, (content, mode) in kept.items():
            machine.write(path, content, mode)


def _found(machine: Machine, program: str) -> str | None:
    """Where a program is that is named with or without its path; None if it is nowhere."""
    if program.startswith("/"):
        return program
    return next(
        (path for folder in PATH if _is_there(machine, path := f"{folder}/{program}")), None
    )


def _put_programs(machine: Machine, programs: Iterable[str]) -> Iterator[str]:
    """Put a stand-in wherever a program is missing, since keepalived leaves out what has none;
    yields those.
    """
    for program in programs:
        if not program.startswith("/") and any(
            _is_there(machine, f"{folder}/{program}") for folder in PATH
        ):
            continue
        path = program if program.startswith("/") else f"{PATH[0]}/{program}"
        try:
            machine.open(path).close()
        except IsADirectoryError:  # keepalived says itself that it is no program
            continue
        except OSError:
            machine.write(path, SUCCEEDS, 0o755)
            yield path


def _is_there(machine: Machine, path: str) -> bool:
    try:
        machine.open(path).close()
    except OSError:
        return False
    return True


def _make_interfaces(
    machine: Machine, configuration: Configuration
) -> tuple[tuple[str, ...], list[str]]:
    """Make what keepalived misses until it misses nothing more; returns that, and what it complains
    of then.

    Bridges will do: they can multicast and ARP. Those that instances name are made beforehand,
    which saves a round.
    """
    made = set(_of_instances(configuration))
    _make_bridges(machine, made, 0)
    for _ in range(_ROUNDS):
        _, said = keepalived.complaints(machine, str(configuration.origin))
        if not (missing := {name for line in said for name in _INTERFACE.findall(line)} - made):
            break
        _make_bridges(machine, missing, len(made))
        made |= missing
    return tuple(sorted(made)), said


def _make_bridges(machine: Machine, names: Iterable[str], first: int) -> None:
    batch = Batch()
    for number, name in enumerate(sorted(names), start=first):
        batch.bridge(name, f"02:fe:00:00:00:{number:02x}")
    with machine.inside():
        batch.send(machine.name)


def _of_instances(configuration: Configuration) -> Iterator[str]:
    """The interfaces that instances name in plain words."""
    for statement in statements(configuration):
        plain = len(statement.words) == 2 and statement.words[0] == "interface"
        if plain and any(block.startswith("vrrp_instance ") for block in statement.blocks):
            name = statement.words[1]
            if _PLAIN.fullmatch(name) and name != "lo":
                yield name


def _dump(machine: Machine, only: str) -> str:
    """What one of keepalived's two processes says of its configuration when it starts.

    It is told to stop only then: it waits 5 s for its process, and what that has not said by then
    is lost.
    """
    reader, writer = os.pipe()
    try:
        with open(os.devnull, "rb") as null:
            argv = ["keepalived", "-n", "-l", "-D", "-d", only, "-f", CONFIG]
            process = machine.spawn(argv, null.fileno(), writer, writer, PROCESSOR_LIMIT)
    finally:
        os.close(writer)
    said = b""
    with os.fdopen(reader, "rb", buffering=0) as output:
        while (
            not _DUMPED.search(said, max(0, len(said) - 2 * _CHUNK))
            and select.select([output], [], [], _QUIET)[0]
        ):
            process.ended.wait(_TURN)
            if len(said) > _MOST_SAID or not (data := output.read(_CHUNK)):
                break
            said += data
        with suppress(ProcessLookupError):  # it has ended, having refused the configuration
            process.send_signal(signal.SIGTERM)
        # A script that it has begun to run may print for ever, so nobody listens once everything is
        # dumped.
        while not _DUMPED.search(said) and len(said) < _MOST_SAID and (data := output.read(_CHUNK)):
            said += data
            process.ended.wait(_TURN)
    process.wait()
    return said.decode(errors="replace")
