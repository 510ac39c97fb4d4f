"""What it costs to write everything down: the same scenarios with all evidence, and with none.

Wall time says little of a few percent on a machine that does other things as well: two days of it
said 2 % and 29 % of the same code. So the rounds are compared by their processor time.
"""

from __future__ import annotations

from benchmarks import runs
from benchmarks.load import CASES
from benchmarks.suite import SOME
from benchmarks.table import Figure, section

ROUNDS = 3
WAYS = {"all of it": ("--keep", "all"), "nothing": ("-p", "benchmarks.unrecorded")}
"""What is written of each scenario -> pytest's options."""


def overhead() -> str:
    """By turns, in virtual time: some scenarios, and 1,000 requests a second."""
    whole: dict[str, list[float]] = {way: [] for way in WAYS}
    load: dict[str, list[float]] = {way: [] for way in WAYS}
    for way, options in [*WAYS.items()] * ROUNDS:
        virtual = ("--clock", "virtual")
        whole[way].append(runs.pytest(*options, *virtual, tests=SOME).processor)
        paced = runs.pytest(*options, "-k", "paced", *virtual, tests=[CASES])
        load[way].append(paced.processor)
    return section(
        f"Recording: everything written and kept, beside nothing written, {ROUNDS} rounds by turns",
        [
            *_figures("some scenarios", whole),
            *_figures("3,000 requests at 1,000 a second", load),
        ],
    )


def _figures(what: str, seconds: dict[str, list[float]]) -> list[Figure]:
    full, bare = seconds.values()
    more = tuple(100 * (one / other - 1) for one, other in zip(full, bare, strict=True))
    figures = []
    for way, each in seconds.items():
        figures.append(Figure(f"{what}, {way} written, processor time", tuple(each)))
    # Two runs of the same differ by as much as the rounds without any recording do.
    noise = 100 * (max(bare) / min(bare) - 1)
    figures.append(Figure(f"{what}, overhead", more, "%", most=15, resolution=noise))
    return figures
