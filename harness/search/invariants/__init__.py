"""What must hold however a cluster is treated: each invariant is a pure function over what was
observed.
"""

from __future__ import annotations

from harness.search.invariants import (
    addresses,
    advertising,
    announcing,
    answering,
    balance,
    checking,
    daemons,
    editing,
    election,
    quorums,
    reloading,
    rest,
    routing,
    sharing,
    states,
    telling,
)
from harness.search.invariants.registry import INVARIANTS, Invariant, invariant
from harness.search.observed import Observed, Violation

__all__ = [
    "INVARIANTS",
    "Invariant",
    "addresses",
    "advertising",
    "announcing",
    "answering",
    "balance",
    "checking",
    "daemons",
    "editing",
    "election",
    "invariant",
    "judge",
    "quorums",
    "reloading",
    "rest",
    "routing",
    "sharing",
    "states",
    "telling",
]

UNKNOWN = "unknown"


def judge(observed: Observed) -> list[Violation]:
    """Everything that is not as it must be, in the order of the invariants.

    An invariant that raises is no pass: what it would have said is unknown, and that is what is
    reported.
    """
    found: list[Violation] = []
    for name, function in INVARIANTS.items():
        try:
            found += function(observed)
        except Exception as problem:
            text = f"it could not be judged: {type(problem).__name__}: {problem}"
            found.append(Violation(name, observed.ended, text, kind=UNKNOWN))
    return found
