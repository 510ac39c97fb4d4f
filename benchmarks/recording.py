"""What it costs to write everything down: the same scenarios with all evidence kept, and with none written."""

from __future__ import annotations

from statistics import median

from benchmarks import runs
from benchmarks.load import CASES
from benchmarks.suite import CORE
from benchmarks.table import Figure, section

ROUNDS = 3
WAYS = {"all of it": ("--keep", "all"), "nothing": ("-p", "benchmarks.unrecorded")}
"""What is written of each scenario -> pytest's options."""


def overhead() -> str:
    """By turns, in virtual time, where nothing but work takes time: the core scenarios, and 1,000 requests a second."""
    whole: dict[str, list[float]] = {way: [] for way in WAYS}
    load: dict[str, list[float]] = {way: [] for way in WAYS}
    for way, options in [*WAYS.items()] * ROUNDS:
        whole[way].append(runs.pytest(*options, "--clock", "virtual", tests=CORE).seconds)
        paced = runs.pytest(*options, "-k", "paced", "--clock", "virtual", tests=[CASES])
        load[way].append(paced.first("guest loaded").at - paced.first("guest load").at)
    return section(
        f"Recording: everything written and kept, beside nothing written, virtual time, {ROUNDS} rounds by turns",
        [
            *_figures("the core scenarios, from pytest's start to its end", whole),
            *_figures("3,000 requests at 1,000 a second", load),
        ],
    )


def _figures(what: str, seconds: dict[str, list[float]]) -> list[Figure]:
    full, bare = seconds.values()
    more = median(one / other for one, other in zip(full, bare, strict=True)) - 1
    medians = [Figure(f"{what}, {way} written", median(each)) for way, each in seconds.items()]
    return [*medians, Figure(f"{what}, overhead", 100 * more, "%", most=15)]
