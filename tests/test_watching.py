"""check --watch: a command runs again after a change below its folders, and what it writes
itself is none.
"""

from __future__ import annotations

import select
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from harness.cli.watching import _matters

PROGRAM = """
import sys
from pathlib import Path
from harness.cli.watching import again
check = [sys.executable, "-c", "print('checked', flush=True)"]
again(check, [Path(sys.argv[1])], lambda line: print(line, flush=True))
"""


@pytest.mark.parametrize(
    ("path", "matters"),
    [
        ("/srv/lb1.conf", True),
        ("/srv/conf.d/vip.conf", True),
        ("/srv/artifacts/run/run.json", False),
        ("/srv/.lb1.conf.swp", False),
        ("/srv/lb1.conf~", False),
        ("/srv/.git/index", False),
    ],
)
def test_what_a_check_or_an_editor_writes_is_no_change(path: str, matters: bool) -> None:
    assert _matters(path) == matters


def test_a_change_has_it_run_again_and_an_interrupt_ends_it(tmp_path: Path) -> None:
    file = tmp_path / "lb1.conf"
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "checked\n"
        assert "waiting for a change" in running.stdout.readline()
        while not select.select([running.stdout], [], [], 0.2)[0]:  # it says so before it watches
            file.write_text("changed\n")
        assert running.stdout.readline() == "lvs-harness: lb1.conf changed\n"
        assert running.stdout.readline() == "checked\n"
        running.send_signal(signal.SIGINT)
        _, told = running.communicate()
    assert "KeyboardInterrupt" in told  # which main() turns into status 130
