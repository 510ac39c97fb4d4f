"""Where invariants are known by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from harness.search.observed import Observed, Violation

Invariant = Callable[[Observed], list[Violation]]
"""A pure function: what is not as it must be, in a sequence that was lived through."""

INVARIANTS: Final[dict[str, Invariant]] = {}
"""Every invariant by its name, in the order in which they are asked."""


def invariant(name: str) -> Callable[[Invariant], Invariant]:
    """Register a function as the invariant of a name; its docstring says what holds, and by which
    source.
    """

    def register(function: Invariant) -> Invariant:
        if name in INVARIANTS:
            raise ValueError(f"two invariants are called {name!r}")
        INVARIANTS[name] = function
        return function

    return register
