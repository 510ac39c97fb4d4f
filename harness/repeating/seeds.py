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

from harness.errors import HarnessError
from harness.repeating import determinism

BINS = 20
BARS = " .:-=+*#%@"
ENOUGH = 0.8
"""Which part of a window should be filled."""
NARROW = 0.011
"""Seconds: what is no wider is an instant, with what the clock may be off on both sides of it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run and print; the exit status is 1 if something lies outside its window, else 0."""
    parser = argparse.ArgumentParser(
        prog="python -m harness.repeating.seeds", description=__doc__.partition("\n")[0]
    )
    parser.add_argument(
        "--seeds", type=int, default=20, metavar="N", help="1 to N (default: %(default)s)"
    )
    options, selection = parser.parse_known_args(arguments)
    found: dict[str, list[float]] = {}
    try:
        for seed in range(1, options.seeds + 1):
            folder = determinism.ARTIFACTS.parent.parent / "seeds" / str(seed)
            for scenario, timeline in determinism.run(selection, seed, folder).items():
                for share in shares(timeline.decode(errors="replace").splitlines()):
                    found.setdefault(scenario, []).append(share)
    except HarnessError as problem:
        print(f"seeds: {problem}", file=sys.stderr)
        return 1
    for line in table(found):
        print(line)
    return 1 if any(outside(values) for values in found.values()) else 0


def shares(lines: Iterable[str]) -> list[float]:
    """Where in its window each judged time lies: 0 is the earliest that was due, 1 the latest.

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
            found.append(share)
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


def table(found: Mapping[str, Sequence[float]]) -> list[str]:
    """A line for each scenario that has judged a time, the least filled first."""
    width = max((len(name) for name in found), default=0)
    lines = [f"{'scenario':<{width}}  times  outside  filled  |{'earliest to latest':^{BINS}}|"]
    for name in sorted(found, key=lambda each: (-outside(found[each]), filled(found[each]))):
        values = found[name]
        row = f"{name:<{width}}  {len(values):>5}  {outside(values):>7}  {filled(values):>5.0%}"
        lines.append(f"{row}   |{histogram(values)}|")
    enough = sum(filled(values) >= ENOUGH for values in found.values())
    lines.append(f"{enough} of {len(found)} fill {ENOUGH:.0%} of their windows or more")
    return lines


if __name__ == "__main__":
    sys.exit(main())
