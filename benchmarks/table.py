"""Figures as Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Figure:
    """One row: what was measured, the ``value`` and its unit, and the most or least that is wanted, if anything is."""

    what: str
    value: float
    unit: str = "s"
    most: float | None = None
    least: float | None = None

    @property
    def met(self) -> bool:
        """Whether the value is what is wanted."""
        return (self.most is None or self.value <= self.most) and (self.least is None or self.value >= self.least)

    @property
    def cells(self) -> list[str]:
        """The row."""
        bounds = [("≤", self.most), ("≥", self.least)]
        wanted = " ".join(f"{sign} {bound:g} {self.unit}" for sign, bound in bounds if bound is not None)
        verdict = ("met" if self.met else "**missed**") if wanted else ""
        return [self.what, f"{_short(self.value)} {self.unit}", wanted, verdict]


def _short(value: float) -> str:
    """Three digits that count, as a number that is read at once."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def section(title: str, figures: Sequence[Figure]) -> str:
    """A heading and a table."""
    return rows(title, ["", "measured", "wanted", ""], [figure.cells for figure in figures])


def rows(title: str, head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """A heading and a table of any width; all columns but the first are aligned right."""
    lines = [head, ["---", *("--:" for _ in head[1:])], *body]
    return f"## {title}\n\n" + "".join(f"| {' | '.join(line)} |\n" for line in lines)
