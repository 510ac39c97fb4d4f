"""``--web``: the page of a living cluster, as a user has it, with a button that reaches the
prompt.
"""

from __future__ import annotations

import http.client
import json
import os
import pty
import re
import select
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from harness.kernels.calls import linux
from tests.guests import PATIENCE, ROOT, VIRTUAL, all_gone, descendants, heed_signals

URL = re.compile(r"http://127\.0\.0\.1:\d+/[\w-]+/")


CTRL_C = b"\x03"


class Terminal:
    """A command in a terminal of its own, and what it has shown since the last wait."""

    def __init__(self, folder: Path, *command: str) -> None:
        self.temporary = folder / "tmp"
        self.temporary.mkdir(exist_ok=True)
        self.pid, self.descriptor = pty.fork()
        if not self.pid:
            heed_signals()
            os.chdir(folder)
            environment = {**os.environ, "TMPDIR": str(self.temporary), "PYTHONPATH": str(ROOT)}
            os.execve(sys.executable, [sys.executable, "-m", *command], environment)
        self.shown = ""

    def wait(self, pattern: str) -> str:
        """Read until that is shown."""
        while not (found := re.search(pattern, self.shown)):
            if not self._read():
                pytest.fail(f"it ended before {pattern}: {self.shown}")
        self.shown = self.shown[found.end() :]
        return found[0]

    def press(self, keys: bytes) -> None:
        os.write(self.descriptor, keys)

    def rest(self) -> str:
        """What is shown until it ends."""
        while self._read():
            pass
        return self.shown

    def _read(self) -> bool:
        """Whether it has shown more, rather than ended; what shows nothing for long is killed."""
        if not select.select([self.descriptor], [], [], PATIENCE)[0]:
            os.kill(self.pid, signal.SIGKILL)
            pytest.fail(f"it has hung, after this: {self.shown}")
        try:
            data = os.read(self.descriptor, 4096)
        except OSError:
            return False
        self.shown += data.decode(errors="replace")
        return bool(data)

    def status(self) -> int:
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


@pytest.fixture
def nothing_left() -> Iterator[Callable[[Terminal, str], None]]:
    """Whether a command that has ended has left a process, its page or a temporary folder."""
    linux.prctl(linux.PR_SET_CHILD_SUBREAPER, 1)  # processes that lose their parents come here
    before = set(descendants(os.getpid()))

    def check(terminal: Terminal, url: str) -> None:
        with pytest.raises(ConnectionRefusedError):
            asked(url)
        assert all_gone(before) == []
        assert [
            path.name
            for path in terminal.temporary.iterdir()
            if not path.name.startswith("pytest-of-")
        ] == []

    yield check
    linux.prctl(linux.PR_SET_CHILD_SUBREAPER, 0)


def asked(url: str, path: str = "", body: object = None) -> tuple[int, str]:
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.netloc, timeout=60)
    headers = {"Origin": f"http://{address.netloc}", "Content-Type": "application/json"}
    method = "GET" if body is None else "POST"
    connection.request(
        method, address.path + path, None if body is None else json.dumps(body), headers
    )
    answer = connection.getresponse()
    try:
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def test_a_button_of_up_reaches_its_prompt(tmp_path: Path) -> None:
    VIRTUAL.find()
    up = Terminal(tmp_path, "harness.cli", "up", "director_pair", "--web")
    url = up.wait(URL.pattern)
    up.wait("lvs> ")
    status, page = asked(url)
    assert status == 200
    assert "<option>director2" in page
    assert "1 running" in page
    assert "Incomplete" not in page

    assert asked(url, "do", {"word": "fault", "fault": "PowerOff", "node": "director1"})[0] == 200
    up.wait("director1 suffers from PowerOff")
    for _ in range(5):
        asked(url, "do", {"word": "pass"})
        up.wait("since the cluster was built")
    os.write(up.descriptor, b"owners\r")
    up.wait("172.16.10.50: director2")
    os.write(up.descriptor, b"exit\r")
    up.wait("logs, capture and timeline: ")
    assert up.status() == 0
    (run,) = (tmp_path / "artifacts").iterdir()
    about = json.loads((run / "run.json").read_text())
    assert (about["clock"], about["seed"], about["status"]) == ("virtual", 0, 0)
    with pytest.raises(ConnectionRefusedError):
        asked(url)


SCENARIO = """
from harness.scenario import topology
from topologies.director_pair import DirectorPair

@topology(DirectorPair)
def test_it(cluster):
    cluster.settle()
    assert cluster.client.fetch(2)
"""


def test_pytest_serves_its_page_as_long_as_it_runs(tmp_path: Path) -> None:
    VIRTUAL.find()
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_it.py").write_text(SCENARIO)
    command = [sys.executable, "-m", "pytest", "--web", "-p", "no:cacheprovider"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        url = next(found[0] for line in running.stdout if (found := URL.search(line)))
        rest = threading.Thread(target=running.stdout.read)
        rest.start()
        assert asked(url)[0] == 200
        assert running.wait() == 0
        rest.join()
    with pytest.raises(ConnectionRefusedError):
        asked(url)


LASTING = """
from harness.scenario import topology
from topologies.director_pair import DirectorPair

@topology(DirectorPair)
def test_good(cluster):
    cluster.settle()

@topology(DirectorPair)
def test_lasting(cluster):
    while True:
        cluster.timeline.let_pass(1)
"""


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("workers", ["0", "2"])
def test_ctrl_c_ends_pytest_and_its_page(
    times: int, workers: str, tmp_path: Path, nothing_left: Callable[[Terminal, str], None]
) -> None:
    """The page of what was found until then is written; a second Ctrl-C, as people press it,
    takes nothing of that.
    """
    running = lasting(tmp_path, "--web", "-n", workers)
    url = running.wait(URL.pattern)
    is_interrupted(running, times)
    nothing_left(running, url)


@pytest.mark.parametrize("workers", ["0", "2"])
def test_two_ctrl_c_end_pytest_without_a_page_as_well(workers: str, tmp_path: Path) -> None:
    is_interrupted(lasting(tmp_path, "-n", workers), times=2)


def lasting(folder: Path, *options: str) -> Terminal:
    VIRTUAL.find()
    (folder / "pytest.ini").write_text("[pytest]\n")
    (folder / "test_it.py").write_text(LASTING)
    return Terminal(folder, "pytest", "-p", "no:cacheprovider", "-v", *options)


def is_interrupted(running: Terminal, times: int) -> None:
    running.wait("PASSED")
    running.press(CTRL_C * times)

    said = running.rest()

    assert running.status() == pytest.ExitCode.INTERRUPTED, said
    assert "Traceback" not in said
    assert len(re.findall("KeyboardInterrupt !!|lvs-harness: interrupted", said)) == 1, said
    assert "report.html" in said


@pytest.mark.parametrize("times", [1, 2])
def test_ctrl_c_while_up_builds_ends_it_and_its_page(
    times: int, tmp_path: Path, nothing_left: Callable[[Terminal, str], None]
) -> None:
    VIRTUAL.find()
    up = Terminal(tmp_path, "harness.cli", "up", "director_pair", "--web")
    url = up.wait(URL.pattern)
    up.wait("building DirectorPair")
    up.press(CTRL_C * times)

    said = up.rest()

    assert up.status() == 130, said
    assert said.count("interrupted") == 1, said
    assert "Traceback" not in said
    nothing_left(up, url)


def test_ctrl_c_at_the_prompt_of_up_keeps_the_cluster(
    tmp_path: Path, nothing_left: Callable[[Terminal, str], None]
) -> None:
    """As at every prompt; `exit` or Ctrl-D ends it."""
    VIRTUAL.find()
    up = Terminal(tmp_path, "harness.cli", "up", "director_pair", "--web")
    url = up.wait(URL.pattern)
    up.wait("lvs> ")
    up.press(b"pass 3" + CTRL_C)
    up.wait(r"\(interrupted; `exit` goes on\)")
    assert asked(url)[0] == 200
    assert asked(url, "do", {"word": "pass"})[0] == 200
    up.wait("since the cluster was built")
    up.press(b"\x04")

    said = up.rest()

    assert up.status() == 0, said
    nothing_left(up, url)
