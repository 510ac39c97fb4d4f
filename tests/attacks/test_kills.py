"""Whatever ends a command, or something that it has started, at whatever moment: nothing stays
but its artifacts.
"""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from harness.kernels import choice
from harness.kernels.calls import linux
from harness.kernels.host import uml
from harness.kernels.making import cache
from tests.guests import PATIENCE, ROOT, all_gone, descendants, heed_signals, status

pytestmark = pytest.mark.slow

SETTLE = 2.0
"""Seconds that a command goes on after something else than itself was killed, before it is
asked to end.
"""
LONGEST = 12.0
"""Seconds after which a command that nobody has killed is well in the middle of its run."""

EXAMPLE = ROOT / "examples/two-directors"
SCENARIOS = [
    "scenarios/",
    "-k",
    "failover_to_the_backup",
    "-p",
    "no:cacheprovider",
    "--kernel",
    "uml",
]
LVS = [sys.executable, "-m", "harness.cli"]
ENDING = (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGINT)


def _commands(folder: Path) -> dict[str, list[str]]:
    here = ["--artifacts", str(folder / "artifacts")]
    # As the command does, it heeds the signals that ask it to end. Without that, the one that has
    # the keeper of its folder killed and is then asked to end would leave the folder.
    judge = (
        "import sys; from harness.cli import bisect; from harness.kernels.host import interrupts;"
        "interrupts.install(); print(bisect.judge(sys.argv[1:]))"
    )
    check = [
        *LVS,
        "check",
        f"{EXAMPLE}/lb1.conf",
        f"{EXAMPLE}/lb2.conf",
        "--",
        "--kernel",
        "uml",
        *here,
    ]
    made = " ".join(f"'{word}'" if " " in word else word for word in [*SCENARIOS[1:], *here])
    return {
        "check": check,
        "up": [*LVS, "up", "director_pair", "--kernel", "uml", *here],
        "page": [*LVS, "up", "director_pair", "--kernel", "uml", "--web", *here],
        "bisect": [sys.executable, "-c", judge, *SCENARIOS, *here],
        "scenarios": ["make", "--silent", "scenarios", f"ARGS={made}"],
        "workers": [sys.executable, "-m", "pytest", *SCENARIOS, *here, "-n", "2"],
        "kernels": [
            sys.executable,
            "-m",
            "pytest",
            *SCENARIOS,
            *here,
            "--matrix",
            "kernel=uml,uml",
        ],
    }


@dataclass(frozen=True)
class Apart:
    """A process that keeps mounts and interfaces of its own, which are those of the commands that a
    test starts.

    So what others do on this machine meanwhile is not taken for something that a command has left.
    """

    keeper: int

    def enter(self) -> None:
        """For ``preexec_fn``: from now on live there."""
        here = os.getcwd()
        for kind in ("mnt", "net"):
            namespace = os.open(f"/proc/{self.keeper}/ns/{kind}", os.O_RDONLY)
            linux.setns(namespace)
            os.close(namespace)
        os.chdir(here)
        heed_signals()

    def places(self) -> set[str]:
        """Mounts and interfaces."""
        there = Path(f"/proc/{self.keeper}")
        mounts = (there / "mountinfo").read_text().splitlines()
        interfaces = (there / "net/dev").read_text().splitlines()[2:]
        return {*mounts, *(line.partition(":")[0].strip() for line in interfaces)}


@pytest.fixture
def apart() -> Iterator[Apart | None]:
    """None for an ordinary user, who can make no mounts and no interfaces."""
    if os.geteuid():
        yield None
        return
    # What is mounted by a command that has namespaces of its own would be seen here if it were to
    # be seen anywhere.
    keep = "mount --make-rshared / && echo made && exec sleep infinity"
    command = ["unshare", "--mount", "--propagation", "private", "--net", "sh", "-c", keep]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as keeper:
        assert keeper.stdout is not None
        try:
            assert keeper.stdout.readline() == b"made\n"
            yield Apart(keeper.pid)
        finally:
            keeper.kill()


@pytest.fixture
def _orphans_come_here() -> Iterator[None]:
    """Processes that lose their parents become children of this one, where they are seen."""
    linux.prctl(linux.PR_SET_CHILD_SUBREAPER, 1)
    yield
    linux.prctl(linux.PR_SET_CHILD_SUBREAPER, 0)


def _start(name: str, folder: Path, apart: Apart | None) -> subprocess.Popen[bytes]:
    temporary = folder / "tmp"
    temporary.mkdir(exist_ok=True)
    return subprocess.Popen(
        _commands(folder)[name],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(temporary)},
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=heed_signals if apart is None else apart.enter,
    )


def _kill_one(name: str, folder: Path, apart: Apart | None, chance: random.Random) -> str:
    """Start a command and end it, or something below it, at some moment; what was done, in
    words.
    """
    moment = chance.uniform(0, LONGEST)
    started = _start(name, folder, apart)
    with suppress(subprocess.TimeoutExpired):
        started.wait(moment)
    below = list(descendants(started.pid))
    number, victim = chance.choice(ENDING), started.pid
    if below and chance.random() < 0.5:
        number, victim = signal.SIGKILL, chance.choice(below)
    what = status(victim).partition(b"\n")[0].decode().removeprefix("Name:\t")
    with suppress(ProcessLookupError):
        os.kill(victim, number)
    if started.stdin is not None:
        started.stdin.close()
    if victim != started.pid:
        with suppress(subprocess.TimeoutExpired):
            started.wait(SETTLE)
        started.send_signal(signal.SIGTERM)
    try:
        started.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        started.kill()
        pytest.fail(f"{name}, {what} killed by {number.name} after {moment:.2f} s: it never ended")
    return f"{name}, {what} killed by {number.name} after {moment:.2f} s"


@pytest.mark.usefixtures("_orphans_come_here")
def test_nothing_stays_of_a_command_that_was_ended(
    tmp_path: Path, pytestconfig: pytest.Config, apart: Apart | None
) -> None:
    if choice.in_guest() or (uml.packaged() is None and cache.find() is None):
        pytest.skip("no embedded kernel here: install user-mode-linux")
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    before, places = set(descendants(os.getpid())), apart.places() if apart else set()
    for number in range(pytestconfig.getoption("kills")):
        name = list(_commands(tmp_path))[number % len(_commands(tmp_path))]
        done = _kill_one(name, tmp_path, apart, chance)
        left = [status(pid).partition(b"\n")[0].decode() for pid in all_gone(before)]
        assert left == [], f"seed {seed}, {done}: left are {left}"
        made = [path.name for path in (tmp_path / "tmp").iterdir()]
        files = [
            name for name in made if not name.startswith("pytest-of-")
        ]  # pytest's own, which it keeps
        assert files == [], f"seed {seed}, {done}: left are {files}"
        made = sorted(apart.places() - places) if apart else []
        assert made == [], f"seed {seed}, {done}: left are {made}"


def _orphaned_loop(folder: Path) -> list[str]:
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "test_loop.py").write_text(
        "from harness.scenario import topology\n"
        "from topologies.director_pair import DirectorPair\n"
        "class Loops(DirectorPair):\n"
        "    def build(self):\n"
        f"        open({str(folder / 'begun')!r}, 'w').close()\n"
        "        while True: pass\n"
        "@topology(Loops)\n"
        "def test_it(cluster): pass\n"
    )
    return [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", str(folder)]


def _wait_for(there: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not there():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.mark.usefixtures("_orphans_come_here")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_a_topology_that_loops_leaves_no_orphan(number: signal.Signals, tmp_path: Path) -> None:
    """The process that builds it ends with pytest."""
    before = set(descendants(os.getpid()))
    running = subprocess.Popen(
        _orphaned_loop(tmp_path),
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        preexec_fn=heed_signals,
    )
    _wait_for((tmp_path / "begun").exists)
    running.send_signal(number)
    running.wait(PATIENCE)
    assert all_gone(before) == []


@pytest.mark.usefixtures("_orphans_come_here")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_an_interrupted_check_says_what_it_has_found(
    number: signal.Signals, tmp_path: Path
) -> None:
    """With the status 130."""
    if choice.in_guest() or (uml.packaged() is None and cache.find() is None):
        pytest.skip("no embedded kernel here: install user-mode-linux")
    before = set(descendants(os.getpid()))
    with subprocess.Popen(
        [*_commands(tmp_path)["check"], "-v"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=heed_signals,
    ) as running:
        assert running.stdout is not None
        said = ""
        while "PASSED" not in said:
            line = running.stdout.readline()
            assert line, said
            said += line
        running.send_signal(number)
        said += running.stdout.read()
    assert running.returncode == 130, said
    assert "works" in said
    assert "interrupted: this is what was found until then; " in said
    assert "Traceback" not in said
    assert all_gone(before) == []
