"""Smaller sequences that still fail: fewer steps first, then pauses that a reader can make
something of (pure).

Hypothesis could do it as well, and would try hundreds of sequences, each on a new cluster: this
tries tens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from harness.search.sequence import Step

UNITS = (1.0, 0.5, 0.1)
"""Seconds, the roundest first."""

FEW = 8
"""So many sequences are left out one by one."""

DELAYS = (0.0, 0.4, 0.8, 1.2, 1.6)
"""Seconds by which a failure is delayed until it repeats: where checks stood then is not known of a
new cluster.
"""

Steps = tuple[Step, ...]


def smallest(steps: Steps, fails: Callable[[Steps], bool]) -> Steps:
    """A sequence of which no step can be left out, and no pause be rounder, without that ``fails``
    no longer holds. It has no step where the cluster fails by itself.

    ``steps`` are known to fail. What follows a step that is left out keeps its time, or else comes
    as much earlier.
    """
    return rounded(_fewest(steps, fails), fails)


def _fewest(steps: Steps, fails: Callable[[Steps], bool]) -> Steps:
    """Leave out steps, the last first, again and again until none can be."""
    before = None
    while steps != before:
        before = steps
        for number in reversed(range(len(steps))):
            for candidate in _without(steps, number):
                if fails(candidate):
                    steps = candidate
                    break
    return steps


def _without(steps: Steps, number: int) -> list[Steps]:
    """The steps without one: what follows at the same time as before, and earlier by its pause."""
    rest = steps[number + 1 :]
    if not rest:
        return [steps[:number]]
    later = replace(rest[0], after=round(rest[0].after + steps[number].after, 6))
    candidates = [(*steps[:number], later, *rest[1:])]
    return [*candidates, (*steps[:number], *rest)] if steps[number].after else candidates


def taken(
    earlier: tuple[Steps, ...], fails: Callable[[tuple[Steps, ...]], bool]
) -> tuple[Steps, ...]:
    """Those of the ``earlier`` sequences of a cluster that it takes for a failure: the last ones,
    and of up to :data:`FEW` those that cannot be left out; none if it does not come after all of
    them either.
    """
    count = 1
    while count < 2 * len(earlier):
        needed = earlier[-count:]
        if fails(needed):
            for number in reversed(range(len(needed) if len(needed) <= FEW else 0)):
                fewer = needed[:number] + needed[number + 1 :]
                needed = fewer if fewer and fails(fewer) else needed
            return needed
        count *= 2
    return ()


def rounded(steps: Steps, fails: Callable[[Steps], bool]) -> Steps:
    """The same steps with each pause as round as it can be while ``fails`` still holds."""
    for number in range(len(steps)):
        for field in ("after", "lasts"):
            steps = _rounder(steps, number, field, fails)
    return steps


def _rounder(steps: Steps, number: int, field: str, fails: Callable[[Steps], bool]) -> Steps:
    seconds: float = getattr(steps[number], field)
    for other in dict.fromkeys((0.0, *_round_ones(seconds)) if seconds else ()):
        changed = replace(steps[number], **{field: other})  # type: ignore[arg-type]
        candidate = (*steps[:number], changed, *steps[number + 1 :])
        if fails(candidate):
            return candidate
    return steps


def _round_ones(seconds: float) -> Iterator[float]:
    """Rounder numbers about it, none of which is as round already."""
    for unit in UNITS:
        if _is_multiple(seconds, unit):
            return
        below = int(seconds / unit) * unit
        yield round(below, 3)
        yield round(below + unit, 3)


def _is_multiple(seconds: float, unit: float) -> bool:
    return abs(seconds / unit - round(seconds / unit)) < 1e-9


def delayed(steps: Steps, seconds: float) -> Steps:
    """The same, all of it so much later."""
    return (replace(steps[0], after=round(steps[0].after + seconds, 6)), *steps[1:])
