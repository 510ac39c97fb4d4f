"""The prompt's side of ``lvs-harness exec`` (:mod:`harness.live.living`): requests come as files,
with a signal that says so.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import threading
from pathlib import Path
from types import FrameType
from typing import Final

from harness import received
from harness.cluster import Cluster
from harness.console.prompt import Console
from harness.errors import HarnessError
from harness.kernels import choice
from harness.kernels.guest import program
from harness.kernels.host.interrupts import Ended
from harness.lab.machine import MissingProgram, Process
from harness.live import living

_TAKEN: Final = ".taken"
MISSING: Final = 127
"""The exit status of a program that is not there, as a shell's."""


class Answering:
    """For the length of a ``with`` block, has a cluster run what it is asked to.

    In real time a thread runs each request, whatever the prompt does meanwhile. In virtual time it
    is the main thread, between two commands of the prompt: whoever waits for input has time stand
    still, and two threads could not both say so.
    """

    def __init__(self, console: Console, cluster: Cluster, run: Path) -> None:
        self._console, self._cluster = console, cluster
        self._room = run / living.ROOM
        self._running: dict[str, Process] = {}
        self._is_answering = False

    def __enter__(self) -> None:
        signal.signal(living.SIGNAL, self._heard)
        self._console.between = self._answer_all
        self._room.mkdir(mode=0o700)

    def __exit__(self, *unused: object) -> None:
        signal.signal(living.SIGNAL, signal.SIG_IGN)
        shutil.rmtree(self._room, ignore_errors=True)

    def _heard(self, number: int, frame: FrameType | None) -> None:
        """A thread ends programs: the main thread may hold what that takes."""
        threading.Thread(target=self._end_all, daemon=True).start()
        if not choice.virtual():
            threading.Thread(target=self._answer_each, daemon=True).start()
        elif not self._console.is_busy and not self._is_answering:
            with program.interrupting():
                self._answer_all()

    def _answer_all(self) -> None:
        """Answer what there is, in the main thread."""
        if choice.virtual():
            self._is_answering = True
            try:
                self._answer_each()
            finally:
                self._is_answering = False

    def _answer_each(self) -> None:
        while names := sorted(self._room.glob(f"*{living.REQUEST}")):
            for each in names:
                taken = each.with_suffix(_TAKEN)
                with contextlib.suppress(FileNotFoundError):  # another thread has it
                    each.rename(taken)
                    self._answer(each.stem, taken)

    def _answer(self, name: str, taken: Path) -> None:
        answer: dict[str, object]
        try:
            words = json.loads(taken.read_bytes())
            answer = {"status": self._run(name, str(words["node"]), list(words["command"]))}
        except MissingProgram as problem:
            answer = {"status": MISSING, "problem": str(problem)}
        except (HarnessError, OSError, ValueError, KeyError, TypeError) as problem:
            answer = {"problem": str(problem)}
        place = name + living.ANSWER
        with contextlib.suppress(OSError), received.replacing(self._room, place) as file:
            json.dump(answer, file)  # unless the prompt has ended

    def _run(self, name: str, node: str, command: list[str]) -> int:
        chosen = self._console.node(node)
        with contextlib.ExitStack() as stack:
            streams = [
                stack.enter_context(open(self._room / (name + suffix), mode, buffering=0))
                for suffix, mode in (
                    (living.INPUT, "rb"), (living.OUTPUT, "ab"), (living.ERRORS, "ab"),
                )
            ]  # fmt: skip
            try:
                process = chosen.machine.spawn(command, *(each.fileno() for each in streams))
            except FileNotFoundError:
                raise MissingProgram(f"{node}: there is no program {command[0]}") from None
        self._console.note(chosen, command)
        self._running[name] = process
        self._end(name)
        try:
            return process.wait()
        except Ended:
            raise
        except KeyboardInterrupt:  # somebody at the prompt does not want to wait for it
            process.send_signal(signal.SIGINT)
            return process.wait()
        finally:
            del self._running[name]

    def _end_all(self) -> None:
        for name in [*self._running]:
            self._end(name)

    def _end(self, name: str) -> None:
        """End a program whose caller no longer wants it."""
        asked, process = self._room / (name + living.END), self._running.get(name)
        with contextlib.suppress(OSError, ValueError, HarnessError):
            number = int(asked.read_bytes())
            asked.unlink()
            if process is not None:
                process.send_signal(number)
