"""The prompt itself: reads lines, runs commands on nodes, and looks at the cluster.

Mininet's own ``mininet.cli.CLI`` cannot be had: it talks to a shell that runs in every node, and
here none does.
"""

from __future__ import annotations

import contextlib
import math
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from harness.cluster import Cluster
from harness.console.mininet import Mininet
from harness.errors import HarnessError
from harness.events import Advertisement
from harness.kernels import choice
from harness.kernels.host.interrupts import Ended
from harness.report import table
from harness.report.evidence import described
from harness.report.recording import Recording
from harness.spec import Origin


class Console(Mininet):
    """Reads commands until ``exit`` or the end of the input. In virtual time the clock stands still
    at the prompt.

    ``folder`` gets captures and scenarios; ``origin`` is what the cluster was built from, where
    that can be said in a scenario.
    """

    prompt = "lvs> "

    def __init__(
        self, cluster: Cluster, folder: Path | None = None, origin: Origin | None = None
    ) -> None:
        super().__init__(cluster)
        self._folder = cluster.folder if folder is None else folder
        self._origin = origin
        self._captured = cluster.timeline.mark
        self.is_busy = False
        self.between: Callable[[], None] = lambda: None
        """What is called after each command, when the prompt is not busy."""

    def run(self, reason: str) -> None:
        """Say why it is here, and be here."""
        print(
            f"\n{reason}\nThe cluster is alive: {' '.join(self._cluster.nodes)}. Say"
            " `help`, or `exit` to go on."
        )
        if choice.virtual():
            print("Virtual time stands still at this prompt; `pass SECONDS` lets some pass.")
        sys.stdout.flush()
        while True:
            try:
                self.cmdloop()
            except Ended:
                raise
            except KeyboardInterrupt:
                print("\n(interrupted; `exit` goes on)")
                self._rest()
                continue
            return

    def precmd(self, line: str) -> str:
        """There is something to do."""
        self.is_busy = True
        return line

    def _rest(self) -> None:
        self.is_busy = False
        self.between()

    def emptyline(self) -> bool:
        """An empty line does nothing."""
        return False

    def do_help(self, line: str) -> None:
        """help: this list."""
        said = {
            "NODE COMMAND...": "Run it on a node: director1 ipvsadm -Ln | grep 80.",
            "FAULT NODE...": "Inject a fault: poweroff director1; `faults` lists them.",
        }
        for word in sorted(
            name.removeprefix("do_") for name in self.get_names() if name.startswith("do_")
        ):
            if word != "EOF":
                usage, colon, about = (getattr(self, f"do_{word}").__doc__ or "").partition(": ")
                said[usage if colon else word] = about if colon else usage
        width = max(map(len, said))
        print(
            "\n".join(
                f"{usage:<{width}}  {about[:1].upper()}{about[1:]}" for usage, about in said.items()
            )
        )
        if choice.virtual():
            print(
                "Commands get no input: time stands still at this prompt, and would"
                " race on while one waited for you."
            )

    # -- looking ---------------------------------------------------------------

    def do_owners(self, line: str) -> None:
        """Say who holds each VIP."""
        for vip in self._cluster.vips or [self._cluster.vip]:
            print(f"{vip}: {' '.join(self._cluster.owners(vip)) or 'nobody'}")

    def postcmd(self, stop: bool, line: str) -> bool:
        """Have what was on the wires written to the timeline, for whoever looks at its page."""
        with contextlib.suppress(HarnessError):
            self._cluster.timeline.events(Advertisement)
        self._rest()
        return stop

    def do_diagnose(self, line: str) -> None:
        """Say which misconfigurations there is evidence for."""
        found = self._cluster.diagnoses()
        print("\n".join(map(str, found)) or "nothing is found wrong")

    def do_timeline(self, line: str) -> None:
        """timeline [N]: the last N events (20), in milliseconds since the cluster was built."""
        if not (line.strip() or "20").isdigit():
            print("say how many events: timeline 50")
            return
        timeline = self._cluster.timeline
        timeline.events(Advertisement)
        count = int(line.strip() or 20)
        nodes = described(self._cluster.plan)["nodes"]
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
        print(
            table.render(
                timeline.events(since=timeline.mark), nodes, last=count, width=width, zero=0.0
            )
        )

    def do_capture(self, line: str) -> None:
        """capture NAME: write the frames since the last capture to NAME.pcapng."""
        path = self._new_file(line.strip() or "capture", ".pcapng")
        cluster = self._cluster
        frames = cluster.recorder.frames(since=self._captured)
        self._captured = cluster.timeline.now()
        recording = Recording(path, cluster, path.stem)
        try:
            recording.write(frames)
        finally:
            recording.close()
        print(f"{len(frames)} frames: {path}")

    def do_save(self, line: str) -> None:
        """save NAME: write what was typed as a scenario that judges how it is now."""
        name = line.strip().removeprefix("scenario ").strip().replace("-", "_")
        if not name.isidentifier():
            print("say what the scenario is called: save vip_is_lost")
            return
        if self._origin is None or self._script.is_empty:
            why = "it began in a scenario" if self._origin is None else "nothing was done yet"
            print(f"there is nothing to save: {why}")
            return
        text = self._script.module(name, self._origin, self._judgements(), self._injected)
        path = self._new_file(f"test_{name}", ".py")
        path.write_text(text, encoding="utf-8")
        print(f"{path}: copy it to scenarios/, and run it with pytest")

    def _judgements(self) -> list[str]:
        """How the cluster is now, as assertions."""
        cluster = self._cluster
        found = [f"cluster.owners({vip!r}) == {cluster.owners(vip)!r}" for vip in cluster.vips]
        for director in cluster.directors:
            if director.machine.powered and director.role.services:
                known = self._script.node(director, self._nodes)
                found.append(f"{known}.pool() == {director.pool()!r}")
        return found

    def _new_file(self, name: str, suffix: str) -> Path:
        """A file of the prompt's folder that is not there yet."""
        if Path(name).name != name:
            raise HarnessError(f"{name}: give a name, not a path; it is put into {self._folder}")
        path = self._folder / f"{name}{suffix}"
        number = 1
        while path.exists():
            number += 1
            path = self._folder / f"{name}{number}{suffix}"
        return path

    # -- time ------------------------------------------------------------------

    def do_pass(self, line: str) -> None:
        """pass SECONDS: let time pass."""
        try:
            seconds = float(line)
        except ValueError:
            seconds = math.nan
        if not 0 <= seconds < math.inf:
            print("say how many seconds: pass 5")
            return
        self._script.add(f"cluster.timeline.let_pass({seconds:g})")
        self._cluster.timeline.let_pass(seconds)
        print(f"it is {self._cluster.timeline.now():.3f} s since the cluster was built")

    def do_exit(self, line: str) -> bool:
        """Go on."""
        return True

    do_quit = do_exit

    def do_EOF(self, line: str) -> bool:
        """The end of the input goes on, too."""
        print()
        return True
