"""A page of where in their windows the measured times of many runs lie: distributions, drawn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.report.page import asset, environment, save

BARS = 40
"""Into so many parts a window is divided."""

_SCRIPTS = ("theme.js",)
_BESIDE = 0.15
"""How much is drawn on either side of a window, in parts of it; what lies farther off is drawn at
the edge.
"""


@dataclass(frozen=True)
class Distribution:
    """Times of one kind: where in their window they lie, 0 at its beginning and 1 at its end.

    ``filled`` is the part of the window between the lowest and the highest inside it, and
    ``enough`` whether that suffices.
    """

    name: str
    what: str
    shares: Sequence[float]
    filled: float
    enough: bool

    @property
    def outside(self) -> int:
        """How many lie outside the window."""
        return sum(not 0 <= share <= 1 for share in self.shares)

    @property
    def bars(self) -> list[dict[str, float | bool]]:
        """The bars inside the window, and a mark for each time outside, in percent of the
        drawing.
        """
        counts = [0] * BARS
        for share in self.shares:
            if 0 <= share <= 1:
                counts[min(int(share * BARS), BARS - 1)] += 1
        most = max(counts) or 1
        drawn: list[dict[str, float | bool]] = [
            {"left": _place(number / BARS), "height": 100 * count / most, "outside": False}
            for number, count in enumerate(counts)
            if count
        ]
        for share in self.shares:
            if not 0 <= share <= 1:
                at = _place(min(max(share, -_BESIDE), 1 + _BESIDE - 1 / BARS))
                drawn.append({"left": at, "height": 100, "outside": True})
        return drawn


def _place(share: float) -> float:
    """Where a share is in the drawing, in percent of its width."""
    return round(100 * (share + _BESIDE) / (1 + 2 * _BESIDE), 2)


def write(target: Path, title: str, told: str, rows: Sequence[Distribution]) -> Path:
    """Write the page, ``told`` above the rows; returns where it is. Raises HarnessError."""
    text = (
        environment()
        .get_template("distributions.html.j2")
        .render(
            title=title,
            told=told,
            rows=rows,
            window=(_place(0), _place(1)),
            width=round(_place(1 / BARS) - _place(0), 2),
            style=asset("page.css"),
            script="\n".join(map(asset, _SCRIPTS)),
        )
    )
    return save(target, text)
