"""Which sequences are tried: Hypothesis draws them, and makes smaller ones of one that fails.

Pauses lie on both sides of what the protocols wait for, since that is where orders of events
change.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError
from harness.keepalived import timers
from harness.lab.plan import Plan
from harness.search.drafts import CHANGES, Draft, Steps
from harness.search.kinds import KINDS
from harness.search.sequence import Deed, Step
from harness.topology import Director, VirtualService, VrrpInstance

if TYPE_CHECKING:
    from hypothesis.strategies import DrawFn, SearchStrategy

MOST_STEPS = 5
SIDES = (0.0, -0.05, 0.05, -0.3, 0.3)
"""How far from a deadline, in seconds."""
LONGEST = 12.0
"""Seconds of the longest pause: deadlines beyond it are not waited for."""


def deadlines(plan: Plan) -> tuple[float, ...]:
    """What the directors of a topology wait for, in seconds, ascending: their timers, and those of
    their checkers.
    """
    found = {0.0}
    for host in plan.of_role(Director):
        assert isinstance(host.role, Director)
        for instance in host.role.instances:
            found |= _of_instance(instance)
        for service in host.role.services:
            found |= _of_service(service)
    return tuple(sorted(round(each, 3) for each in found if 0 <= each <= LONGEST))


def _of_instance(instance: VrrpInstance) -> set[float]:
    down, pace = timers.master_down_interval(instance), float(instance.advert_int)
    found = {
        pace,
        timers.skew(instance),
        down,
        down - pace,
        float(instance.garp_master_delay),
        instance.preempt_delay,
    }
    return found | {float(script.interval) for script in instance.track_scripts}


def _of_service(service: VirtualService) -> set[float]:
    found = {float(service.delay_loop)}
    for symptom in (timers.Symptom.REFUSED, timers.Symptom.SILENT):
        try:
            due = timers.removal(service, symptom)
        except HarnessError:  # whose checker does not notice
            continue
        found |= {due.earliest, due.latest}
    return found


def drafts(possible: Sequence[Deed], plan: Plan, most: int = MOST_STEPS) -> SearchStrategy[Draft]:
    """A strategy for sequences of one to ``most`` steps of what is possible."""
    from hypothesis import strategies

    steps = _steps(possible, plan)
    new: SearchStrategy[Steps] = strategies.integers(1, most).flatmap(
        lambda length: strategies.lists(steps, min_size=length, max_size=length).map(tuple)
    )
    change = strategies.sampled_from((None, *CHANGES))
    number = strategies.integers(0, 2**16)
    # All of it is drawn, needed or not: what Hypothesis draws must not depend on what was seen.
    return strategies.builds(
        Draft, new, change, number, number, steps, number, number, strategies.just(most)
    )


def _steps(possible: Sequence[Deed], plan: Plan) -> SearchStrategy[Step]:
    """A strategy for single steps."""
    from hypothesis import strategies

    kinds: dict[str, list[Deed]] = {}
    for deed in possible:
        kinds.setdefault(deed.name, []).append(deed)
    # A kind with many deeds is drawn more often, and not so often as to leave no room for others.
    names = [name for name, deeds in kinds.items() for _ in range(math.isqrt(len(deeds)))]
    pauses = _pauses(deadlines(plan))

    @strategies.composite
    def one(draw: DrawFn) -> Step:
        name = draw(strategies.sampled_from(names))
        deed = draw(strategies.sampled_from(kinds[name]))
        return Step(draw(pauses), deed, draw(pauses) if KINDS[name].lasting else 0.0)

    return one()


def _pauses(due: Sequence[float]) -> SearchStrategy[float]:
    """Hundredths of seconds, any or about a deadline."""
    from hypothesis import strategies

    any_time: Any = strategies.integers(0, round(LONGEST / 2 * 100)).map(
        lambda hundredths: hundredths / 100
    )
    near: Any = strategies.builds(
        lambda deadline, side: round(max(0.0, deadline + side), 2),
        strategies.sampled_from(due),
        strategies.sampled_from(SIDES),
    )
    return strategies.one_of(near, any_time)


def draw_no_constants() -> None:
    """Have Hypothesis not read all of the harness's sources for numbers to draw, which no option of
    its own prevents.

    In a guest that takes longer than a hundred sequences, and with each change of a source it would
    draw others.
    """
    from hypothesis.internal.conjecture import providers

    nothing = providers._local_constants
    providers._get_local_constants = lambda: nothing
