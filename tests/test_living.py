"""Which clusters live, and what came of a program that one was asked to run."""

from __future__ import annotations

import json
import os
import signal
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.errors import HarnessError
from harness.live import living


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache"


def another(run: Path, cluster: str = "director_pair") -> int:
    """A process in which a cluster lives, which has said so."""
    reader, writer = os.pipe()
    if not (pid := os.fork()):
        with living.announced(cluster, run):
            signal.signal(living.SIGNAL, signal.SIG_IGN)
            os.write(writer, b".")
            signal.pause()
    os.close(writer)
    os.read(reader, 1)
    os.close(reader)
    return pid


@pytest.fixture
def lives(tmp_path: Path) -> Iterator[tuple[Path, int]]:
    run = tmp_path / "2026-01-02_03-04-05"
    (run / living.ROOM).mkdir(parents=True)
    pid = another(run)
    yield run, pid
    end(pid)


def end(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    except ProcessLookupError:
        return


def test_a_cluster_is_found_by_any_of_its_names(lives: tuple[Path, int]) -> None:
    run, pid = lives
    found = living.Living("director_pair", run, pid)
    assert living.living() == [found]
    for called in (None, "director_pair", run.name, str(run)):
        assert living.the_one(called) == found


def test_one_that_was_killed_lives_no_longer(lives: tuple[Path, int]) -> None:
    end(lives[1])
    with pytest.raises(HarnessError, match="no cluster of yours lives: build one"):
        living.the_one(None)
    assert not list(living.folder().iterdir())


def test_runs_of_the_same_second_are_told_apart(lives: tuple[Path, int], tmp_path: Path) -> None:
    run, _ = lives
    other = tmp_path / "elsewhere" / run.name
    (other / living.ROOM).mkdir(parents=True)
    pid = another(other)
    try:
        with pytest.raises(HarnessError, match="several clusters live") as told:
            living.the_one(run.name)
        assert str(run) in str(told.value)
        assert str(other) in str(told.value)
        assert living.the_one(str(other)).pid == pid
    finally:
        end(pid)


def test_of_several_one_has_to_be_named(lives: tuple[Path, int], tmp_path: Path) -> None:
    other = another(tmp_path / "other", "farm")
    try:
        with pytest.raises(
            HarnessError,
            match=r"several clusters live: .*farm \(other\).*; say which with --cluster",
        ):
            living.the_one(None)
        assert living.the_one("farm").pid == other
    finally:
        end(other)


def test_the_folder_is_the_users_alone() -> None:
    folder = living.folder()
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    folder.chmod(0o755)
    with pytest.raises(HarnessError, match="must be a folder of yours that nobody else enters"):
        living.the_one(None)


def test_one_that_is_being_built_is_not_asked(lives: tuple[Path, int]) -> None:
    (lives[0] / living.ROOM).rmdir()
    with pytest.raises(HarnessError, match="is being built: wait for its prompt"):
        living.Asked(living.the_one(None), "web1", ["true"])


@pytest.mark.parametrize(
    ("answer", "status", "told"),
    [
        ({"status": 3}, 3, ""),
        ({"status": -9}, 137, ""),
        (
            {"status": 127, "problem": "web1: there is no program x"},
            127,
            "lvs-harness: web1: there is no program x\n",
        ),
    ],
)
def test_an_answer_is_the_programs_status(
    lives: tuple[Path, int],
    answer: object,
    status: int,
    told: str,
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert asked(lives[0], json.dumps(answer)) == status
    assert capfd.readouterr() == ("out\n", told)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ('{"problem": "\\u001b[2Jno node"}', r"^\?\[2Jno node$"),
        ("[]", "gave no answer that can be read"),
        ('{"status": true}', "gave no answer that can be read"),
        ("[" * 100000, "gave no answer that can be read"),
    ],
)
def test_a_guest_that_answers_anything_else_is_told(
    lives: tuple[Path, int], answer: str, told: str
) -> None:
    with pytest.raises(HarnessError, match=told):
        asked(lives[0], answer)


def asked(run: Path, answer: str) -> int:
    """What comes of a program, once the prompt has written such an answer."""
    program = living.Asked(living.the_one(None), "web1", ["true"])
    (request,) = (run / living.ROOM).glob("*.json")
    assert json.loads(request.read_bytes()) == {"node": "web1", "command": ["true"]}
    request.with_suffix(living.OUTPUT).write_bytes(b"out\n")
    request.with_suffix(living.ANSWER).write_text(answer)
    return program.wait()


def test_a_cluster_that_ends_meanwhile_is_told(lives: tuple[Path, int]) -> None:
    program = living.Asked(living.the_one(None), "web1", ["true"])
    end(lives[1])
    with pytest.raises(HarnessError, match="director_pair has ended meanwhile"):
        program.wait()
