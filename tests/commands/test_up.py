"""`lvs-harness up` as a user has it: configurations, faults by name, and what was typed run
again.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from tests.guests import VIRTUAL

EXAMPLE = Path(__file__).resolve().parents[2] / "examples/two-directors"
TYPED = """\
poweroff lb1
pass 5
owners
save it_moves
"""


def run(repository: Path, *command: str, typed: str = "") -> str:
    """What a command of the harness's prints, in somebody's repository."""
    words = [sys.executable, "-m", *command]
    ran = subprocess.run(
        words, cwd=repository, input=typed, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def test_what_is_typed_at_a_cluster_of_configurations_runs_again(tmp_path: Path) -> None:
    VIRTUAL.find()
    shutil.copytree(EXAMPLE, tmp_path, dirs_exist_ok=True)

    told = run(tmp_path, "harness.cli", "up", "lb1.conf", "lb2.conf", typed=TYPED)
    assert "lb1 holds 192.0.2.80; " in told
    assert "lb1 suffers from PowerOff since" in told
    assert "192.0.2.80: lb2\n" in told

    (saved,) = tmp_path.glob("artifacts/*/*/test_it_moves.py")
    assert "assert cluster.owners('192.0.2.80') == ['lb2']" in saved.read_text()
    shutil.copy(saved, tmp_path)
    assert "1 passed" in run(tmp_path, "pytest", "-q", "-p", "no:cacheprovider", "test_it_moves.py")
