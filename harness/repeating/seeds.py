"""Where in its window each measured time lies, over many seeds.

    python -m harness.repeating.seeds -n 20 scenarios/ ...

A seed decides at which moments faults strike (:mod:`harness.cluster.moments`), so over many seeds
what is measured should fill the window that the protocol gives, and nothing should lie outside. A
window that is never filled is wider than it has to be, or is not tried.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from harness.errors import HarnessError
from harness.repeating import determinism
from harness.report import distributions
from harness.report.distributions import Distribution

BINS = 20
BARS = " .:-=+*#%@"
ENOUGH = 0.8
"""Which part of a window should be filled."""
NARROW = 0.011
"""Seconds: what is no wider is an instant, with what the clock may be off on both sides of it."""

_FOLDER = Path("artifacts", "seeds")

Key = tuple[str, str]
"""A scenario, and what of it is measured."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run and print; the exit status is 1 if something lies outside its window, else 0."""
    parser = argparse.ArgumentParser(
        prog="python -m harness.repeating.seeds", description=__doc__.partition("\n")[0]
    )
    parser.add_argument(
        "--seeds", type=int, default=20, metavar="N", help="1 to N (default: %(default)s)"
    )
    options, selection = parser.parse_known_args(arguments)
    found: dict[Key, list[float]] = {}
    try:
        for seed in range(1, options.seeds + 1):
            runs = determinism.run(selection, seed, _FOLDER / str(seed))
            for scenario, timeline in runs.items():
                for what, share in shares(timeline.decode(errors="replace").splitlines()):
                    found.setdefault((scenario, what), []).append(share)
        page = draw(found, options.seeds)
    except HarnessError as problem:
        print(f"seeds: {problem}", file=sys.stderr)
        return 1
    for line in table(found):
        print(line)
    print(f"drawn in {page}")
    return 1 if any(outside(values) for values in found.values()) else 0


def shares(lines: Iterable[str]) -> list[tuple[str, float]]:
    """What was judged, and where in its window it lies: 0 is the earliest that was due, 1 the
    latest.

    Windows that are an instant are left out, as long as it was met: there is nothing to fill.
    """
    found = []
    for line in lines:
        event = json.loads(line)
        if event.get("kind") != "judged" or event.get("measured") is None:
            continue
        width = event["latest"] - event["earliest"]
        share = (event["measured"] - event["earliest"]) / width if width else 0.0
        if width > NARROW or not 0 <= share <= 1:
            found.append((event["what"], share))
    return found


def outside(values: Sequence[float]) -> int:
    """How many lie outside their window."""
    return sum(not 0 <= value <= 1 for value in values)


def filled(values: Sequence[float]) -> float:
    """Which part of the window lies between the lowest and the highest of those inside it."""
    inside = [value for value in values if 0 <= value <= 1]
    return max(inside) - min(inside) if inside else 0.0


def histogram(values: Sequence[float]) -> str:
    """A character for each of :data:`BINS` parts of the window, the darker the more lie there."""
    counts = [0] * BINS
    for value in values:
        if 0 <= value <= 1:
            counts[min(int(value * BINS), BINS - 1)] += 1
    most = max(counts) or 1
    darkest = len(BARS) - 1
    return "".join(BARS[-(-count * darkest // most)] for count in counts)


def table(found: Mapping[Key, Sequence[float]]) -> list[str]:
    """A line for each time that a scenario has judged, the least filled first."""
    width = max((len(": ".join(key)) for key in found), default=0)
    lines = [f"{'scenario':<{width}}  times  outside  filled  |{'earliest to latest':^{BINS}}|"]
    for key in _in_order(found):
        values, name = found[key], ": ".join(key)
        row = f"{name:<{width}}  {len(values):>5}  {outside(values):>7}  {filled(values):>5.0%}"
        lines.append(f"{row}   |{histogram(values)}|")
    lines.append(_in_sum(found))
    return lines


def draw(found: Mapping[Key, Sequence[float]], seeds: int) -> Path:
    """The same as a page, beside the runs. Raises HarnessError."""
    rows = [
        Distribution(*key, found[key], filled(found[key]), filled(found[key]) >= ENOUGH)
        for key in _in_order(found)
    ]
    target = _FOLDER / "seeds.html"
    return distributions.write(target, f"{seeds} seeds", _in_sum(found), rows)


def _in_order(found: Mapping[Key, Sequence[float]]) -> list[Key]:
    """What has most outside first, then the least filled."""
    return sorted(found, key=lambda key: (-outside(found[key]), filled(found[key]), key))


def _in_sum(found: Mapping[Key, Sequence[float]]) -> str:
    enough = sum(filled(values) >= ENOUGH for values in found.values())
    beside = sum(map(outside, found.values()))
    return (
        f"{enough} of {len(found)} fill {ENOUGH:.0%} of their windows or more;"
        f" {beside} times lie outside"
    )


if __name__ == "__main__":
    sys.exit(main())
