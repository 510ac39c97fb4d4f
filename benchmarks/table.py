"""Figures as Markdown, judged as strictly as scenarios are: what cannot be told is inconclusive.

A figure is the median of what was measured. It is *inconclusive* where it is below what its own
measurement can tell apart from nothing, where it was measured only once, or where what is wanted
lies within its spread, so that another run might say the opposite.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

MET, MISSED, INCONCLUSIVE = "met", "**missed**", "*inconclusive*"


@dataclass(frozen=True)
class Figure:
    """One row: what was measured, the ``values`` of all rounds and their unit.

    ``most`` or ``least`` is wanted, if anything is. A value below ``resolution`` cannot be told
    from nothing. A figure that is ``counted``, such as failures, is exact and has no spread.
    """

    what: str
    values: tuple[float, ...]
    unit: str = "s"
    most: float | None = None
    least: float | None = None
    resolution: float = 0.0
    counted: bool = False

    @classmethod
    def count(cls, what: str, number: float, unit: str = "", **wanted: float | None) -> Figure:
        """A row of something that was counted."""
        return cls(what, (number,), unit, counted=True, **wanted)  # type: ignore[arg-type]

    @property
    def value(self) -> float:
        """The median of all rounds."""
        return median(self.values)

    @property
    def spread(self) -> str:
        """The smallest and the largest value, or why there is none."""
        if self.counted:
            return "exact"
        if len(self.values) == 1:
            return "once"
        return f"{short(min(self.values))} to {short(max(self.values))}, {len(self.values)} rounds"

    @property
    def wanted(self) -> str:
        """What is wanted of it, in words."""
        bounds = [("≤", self.most), ("≥", self.least)]
        words = [
            f"{sign} {bound:g} {self.unit}".strip() for sign, bound in bounds if bound is not None
        ]
        return " ".join(words)

    @property
    def verdict(self) -> str:
        """Whether the figure is what is wanted; empty if nothing is."""
        if not self.wanted:
            return ""
        if not self.counted and (len(self.values) == 1 or self._too_small):
            return INCONCLUSIVE
        fitting = [self._fits(value) for value in self.values]
        if all(fitting):
            return MET
        return INCONCLUSIVE if any(fitting) else MISSED

    @property
    def _too_small(self) -> bool:
        """A negative time is as much of an accident of the measurement as one below its
        resolution.
        """
        return self.resolution > 0 and self.value < self.resolution

    def _fits(self, value: float) -> bool:
        return (self.most is None or value <= self.most) and (
            self.least is None or value >= self.least
        )

    @property
    def cells(self) -> list[str]:
        """The row."""
        value = short(self.value)
        if self._too_small:
            value = f"less than {short(self.resolution)}"
        return [self.what, f"{value} {self.unit}".strip(), self.spread, self.wanted, self.verdict]


def ratio(
    what: str, over: Sequence[float], under: Sequence[float], **wanted: float | None
) -> Figure:
    """A row with the ratio of what was measured by turns, each round's by itself."""
    values = tuple(one / other for one, other in zip(over, under, strict=True))
    return Figure(what, values, "x", **wanted)  # type: ignore[arg-type]


def short(value: float) -> str:
    """Three digits that count, as a number that is read at once."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def section(title: str, figures: Iterable[Figure]) -> str:
    """A heading and a table."""
    head = ["", "median", "spread", "wanted", ""]
    return rows(title, head, [figure.cells for figure in figures])


def rows(title: str, head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """A heading and a table of any width; all columns but the first are aligned right."""
    lines = [head, ["---", *("--:" for _ in head[1:])], *body]
    return f"## {title}\n\n" + "".join(f"| {' | '.join(line)} |\n" for line in lines)
