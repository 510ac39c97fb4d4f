"""What a command has for itself, and what stays of it when it is killed."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from harness.errors import HarnessError
from harness.kernels.host import owned
from tests.guests import ROOT

KEEPS_A_FOLDER = """
import subprocess, sys, time
from harness.kernels.host import owned
with owned.scratch() as folder:
    late = "import os, time; time.sleep(0.5);"
    late += f" os.makedirs({str(folder)!r}, exist_ok=True); print('late')"
    subprocess.Popen([sys.executable, "-c", late])
    print(folder, flush=True)
    sys.stdin.read()
"""


def test_a_folder_that_is_written_to_after_its_owner_was_killed_is_removed_all_the_same() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", KEEPS_A_FOLDER],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as owner:
        assert owner.stdout is not None
        folder = owner.stdout.readline().strip()
        remover = _remover(owner.pid)
        owner.send_signal(signal.SIGKILL)
        assert owner.stdout.read() == "late\n"
        select.select([remover], [], [])
        os.close(remover)
    assert not os.path.exists(folder)


@pytest.mark.parametrize("interrupted", [False, True], ids=["remover killed", "interrupted"])
def test_a_folder_is_removed_by_whoever_is_left(interrupted: bool) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", KEEPS_A_FOLDER],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as owner:
        assert owner.stdout is not None
        folder = owner.stdout.readline().strip()
        if interrupted:
            owner.send_signal(signal.SIGINT)
        else:
            signal.pidfd_send_signal(remover := _remover(owner.pid), signal.SIGKILL)
            os.close(remover)
        owner.communicate()
    assert not os.path.exists(folder)


def test_the_folder_of_one_that_was_killed_before_it_heard_of_it_is_removed(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-S", "-c", owned._KEEPER]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=writer, env=environment) as keeper:
        os.close(writer)
        keeper.communicate()
    assert keeper.returncode == 0
    assert list(tmp_path.iterdir()) == []


def test_where_no_folder_can_be_made_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(owned, "_KEEPER", "raise OSError")
    with pytest.raises(HarnessError, match="set TMPDIR"), owned.scratch():
        pass


def _remover(owner: int) -> int:
    """A descriptor that becomes readable when the process that removes the folder ends."""
    for child in subprocess.check_output(
        ["pgrep", "-P", str(owner), "-f", "mkdtemp"], text=True
    ).split():
        return os.pidfd_open(int(child))
    raise AssertionError("nobody would remove the folder")
