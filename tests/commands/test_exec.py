"""`lvs-harness exec`, from a second terminal, into a cluster that `lvs-harness up` keeps alive."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.guests import VIRTUAL

HARNESS = (sys.executable, "-m", "harness.cli")


class Up:
    """A cluster that lives until its prompt's input ends."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [*HARNESS, "up", "director_pair"],
            cwd=folder,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        while "The cluster is alive" not in (line := self.process.stdout.readline()):
            assert line, "it ended before its prompt"
        (self.run,) = (folder / "artifacts").iterdir()

    def words(self, *words: str) -> list[str]:
        # Another test's run may have begun in the same second, and have the same name.
        return [*HARNESS, "exec", "--cluster", str(self.run.resolve()), *words]

    def executes(self, *words: str, given: str = "") -> tuple[int, str, str]:
        """Exit status, output and errors."""
        done = subprocess.run(
            self.words(*words),
            input=given,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        return done.returncode, done.stdout, done.stderr

    def ends(self, typed: str) -> str:
        """What the prompt has said since, and to what is ``typed`` last."""
        said, _ = self.process.communicate(typed)
        assert self.process.returncode == 0
        return said


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    VIRTUAL.find()
    made = Up(tmp_path_factory.mktemp("up"))
    yield made
    made.process.kill()
    made.process.wait()


@pytest.mark.parametrize(
    ("words", "given", "status", "said", "complained"),
    [
        (("director1", "hostname"), "", 0, "director1\n", ""),
        (("web1", "sh", "-c", "echo one; echo two >&2; exit 7"), "", 7, "one\n", "two\n"),
        (("-i", "client", "tr", "a-z", "A-Z"), "some words\n", 0, "SOME WORDS\n", ""),
        (("client", "cat"), "which nobody passes on\n", 0, "", ""),
        (("client", "--", "ip", "-br", "link", "show", "lo"), "", 0, "lo", ""),
        (("web2", "sh", "-c", 'echo "$@"', "sh", "a", "--", "-b"), "", 0, "a -- -b\n", ""),
        (("web1", "sh", "-c", "kill -9 $$"), "", 128 + signal.SIGKILL, "", ""),
        (("web1", "sleep", "1000"), "", 0, "", ""),
        (("web1", "nosuch"), "", 127, "", "lvs-harness: web1: there is no program nosuch\n"),
        (
            ("web9", "true"),
            "",
            255,
            "",
            "lvs-harness: no node web9; nodes: director1 director2 web1 web2 client\n",
        ),
        (
            ("web1",),
            "",
            255,
            "",
            "lvs-harness: say what web1 is to run: lvs-harness exec web1 ip address\n",
        ),
    ],
    ids=lambda value: None,
)
def test_a_program_runs_as_it_would_here(
    up: Up, words: tuple[str, ...], given: str, status: int, said: str, complained: str
) -> None:
    ended, output, errors = up.executes(*words, given=given)
    assert (ended, errors) == (status, complained)
    assert output.startswith(said)
    assert bool(output) == bool(said)


def test_what_it_writes_comes_as_it_is_written_and_it_can_be_interrupted(up: Up) -> None:
    # A shell ignores SIGINT for what it runs in the background, and so do its children.
    words = ["env", "--default-signal=INT", *up.words("client", "ping", "172.16.10.50")]
    pings = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    assert pings.stdout is not None
    while "icmp_seq=3" not in pings.stdout.readline():
        assert pings.poll() is None
    pings.send_signal(signal.SIGINT)
    assert "packets transmitted" in pings.communicate()[0]
    assert pings.returncode == 0


def test_another_name_is_none_of_the_clusters(up: Up) -> None:
    done = subprocess.run(
        [*HARNESS, "exec", "--cluster", "x", "web1", "true"], capture_output=True, text=True
    )
    assert done.returncode == 255
    assert done.stderr.startswith("lvs-harness: no cluster that lives is called x; there are: ")
    assert f"director_pair ({up.run.name})" in done.stderr


def test_the_prompt_goes_on_and_saves_what_was_run(up: Up) -> None:
    """The last of all: it ends the cluster."""
    up.executes("director1", "touch", "/run/here")
    said = up.ends("director1 ls /run/here\nsave it\n")
    assert "/run/here\n" in said
    (saved,) = up.run.glob("*/test_it.py")
    assert "director1.machine.run(['touch', '/run/here'], check=False)" in saved.read_text()
    assert not (up.run / ".asked").exists()
    status, _, complained = up.executes("web1", "true")
    assert status == 255
    assert "lives" in complained
