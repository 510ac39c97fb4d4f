"""What a client under load measured, to be plotted along the timeline: how long each request took,
and how many a second came to what. Pure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from harness.events import Request

LEAST: Final = 20
"""Requests of which a plot says more than their marks do."""

LABELS: Final = ("latency in ms", "requests a second")


@dataclass(frozen=True)
class Plot:
    """``requests`` is the row of a picture that has a mark for each request, ``latency`` and
    ``rate`` are the rows to plot in. ``took`` has the milliseconds of each request, in the order
    of the marks, with three digits.
    """

    requests: int
    latency: int
    rate: int
    took: Sequence[float]

    def as_json(self) -> dict[str, Any]:
        """What the page draws."""
        return dict(vars(self))


def took(requests: Sequence[Request]) -> list[float]:
    """How long each took until its answer, or until it was given up, in milliseconds."""
    return [float(f"{request.latency * 1000:.3g}") for request in requests]
