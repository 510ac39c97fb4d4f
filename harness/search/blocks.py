"""Where a block of a keepalived.conf ends, by its braces (pure)."""

from __future__ import annotations

from collections.abc import Sequence


def end(lines: Sequence[str], number: int) -> int:
    """The last line of the block that begins in a line; the last line of all if it does not end."""
    depth = 0
    for last in range(number, len(lines)):
        depth += lines[last].count("{") - lines[last].count("}")
        if depth == 0:
            return last
    return len(lines) - 1
