"""What is wrong with a sequence that was lived through, and what tells one failure from another."""

from __future__ import annotations

import re
from dataclasses import dataclass

from harness.search.invariants import judge
from harness.search.invariants.advertising import ACTS
from harness.search.invariants.daemons import LIVE, ONCE
from harness.search.observed import Violation
from harness.search.performing import Lived

AT_REST = "comes to rest"
AS_BEFORE = "as before"

_NUMBERED = re.compile(r"\b([a-z]+)\d+\b")
_NUMBER = re.compile(r"-?\d+(?:\.\d+)*")


@dataclass(frozen=True, order=True)
class Signature:
    """What two failures have in common that are taken for one: the invariant, and its words without
    numbers.
    """

    invariant: str
    words: str

    @classmethod
    def of(cls, violation: Violation) -> Signature:
        """The signature of a violation: neither times nor addresses, nor which of several nodes it
        was.
        """
        return cls(violation.invariant, _NUMBER.sub("N", _NUMBERED.sub(r"\1", violation.text)))

    def __str__(self) -> str:
        return f"{self.invariant}: {self.words}"


def judged(lived: Lived, left: str | None) -> list[Violation]:
    """All that is wrong; ``left`` is what the sequence has left behind in machines, None if
    nothing.

    Where a daemon dies of itself, a child of keepalived runs twice, or a master hangs, all else
    follows from that, and is not told.
    """
    observed = lived.observed
    found = list(judge(observed))
    for grave in (LIVE, ONCE, ACTS):
        causes = [each for each in found if each.invariant == grave]
        if causes:
            return causes[:1]
    if lived.amiss is not None:
        found.append(Violation(AT_REST, observed.ended, lived.amiss, ()))
    elif left is not None:
        found.append(Violation(AS_BEFORE, observed.ended, left, ()))
    return found
