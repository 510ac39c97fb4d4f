"""What a command says of itself while it works: beside its result, which is alone on its standard
output.
"""

from __future__ import annotations

import sys


def progress(line: str) -> None:
    """Say what begins now."""
    print(f"lvs-harness: {line}...", file=sys.stderr, flush=True)
