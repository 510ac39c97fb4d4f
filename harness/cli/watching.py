"""``lvs-harness check --watch``: the check runs again whenever something beside the files is
saved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from harness.kernels.host import owned

ARTIFACTS = "artifacts"
"""Where a check itself writes, which is no reason for another one."""


def again(
    command: Sequence[str], folders: Iterable[Path], told: Callable[[str], None] = print
) -> int:
    """Run the command, and again after each change below the folders, until somebody interrupts it.

    What changes while it runs counts as one change afterwards.
    """
    from watchfiles import watch

    watched = sorted({folder.resolve() for folder in folders})
    status = owned.run(command).returncode
    told(
        f"lvs-harness: ended with {status}; waiting for a change below"
        f" {', '.join(map(str, watched))}"
    )
    for changes in watch(
        *watched, watch_filter=lambda _, path: _matters(path), raise_interrupt=True
    ):
        names = sorted({Path(path).name for _, path in changes})
        told(f"lvs-harness: {', '.join(names)} changed")
        status = owned.run(command).returncode
        told(f"lvs-harness: ended with {status}; waiting for the next change")
    return status


def _matters(path: str) -> bool:
    """Whether a change there can matter: not to what a check writes, nor to an editor's or git's
    own files.
    """
    parts = Path(path).parts
    return not any(
        part == ARTIFACTS or part.startswith(".") or part.endswith("~") for part in parts
    )
