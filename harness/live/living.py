"""Clusters that live at a prompt, and what is asked of them from another terminal.

``lvs-harness up`` has a file in a folder that is the user's alone, locked as long as its process
lives, which names the run's folder. ``lvs-harness exec`` puts a request there, as files, and sends
the process a signal; the prompt answers with files. So a guest, which may write nothing but files
below the run's folder, needs nothing more for it, and what it writes is read as data.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from harness import received
from harness.errors import HarnessError
from harness.kernels.host.interrupts import Ended
from harness.kernels.making.cache import user_cache

SIGNAL: Final = signal.SIGURG
"""What says that there is a request: a signal that nobody minds who does not expect it."""

ROOM: Final = ".asked"
"""The folder of requests in a run's folder. It is there while the prompt is."""

REQUEST, INPUT, OUTPUT, ERRORS = ".json", ".in", ".out", ".err"
"""The files of a request: its words, what its program reads, and what that writes."""
END, ANSWER = ".end", ".answer"
"""The signal that is to end the program, from whoever asked; and what came of it all."""

_LOOK: Final = 0.02
"""Seconds between two looks at the files: a guest's writing wakes nobody on the host."""


@dataclass(frozen=True)
class Living:
    """A cluster that lives: what it was built from, its run's folder, and its process."""

    cluster: str
    run: Path
    pid: int

    @property
    def is_called(self) -> frozenset[str]:
        """What ``--cluster`` may call it."""
        return frozenset({self.cluster, self.run.name, str(self.run)})


def folder() -> Path:
    """The user's own folder of clusters that live. HarnessError if others may write there."""
    place = user_cache() / f"living-{os.geteuid()}"
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = place.lstat()
    if status.st_uid != os.geteuid() or status.st_mode & 0o077 or not place.is_dir():
        raise HarnessError(f"{place} must be a folder of yours that nobody else enters: remove it")
    return place


@contextlib.contextmanager
def announced(cluster: str, run: Path) -> Iterator[None]:
    """Let ``lvs-harness exec`` find the prompt that this process gives."""
    place = folder() / f"{os.getpid()}.json"
    with place.with_suffix(".new").open("w", encoding="utf-8") as file:
        fcntl.lockf(file, fcntl.LOCK_EX)
        json.dump({"cluster": cluster, "run": str(run.resolve())}, file)
        file.flush()
        os.rename(file.name, place)  # locked already: whoever finds it takes it for alive
        try:
            yield
        finally:
            place.unlink(missing_ok=True)


def living() -> list[Living]:
    """All clusters of this user that live now."""
    found = []
    for place in sorted(folder().glob("*.json")):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
            if not _is_locked(place):
                place.unlink()  # it was killed
                continue
            about = json.loads(place.read_bytes())
            found.append(Living(str(about["cluster"]), Path(about["run"]), int(place.stem)))
    return found


def _is_locked(place: Path) -> bool:
    with place.open("rb") as file:
        try:
            fcntl.lockf(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
    return False


def the_one(called: str | None) -> Living:
    """The cluster that ``--cluster`` names, or the only one. HarnessError if there is none, or
    more than one.
    """
    there = living()
    if not there:
        raise HarnessError(
            "no cluster of yours lives: build one, in another terminal, with"
            " lvs-harness up director_pair"
        )
    wanted = [each for each in there if called is None or called in each.is_called]
    if not wanted:
        raise HarnessError(f"no cluster that lives is called {called}; there are: {_names(there)}")
    if len(wanted) > 1:
        raise HarnessError(f"several clusters live: {_names(wanted)}; say which with --cluster")
    return wanted[0]


def _names(clusters: Sequence[Living]) -> str:
    """Each with what tells it apart: the name of its run, or the whole path where two runs began in
    the same second.
    """
    runs = [each.run.name for each in clusters]
    return ", ".join(
        f"{each.cluster} ({each.run.name if runs.count(each.run.name) == 1 else each.run})"
        for each in clusters
    )


class Asked:
    """A program that a cluster was asked to run on a machine, with ``read`` as its input.

    :meth:`wait` writes what it writes, and returns its exit status.
    """

    def __init__(
        self, cluster: Living, node: str, command: Sequence[str], read: bytes = b""
    ) -> None:
        if not (cluster.run / ROOM).is_dir():
            raise HarnessError(f"{cluster.cluster} is being built: wait for its prompt")
        self._cluster = cluster
        self._room = cluster.run / ROOM
        self._name = f"{time.time_ns()}-{os.getpid()}"
        received.add(self._room, self._name + INPUT, read)
        self._streams = [
            (self._new(self._name + OUTPUT), 1),
            (self._new(self._name + ERRORS), 2),
        ]
        words = {"node": node, "command": list(command)}
        with received.replacing(self._room, self._name + REQUEST) as file:
            json.dump(words, file)
        self._tell()

    def _new(self, name: str) -> int:
        flags = os.O_RDONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        return os.open(self._room / name, flags, 0o600)

    def _tell(self) -> None:
        with contextlib.suppress(ProcessLookupError):  # it has ended, which is seen presently
            os.kill(self._cluster.pid, SIGNAL)

    def wait(self) -> int:
        """Its exit status. Ctrl-C is for the program. HarnessError if it could not be run."""
        answered = False
        try:
            status = self._follow()
            answered = True
        except Ended:
            raise
        except KeyboardInterrupt:
            self._end(signal.SIGINT)
            status = self._follow()
            answered = True
        finally:
            if not answered:
                self._end(signal.SIGTERM)
            for stream, _ in self._streams:
                os.close(stream)
        return status

    def _end(self, number: int) -> None:
        with contextlib.suppress(OSError):  # the prompt has ended
            with received.replacing(self._room, self._name + END) as file:
                file.write(str(int(number)))
            self._tell()

    def _follow(self) -> int:
        while True:
            lives = self._cluster in living()
            answer = self._answer()
            for stream, target in self._streams:
                while data := os.read(stream, 1 << 16):
                    _write(target, data)
            if answer is not None:
                return self._status(answer)
            if not lives:
                raise HarnessError(f"{self._cluster.cluster} has ended meanwhile")
            time.sleep(_LOOK)

    def _answer(self) -> bytes | None:
        try:
            return received.read(self._cluster.run, f"{ROOM}/{self._name}{ANSWER}", 10_000)
        except FileNotFoundError:
            return None
        except OSError:  # larger than any answer, or no file
            return b""

    def _status(self, answer: bytes) -> int:
        try:
            said = received.parse(answer)
            problem, status = said.get("problem"), said.get("status")
        except (ValueError, AttributeError):
            problem, status = None, None
        if isinstance(problem, str) and problem:
            plain = received.plain(problem)
            if status is None:
                raise HarnessError(plain)
            print(f"lvs-harness: {plain}", file=sys.stderr)
        if type(status) is not int:
            raise HarnessError(f"{self._cluster.cluster} gave no answer that can be read")
        return status if 0 <= status <= 255 else 128 + abs(status) % 128


def _write(target: int, data: bytes) -> None:
    while data:
        data = data[os.write(target, data) :]
