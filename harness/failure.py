"""The harness's own failure: an exception that nobody expected, told in a line that can be
reported.
"""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Final

STATUS: Final = 3
"""The exit status of a command that failed by itself; pytest's own internal errors have the same.
"""

_ROOT = Path(__file__).parent.parent
_OWN = ("harness", "topologies", "scenarios")
"""Folders of the harness. Libraries may lie beside them, or in ``.venv``."""
_SHOWN = 3


def told(problem: BaseException) -> str:
    """What is to be reported: the kind of exception, what it says, and the last lines of the
    harness on its way.
    """
    frames = [
        frame
        for frame in traceback.extract_tb(problem.__traceback__)
        if any(Path(frame.filename).is_relative_to(_ROOT / folder) for folder in _OWN)
    ]
    places = [
        f"{Path(frame.filename).relative_to(_ROOT)}:{frame.lineno}" for frame in frames[-_SHOWN:]
    ]
    said = " ".join(f"{type(problem).__name__}: {problem}".split())
    return (
        f"the harness failed: {said[:300]} (at"
        f" {', '.join(places) or 'no line of its own'}); this says nothing of your"
        " cluster: please report this line, with what you ran and `lvs-harness --version`"
    )
