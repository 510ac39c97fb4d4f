"""``--web``: the page of a living cluster, as a user has it, with a button that reaches the prompt."""

from __future__ import annotations

import http.client
import json
import os
import pty
import re
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.guests import VIRTUAL

URL = re.compile(r"http://127\.0\.0\.1:\d+/[\w-]+/")


class Terminal:
    """A command in a terminal of its own, and what it has shown since the last wait."""

    def __init__(self, folder: Path, *command: str) -> None:
        self.pid, self.descriptor = pty.fork()
        if not self.pid:
            os.chdir(folder)
            os.execv(sys.executable, [sys.executable, "-m", *command])
        self.shown = ""

    def wait(self, pattern: str) -> str:
        """Read until that is shown; pytest's own limit ends what never comes."""
        while not (found := re.search(pattern, self.shown)):
            try:
                self.shown += os.read(self.descriptor, 4096).decode(errors="replace")
            except OSError:
                pytest.fail(f"it ended before {pattern}: {self.shown}")
        self.shown = self.shown[found.end() :]
        return found[0]

    def status(self) -> int:
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def asked(url: str, path: str = "", body: object = None) -> tuple[int, str]:
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.netloc, timeout=60)
    headers = {"Origin": f"http://{address.netloc}", "Content-Type": "application/json"}
    method = "GET" if body is None else "POST"
    connection.request(method, address.path + path, None if body is None else json.dumps(body), headers)
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
    with pytest.raises(ConnectionRefusedError):
        asked(url)


SCENARIO = """
from harness.scenario import topology
from topologies.director_pair import DirectorPair

@topology(DirectorPair)
def test_it(cluster):
    cluster.settle()
    assert cluster.fetch(2)
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
