"""The table of findings in ``docs/check.md``, made from their registry (``python -m
harness.check.catalogue``).
"""

from __future__ import annotations

from harness.check.finding import KINDS


def table() -> str:
    """A row for each kind of finding, in Markdown."""
    lines = ["| name | level | what it means | cure |", "|---|---|---|---|"]
    for name, kind in KINDS.items():
        lines.append(f"| `{name}` | {kind.level} | {kind.meaning} | {kind.cure} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    print(table(), end="")
