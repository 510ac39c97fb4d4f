"""``python -m harness.check.catalogue docs/check.md`` writes the table of findings there anew."""

from __future__ import annotations

import sys
from pathlib import Path

from harness.check.kinds import KINDS

BEGIN, END = "<!-- begin: written by make docs -->\n", "<!-- end -->\n"


def table() -> str:
    """A row for each kind of finding, in Markdown."""
    lines = ["| name | level | what it means | cure |", "|---|---|---|---|"]
    for name, kind in KINDS.items():
        lines.append(f"| `{name}` | {kind.level} | {kind.meaning} | {kind.cure} |")
    return "\n".join(lines) + "\n"


def with_table(page: str) -> str:
    """A page's text with the table between its two marks written anew."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}{table()}{END}{after}"


if __name__ == "__main__":
    document = Path(sys.argv[1])
    document.write_text(with_table(document.read_text("utf-8")), "utf-8")
