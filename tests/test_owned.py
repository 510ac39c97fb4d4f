"""What a command has for itself, and what stays of it when it is killed."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys

from tests.guests import ROOT

KEEPS_A_FOLDER = """
import subprocess, sys, time
from harness.kernels.host import owned
with owned.scratch() as folder:
    late = f"import os, time; time.sleep(0.5); os.makedirs({str(folder)!r}, exist_ok=True); print('late')"
    subprocess.Popen([sys.executable, "-c", late])
    print(folder, flush=True)
    sys.stdin.read()
"""


def test_a_folder_that_is_written_to_after_its_owner_was_killed_is_removed_all_the_same() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", KEEPS_A_FOLDER], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as owner:
        assert owner.stdout is not None
        folder = owner.stdout.readline().strip()
        remover = _remover(owner.pid)
        owner.send_signal(signal.SIGKILL)
        assert owner.stdout.read() == "late\n"
        select.select([remover], [], [])
        os.close(remover)
    assert not os.path.exists(folder)


def _remover(owner: int) -> int:
    """A descriptor that becomes readable when the process that removes the folder ends."""
    for child in subprocess.check_output(["pgrep", "-P", str(owner), "-f", "mkdtemp"], text=True).split():
        return os.pidfd_open(int(child))
    raise AssertionError("nobody would remove the folder")
