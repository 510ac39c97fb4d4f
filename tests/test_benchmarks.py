"""What the benchmarks say of figures."""

from __future__ import annotations

import pytest

from benchmarks.table import INCONCLUSIVE, MET, MISSED, Figure, ratio


@pytest.mark.parametrize(
    ("figure", "verdict"),
    [
        (Figure("within", (1.0, 1.1, 1.2), most=2), MET),
        (Figure("beyond", (2.1, 2.2, 2.3), most=2), MISSED),
        (Figure("on both sides", (1.8, 1.9, 2.1), most=2), INCONCLUSIVE),
        (Figure("enough", (11, 12), "x", least=10), MET),
        (Figure("too little", (8, 9), "x", least=10), MISSED),
        (Figure("measured once", (1.0,), most=2), INCONCLUSIVE),
        (
            Figure("below its resolution", (-0.1, -0.1, 0.0), "ms", most=1, resolution=0.05),
            INCONCLUSIVE,
        ),
        (Figure("above it", (0.2, 0.2, 0.2), "ms", most=1, resolution=0.05), MET),
        (Figure("nothing is wanted", (1.0,)), ""),
        (Figure.count("failures", 0, most=0), MET),
        (Figure.count("failures", 1, most=0), MISSED),
    ],
    ids=lambda given: given.what if isinstance(given, Figure) else "",
)
def test_a_figure_is_judged_by_all_its_rounds(figure: Figure, verdict: str) -> None:
    assert figure.verdict == verdict


def test_a_negative_time_is_never_met() -> None:
    """A paced client was said to cost -0.1 ms of processor time a request, and that to be what
    is wanted.
    """
    figure = Figure("paced client", (-0.1, 0.03, -0.02), "ms", most=0.5, resolution=0.033)
    assert figure.verdict == INCONCLUSIVE
    assert figure.cells[1] == "less than 0.033 ms"


def test_a_row_has_its_spread() -> None:
    assert Figure("start", (1.0, 3.0, 2.0), most=4).cells == [
        "start",
        "2 s",
        "1 to 3, 3 rounds",
        "≤ 4 s",
        MET,
    ]


def test_a_ratio_is_one_of_each_round() -> None:
    assert ratio("slower", [2.0, 6.0], [1.0, 2.0]).values == (2.0, 3.0)
