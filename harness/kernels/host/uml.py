"""User Mode Linux: runs a Python module inside an embedded kernel, as if it had been run directly.

The guest sees the host's files below a layer that is thrown away, and one folder that is the
host's.
"""

from __future__ import annotations

import io
import marshal
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import harness
from harness.errors import HarnessError
from harness.kernels import imports, wire
from harness.kernels.calls import linux
from harness.kernels.host.link import Ends
from harness.kernels.host.memory import QUOTA, SMALLEST
from harness.kernels.host.relay import Interrupted, Relay
from harness.kernels.host.terminal import Terminal, streams
from harness.kernels.making.cache import user_cache

_PACKAGED = Path("/usr/bin/linux.uml")
_PACKAGED_MODULES = Path("/usr/lib/uml/modules")
_COMMAND_LINE = 4096 - 64  # COMMAND_LINE_SIZE, less what the kernel adds

# Parts of Debian's kernel that cost 1 s at every start and serve nothing here: a benchmark of RAID
# algorithms and the self-tests of btrfs. Kernels without them ignore the names.
_SKIPPED_INITCALLS = "raid6_select_algo,init_btrfs_fs"

_ROOM_FOR_AMX = (6, 13)
"""The first version that may have room for the registers of AMX."""

_OPTIONS = ("seccomp=", "time-travel=inf-cpu", "random-seed=")  # that not every kernel has


@dataclass(frozen=True)
class Kernel:
    """An embedded kernel: its executable, its ``release``, and the folder of its modules if it has
    any.
    """

    path: Path
    release: str
    modules: Path | None
    seccomp: bool
    time_travel: bool
    seedable: bool

    @classmethod
    def at(cls, path: Path, modules: Path | None = None) -> Kernel:
        """The kernel at ``path``; raises :class:`HarnessError` if that is none."""
        try:
            text = subprocess.run([path, "--help"], capture_output=True, text=True).stdout
        except OSError as error:
            raise HarnessError(
                f"cannot run the embedded kernel {path}: {error.strerror}; --kernel"
                " takes auto, native, uml or a path"
            ) from error
        version = re.match(r"User Mode Linux v(\S+)", text)
        if version is None:
            raise HarnessError(
                f"{path} is not a User Mode Linux kernel: install the package user-mode-linux"
            )
        return cls(path, version[1], modules, *(f"\n{option}" in text for option in _OPTIONS))


def packaged() -> Kernel | None:
    """The distribution's kernel (Debian: package user-mode-linux), if it is installed."""
    if not _PACKAGED.exists():
        return None
    kernel = Kernel.at(_PACKAGED)
    return Kernel.at(_PACKAGED, _PACKAGED_MODULES / kernel.release)


def unfit(kernel: Kernel) -> str | None:
    """Why a kernel cannot run here: it would die as soon as it starts a program. None if it can.

    Processors with AMX have more registers than User Mode Linux had room for (``put_fp_registers``,
    seen with 6.1 and 6.12, and not with 7.3). A virtual machine whose processor hides AMX is not
    affected.
    """
    version = tuple(int(number) for number in re.findall(r"\d+", kernel.release)[:2])
    if version >= _ROOM_FOR_AMX or "amx_tile" not in _processor_flags():
        return None
    return (
        f"the embedded kernel {kernel.release} dies on a processor with AMX; build a"
        " newer one: make kernel"
    )


def _processor_flags() -> list[str]:
    with suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("flags"):
                return line.split()
    return []


def run(
    kernel: Kernel,
    module: str,
    argv: Sequence[str],
    *,
    writable: Path,
    memory: int = SMALLEST,
    virtual_start: int | None = None,
    seed: int | None = None,
    environment: Mapping[str, str] | None = None,
    collect: Mapping[Path, Path] | None = None,
    watchdog: float = 0,
    paced: bool = False,
    modules: bytes | None = None,
    readable: Sequence[Path] = (),
    quota: int = QUOTA,
) -> int:
    """Run ``python -m module argv`` in ``kernel`` and return its exit status, 128 + N if signal N
    killed it.

    The program gets the caller's interpreter, ``sys.path``, working directory, environment
    (``environment`` added), signals, and terminal or streams: descriptors 0 to 2, which must be the
    real ones. Of what it writes remains what is below ``writable``, and the files and folders that
    ``collect`` names (path in the guest -> path on the host, both absolute), which are copied when
    it has ended. ``memory`` is in bytes. ``virtual_start`` is where the wall clock starts, in
    nanoseconds, and makes time virtual. ``seed`` fixes all random numbers of a kernel of our own
    build; others take them from the host. Call it from the main thread.

    Virtual time stands still while the program waits for input. When it does not move otherwise,
    for ``watchdog`` seconds of real time, the program is ended; 0 is no limit. A ``paced`` program
    gets its standard input in virtual time only while it says that it waits for it
    (:mod:`harness.kernels.guest.program`), so that what the host sends, and when, does not show in
    its timing. ``modules`` is what :func:`harness.kernels.imports.gather` has of the modules that
    it will need (None: those of this process).

    Of this machine's files the guest can read those of the system, the interpreter's, what is on
    ``sys.path``, the working directory, the harness's cache, and what ``readable`` names, with all
    below them; never what is hidden in the caller's home. What it writes may take ``quota`` bytes
    (:mod:`harness.kernels.host.quota`).

    Raises :class:`HarnessError` if the kernel cannot be started, dies, no longer reacts, or was
    ended like that.
    """
    _check_writable(writable)
    if virtual_start is not None and not kernel.time_travel:
        raise HarnessError(
            f"{kernel.path} has no virtual time: build one that has it"
            " (CONFIG_UML_TIME_TRAVEL_SUPPORT)"
        )
    kinds = streams()
    terminal = Terminal(kinds) if "terminal" in kinds else None
    collect = collect or {}
    request = {
        "argv": [sys.executable, "-c", _program(module, virtual_start is not None), *argv],
        "virtual": virtual_start is not None,
        "paced": paced and virtual_start is not None,
        "environment": {**os.environ, **(environment or {})},
        "umask": _umask(),
        "streams": kinds,
        "terminal": terminal
        and {"attributes": terminal.guest_attributes(), "size": terminal.size()},
        "hostname": socket.gethostname(),
        "writable": str(writable.resolve()),
        "modules": str(kernel.modules) if kernel.modules else None,
        "release": kernel.release,
        "collect": [str(path) for path in collect],
    }
    try:
        options = _options(kernel, memory, virtual_start, seed)
        files = {
            "request": marshal.dumps(request),
            "imports": imports.gather() if modules is None else modules,
        }
        limits = {**_readable(kernel, [*readable, *collect]), "quota": quota}
        with _Guest(
            kernel, str(writable.resolve()), files, memory, options, terminal, limits
        ) as guest:
            patience = None if virtual_start is None else watchdog
            return Relay(
                guest.ends, kinds, terminal, list(collect.values()), writable, patience
            ).run()
    except Interrupted as interrupted:
        signal.raise_signal(interrupted.number)
        return 128 + interrupted.number


def _readable(kernel: Kernel, named: Sequence[Path]) -> dict[str, list[str]]:
    """What the guest may read beside the system, and of which folders it may know all names."""
    prefixes = [sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix, sys.executable]
    paths: list[str | Path] = [
        *prefixes,
        *sys.path,
        Path(harness.__file__).parent.parent,
        Path.cwd(),
        user_cache(),
        *named,
    ]
    if kernel.modules:
        paths.append(kernel.modules)
    whole = {Path(path).resolve() for path in paths} - {Path("/")}
    home = Path(
        os.path.expanduser("~")
    ).resolve()  # which leaves it as it is for a user without any
    parts = {str(part) for path in whole for part in _without_secrets(path, home)}
    # Where modules are, Python looks at all names.
    return {
        "readable": sorted(parts),
        "listable": [str(path) for path in whole if home.is_relative_to(path)],
    }


def _without_secrets(path: Path, home: Path) -> Iterator[Path]:
    """A path; or instead of a folder that has the home in it what is there, but for what is
    hidden.
    """
    if not home.is_relative_to(path):
        yield path
        return
    for entry in path.iterdir():
        if not entry.name.startswith("."):
            yield from _without_secrets(entry, home)


def _check_writable(folder: Path) -> None:
    if not folder.is_dir():
        raise HarnessError(f"{folder} is not a folder: make it, or name another one to write to")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise HarnessError(
            f"{folder} cannot be written: change its permissions, or name another one to write to"
        )


def _program(module: str, virtual: bool) -> str:
    """What a new interpreter has to do to be this one, running ``module``."""
    setting = f"import os, runpy, sys; os.chdir({os.getcwd()!r}); sys.path[:] = {sys.path!r}"
    setting += "; from harness.kernels.calls import linux; linux.fault_in_advance()"
    setting += "; from harness.kernels import imports; imports.install()"
    if virtual:
        setting += "; from harness.kernels.guest import program; program.prepare()"
    return f"{setting}; runpy.run_module({module!r}, run_name='__main__', alter_sys=True)"


def _umask() -> int:
    mask = os.umask(0o77)
    os.umask(mask)
    return mask


def _options(kernel: Kernel, memory: int, virtual_start: int | None, seed: int | None) -> list[str]:
    """The kernel's own arguments, as far as they differ from run to run."""
    options = [f"mem={memory >> 20}M"]
    if kernel.seccomp:
        options.append("seccomp=auto")
    if virtual_start is not None:
        options += ["time-travel=inf-cpu", f"time-travel-start={virtual_start}"]
    if seed is not None and kernel.seedable:
        options.append(f"random-seed={seed}")
    return options


def _command_line(kernel: Kernel, options: list[str], reads: int, writes: int) -> list[str]:
    """The kernel's arguments. ``{store}`` stands for a descriptor that only the guard knows."""
    root = Path(harness.__file__).parent.parent
    words = [
        *("rootfstype=hostfs", "rootflags=/", "ro", "quiet", *options),
        # No folder of its own for a management console: nothing uses it, and it would stay behind.
        *(
            "uml_dir=/dev/null/",
            "con=null",
            "con0=null,fd:1",
            "ssl=null",
            f"ssl0=fd:{reads},fd:{writes}",
        ),
        f"initcall_blacklist={_SKIPPED_INITCALLS}",
    ]
    words += [f"init={_quoted(sys.executable)}", f"PYTHONPATH={_quoted(str(root))}"]
    words += [
        "--",
        "-S",
        "-s",
        "-P",
        "-c",
        '"from harness.kernels.guest import pid1; pid1.main()"',
        "{store}",
    ]
    if len(" ".join(words)) > _COMMAND_LINE:
        raise HarnessError(
            f"the paths {sys.executable} and {root} are too long for a kernel's command line"
        )
    return [str(kernel.path), *words]


def _quoted(path: str) -> str:
    if '"' in path:
        raise HarnessError(
            f"the path {path} contains a quotation mark, which a kernel's command line cannot carry"
        )
    return f'"{path}"'


class _Guest:
    """The kernel process behind its guard (:mod:`harness.kernels.host.confine`); gone when the
    block ends.
    """

    def __init__(
        self,
        kernel: Kernel,
        writable: str,
        files: dict[str, bytes],
        memory: int,
        options: list[str],
        terminal: Terminal | None,
        limits: dict[str, Any],
    ) -> None:
        # Two, for in virtual time the kernel waits until its output is taken, which it can only
        # where it reads no input: then no interrupt tells of it, which would come at a moment that
        # the host decides.
        sending, reads = socket.socketpair()
        receiving, writes = socket.socketpair()
        keyboard = os.dup(terminal.descriptor) if terminal else os.open(os.devnull, os.O_RDWR)
        orders = {
            "argv": _command_line(kernel, options, reads.fileno(), writes.fileno()),
            "files": files,
            "lines": (reads.fileno(), writes.fileno()),
            "memory": memory,
            "writable": writable,
            "terminal": terminal and (keyboard, terminal.raw, terminal.original),
            **limits,
        }
        with reads, writes:
            self._guard = subprocess.Popen(
                [
                    sys.executable,
                    "-S",
                    "-s",
                    "-P",
                    "-c",
                    "from harness.kernels.host import confine; confine.main()",
                ],
                env={**os.environ, "PYTHONPATH": str(Path(harness.__file__).parent.parent)},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                bufsize=0,
                pass_fds=(reads.fileno(), writes.fileno(), keyboard),
                start_new_session=True,
            )
        os.close(keyboard)
        control, log = cast(io.FileIO, self._guard.stdin), cast(io.FileIO, self._guard.stdout)
        self.ends = Ends(sending, receiving, log, control, self._guard.pid)
        data = marshal.dumps(orders)
        with suppress(BrokenPipeError):  # The guard is gone, which the line's end tells.
            wire.write_all(control.fileno(), len(data).to_bytes(4, "big") + data)

    def __enter__(self) -> _Guest:
        return self

    def __exit__(self, *_: object) -> None:
        self.ends.control.close()
        if self._guard.wait() < 0:  # Someone killed the guard.
            linux.kill_session(self._guard.pid)
        for end in (self.ends.sending, self.ends.receiving, self.ends.log):
            end.close()
