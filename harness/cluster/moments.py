"""When faults strike and are healed: at a moment of the protocol that the seed decides (pure).

In virtual time everything else repeats to the nanosecond, so without this every fault would strike
at one moment, and windows would be tried at one point. A *moment* is a fraction of a period: of the
interval between two advertisements, or two runs of a tracked script, for what happens to directors;
of ``delay_loop`` for what happens to real servers. It depends on the seed, the scenario and how
many moments that has had, and on nothing that a shared cluster or ``-n`` could change.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from harness.clock import Instant

FIXED = 0.37
"""The moment of seed 0: not a round part of a period, and far from both ends."""

_STEPS = ((1 + math.sqrt(5)) / 2, math.sqrt(2), math.sqrt(3), math.sqrt(7))
"""A scenario's first moment moves on by one of these from one seed to the next, its second by
another: so few seeds in a row lie all over a period, and the two not in step (Kronecker's
sequences).
"""

REIGN = 2.0
"""Seconds for which a master has held office, at the least, when something happens to it."""


@dataclass
class Moments:
    """Draws the moments of one scenario after another."""

    seed: int = 0
    _scenario: str = ""
    _count: int = field(default=0)

    def begin(self, scenario: str) -> None:
        """The next moments are those of this scenario, known by its node id."""
        self._scenario, self._count = scenario, 0

    @property
    def in_step(self) -> bool:
        """Whether two waits one after the other are to be short or long together: so with two seeds
        of three.
        """
        return self.seed % 3 > 0

    def draw(self) -> float:
        """The next moment, from 0 to 1."""
        self._count += 1
        if self.seed == 0:
            return FIXED
        begin = random.Random(f"{self._scenario} {self._count}").random()
        return (begin + self.seed * _STEPS[(self._count - 1) % len(_STEPS)]) % 1.0


def pause_in_step(
    ran: Instant,
    interval: float,
    sent: Instant,
    advert_int: float,
    struck: Instant,
    moment: float,
) -> float:
    """How many seconds after its start a script is to look, for the next look and the advertisement
    after that to be waited for equally long: each for the same part of its period.

    ``ran``, ``sent`` and ``struck`` are instants, of any period, at which the script is started, at
    which somebody advertises, and at which the fault strikes. ``moment`` decides between the parts
    that are possible. Two waits of lengths that know nothing of each other are hardly ever shortest
    or longest at once, and the ends of the window for both would not be tried.
    """
    left, both = (sent - struck) % advert_int, interval + advert_int
    choice = int(moment * math.ceil((both - left) / advert_int))
    part = (left + choice * advert_int) / both
    return (struck + part * interval - ran) % interval


def instant(anchor: Instant, period: float, moment: float, earliest: Instant) -> Instant:
    """The first instant from ``earliest`` on that is ``moment`` into a period, of which one began
    at ``anchor``.

    ``period`` in seconds.
    """
    first = anchor + moment * period
    return first + max(0, math.ceil((earliest - first) / period)) * period


def within(pauses: Sequence[tuple[float, float]], moment: float) -> float:
    """How many seconds from now ``moment`` of all ``pauses`` is, laid one after the other: each is
    given as its begin and its end.

    One that ends before it begins is too short for anything; if all are, it is the middle of the
    one that is least so.
    """
    left = moment * sum(max(0.0, end - begin) for begin, end in pauses)
    for begin, end in pauses:
        if begin < end and left <= end - begin:
            return begin + left
        left -= max(0.0, end - begin)
    begin, end = max(pauses, key=lambda pause: pause[1] - pause[0])
    return (begin + end) / 2
