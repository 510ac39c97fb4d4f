"""``lvs-harness search`` that somebody ends by Ctrl-C, as a user runs it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

from tests.guests import ROOT, VIRTUAL

TOPOLOGY = """
    from topologies.director_pair import DirectorPair

    EDIT = ("advert_int 1", "advert_int 1\\n    nopreempt")

    class NeverComesBack(DirectorPair):
        def build(self, **parameters):
            super().build(edits={"director1": (EDIT,)}, **parameters)

    topos = {"never_comes_back": NeverComesBack}
"""


def test_what_was_found_is_told_though_no_test_fails(tmp_path: Path) -> None:
    """What repeats and was made small is on disk by then, and is listed."""
    VIRTUAL.find()
    (tmp_path / "never.py").write_text(textwrap.dedent(TOPOLOGY))
    command = [str(Path(sys.executable).with_name("lvs-harness")), "search", "never.py"]
    said = []
    with subprocess.Popen(
        [*command, "--examples", "200"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        for line in process.stdout or ():
            said.append(line)
            if line.startswith("search: found: "):
                process.send_signal(signal.SIGINT)
    assert process.returncode == 2
    text = "".join(said)
    assert "search: found before it was interrupted:\n" in text
    _, _, listed = text.partition("found before it was interrupted:\n")
    assert "which versions have it: pytest artifacts/" in listed
    assert list(tmp_path.glob("artifacts/*/found_*/test_*.py"))
