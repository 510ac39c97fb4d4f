"""How behaviours come out in several versions: a table of outcomes, the differences first. Pure."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass
class Grid:
    """``cells`` are outcomes in words, by behaviour and column."""

    cells: dict[str, dict[str, str]] = field(default_factory=dict)

    def put(self, behaviour: str, column: str, outcome: str) -> None:
        """Enter an outcome."""
        self.cells.setdefault(behaviour, {})[column] = outcome

    def merge(self, other: Grid, prefix: str) -> None:
        """Enter all of another grid, its columns named with a prefix."""
        for behaviour, row in other.cells.items():
            for column, outcome in row.items():
                self.put(behaviour, f"{prefix} {column}".strip(), outcome)

    @property
    def columns(self) -> list[str]:
        """All columns, in the order in which they came."""
        return list(dict.fromkeys(itertools.chain.from_iterable(self.cells.values())))

    def differs(self, behaviour: str) -> bool:
        """Whether the columns do not agree on a behaviour."""
        row = self.cells[behaviour]
        return len({row.get(column) for column in self.columns}) > 1

    def render(self, versions: Mapping[str, str] | None = None) -> list[str]:
        """The lines of the table: first the behaviours whose outcomes differ, then the others.

        ``versions`` says of columns which version each is.
        """
        columns = self.columns
        ordered = sorted(self.cells, key=lambda behaviour: not self.differs(behaviour))  # stable
        heads = [["", *columns]]
        if versions:
            heads.append(["", *(versions.get(column) or "" for column in columns)])
        rows = [*heads]
        for behaviour in ordered:
            row = self.cells[behaviour]
            rows.append([behaviour, *(row.get(column, "-") for column in columns)])
        widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
        lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
        differing = sum(map(self.differs, self.cells))
        if 0 < differing < len(self.cells):
            lines.insert(len(heads) + differing, "")
        lines.append(f"{differing} of {len(self.cells)} behaviours differ")
        return lines

    def dump(self) -> str:
        """As JSON."""
        return json.dumps(self.cells, indent=1, ensure_ascii=False) + "\n"

    @classmethod
    def load(cls, text: str) -> Grid:
        """From JSON."""
        cells: Mapping[str, Mapping[str, str]] = json.loads(text)
        return cls({behaviour: dict(row) for behaviour, row in cells.items()})
