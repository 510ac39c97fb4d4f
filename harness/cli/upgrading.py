"""``lvs-harness check --image bookworm --then trixie``: what an upgrade changes for somebody's own
files.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from harness.check import upgrading
from harness.check.verdict import BREAKS
from harness.errors import HarnessError
from harness.kernels.host import owned

JUDGED = (0, 1, 5)
"""Exit statuses of a check that has a verdict."""

UNUSABLE = 4
"""That of a check whose files this keepalived does not run with, which is a verdict as well."""

READS = "keepalived reads the configurations and stays up."


def compared(command: Sequence[str], before: str, after: str, directors: Sequence[str]) -> int:
    """Check with both releases and with pairs of both, and print what differs.

    ``command`` is the check's, ``directors`` their names. The status is 1 where something is worse
    than with ``before`` alone. Raises HarnessError where a check comes to no verdict.
    """
    verdicts: dict[str, Mapping[str, object]] = {}
    with owned.scratch() as folder:
        for column, images in upgrading.columns(before, after, directors).items():
            print(f"lvs-harness: checking with {column}", flush=True)
            file = Path(folder) / f"{len(verdicts)}.json"
            options = [part for image in images for part in ("--image", image)]
            done = owned.run([*command, *options, "--verdict-json", str(file)], capture=True)
            if done.returncode == UNUSABLE:
                print(_last_words(done.stdout + done.stderr))
                verdicts[column] = {"outcomes": [{"about": READS, "verdict": BREAKS}]}
            elif done.returncode in JUDGED and file.exists():
                verdicts[column] = json.loads(file.read_text(encoding="utf-8"))
            else:
                said = done.stdout + done.stderr
                raise HarnessError(f"with {column} the check ended with {done.returncode}:\n{said}")
    for line in upgrading.report(verdicts):
        print(line)
    return 1 if upgrading.worse(verdicts) else 0


def _last_words(said: str) -> str:
    """Why pytest ended the run: it writes an exclamation mark or ``ERROR:`` before that."""
    lines = [line.strip("! ") for line in said.splitlines() if line.startswith(("! ", "ERROR: "))]
    return f"    {lines[-1]}" if lines else "    the files cannot be used"
